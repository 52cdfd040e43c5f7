// The latent map with a person's pictures as stars; a star leads to its picture's card on the page.

import { isOtherModel, mounting } from "../host/component.js";
import { LatentMap } from "../map/latent_map.js";
import { starsOf } from "../map/stars.js";
import { Toolbar } from "../map_tools/toolbar.js";
import { el } from "../ui/dom.js";

const CARD_GAP = 16; // pixels between a star and its name

/**
 * @typedef {import("../engine/payloads.js").ReconstructMapData} ReconstructMapData
 * @typedef {import("../engine/payloads.js").Picture} Picture
 */

class ReconstructMap {
  /** @param {import("../host/component.js").Context} context */
  constructor({ shadow, source, host }) {
    this.shadow = shadow;
    this.source = source;
    this.host = host;
    /** @type {ReconstructMapData | null} */
    this.data = null;
    /** @type {string | null} */
    this.wanted = null; // picture whose card is to be gone to
    this.image = el("img", { alt: "" });
    this.name = el("span");
    this.card = el("div", { class: "peek-card", hidden: true }, this.image, this.name);
    this.note = el("p", { class: "note", role: "status" });
    this.toolbar = new Toolbar((view) => host.report("view", view));
  }

  /**
   * @param {ReconstructMapData} data
   * @param {ReconstructMapData | null} before
   */
  update(data, before) {
    const modelChanged = isOtherModel(before, data);
    if (modelChanged) this.toolbar.build(data.model);
    if (modelChanged || JSON.stringify(before.view) !== JSON.stringify(data.view)) this.showView(data);
    this.toolbar.set(data.view);
    this.placeStars(data);
    this.map.applyTheme();
    if (this.wanted && this.wanted === data.chosen) this.goToCard(data.chosen);
  }

  build() {
    this.map = new LatentMap(this.source);
    this.map.overlay.append(this.card);
    this.shadow.append(el("div", { class: "reconstruct-map" }, this.toolbar.element, this.map.element, this.note));
  }

  /** @param {ReconstructMapData} data */
  showView({ model, view }) {
    this.note.textContent = "";
    this.map.show(model, view).catch((error) => (this.note.textContent = `The map cannot be shown: ${error.message}`));
  }

  /** @param {ReconstructMapData} data */
  placeStars({ pictures, chosen, view }) {
    this.card.hidden = true;
    this.map.marks.setStars(starsOf(pictures, view, chosen), {
      verb: "Go to",
      onPick: (id) => this.pick(id),
      onShow: (id, place) =>
        this.showCard(
          place,
          pictures.find((picture) => picture.id === id),
        ),
      onHide: () => (this.card.hidden = true),
    });
  }

  /**
   * A picture and its name, at once; the browser's own tooltip would come late and on top.
   * @param {{x: number, y: number}} place
   * @param {Picture} picture
   */
  showCard(place, { name, image }) {
    this.image.src = `data:image/png;base64,${image}`;
    this.name.textContent = name;
    this.card.hidden = false;
    const { x, y } = this.map.toPixel(place);
    const { offsetWidth: width, offsetHeight: height } = this.card;
    const left = x + CARD_GAP + width < this.map.element.clientWidth ? x + CARD_GAP : x - CARD_GAP - width;
    this.card.style.transform = `translate(${left}px, ${Math.max(0, y - height / 2)}px)`;
  }

  /**
   * Python turns the list to the picture's page; only then is there a card to go to.
   * @param {string} id
   */
  pick(id) {
    this.wanted = id;
    this.host.report("picked", id);
  }

  /** @param {string} id */
  goToCard(id) {
    this.wanted = null;
    const still = matchMedia("(prefers-reduced-motion: reduce)").matches;
    const card = document.querySelector(`.st-key-${CSS.escape(this.data.card + id)}`);
    card?.scrollIntoView({ block: "nearest", behavior: still ? "auto" : "smooth" });
  }
}

export const mount = mounting(ReconstructMap, ["map", "map_tools", "reconstruct"]);
