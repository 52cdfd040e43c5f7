// Where keyframes come from: random draws, a reference image, the sliders on Explore, the map, the person's pictures.

import { DRAW, PEEK } from "../engine/source.js";
import { el } from "../ui/dom.js";
import { DATA_DRAW, gaussian, priorDraw } from "../ui/draws.js";
import { button } from "../ui/fields.js";
import { mountPictures } from "../ui/pictures.js";
import { cleanName } from "../ui/text.js";

/** @typedef {import("../engine/payloads.js").InterpolateData} InterpolateData */

export class Sources {
  /** @param {import("./interpolate.js").Interpolate} interpolate */
  constructor(interpolate) {
    const { limits } = interpolate;
    this.interpolate = interpolate;
    const [fewest, most] = limits.keyframes;
    this.fewest = fewest;
    this.most = most;
    this.nameRoom = limits.keyframeName; // characters
    /** @type {Set<string>} */
    this.known = new Set(); // pictures that have been here
    this.asked = 0;
    this.prior = button("", "", () => this.add("prior", "N(0, I) draw", gaussian(interpolate.data.model.latentDim)));
    this.adding = [
      this.prior,
      button(DATA_DRAW.text, DATA_DRAW.title, () =>
        this.ask(DRAW, [], (code) => this.add("data", "like the data", code)),
      ),
      button("Random (image)", "The code of a reference image", () =>
        this.addReference(Math.floor(Math.random() * interpolate.data.model.references)),
      ),
      button("Sliders", "The code of the sliders on Explore", () => this.add("sliders", "sliders", interpolate.data.z)),
    ];
    this.pictures = mountPictures({
      onAdd: (files) => interpolate.report("added", files),
      onExample: () => {}, // there are none on this page
      onChoose: (id) => this.addPicture(id),
      onRemove: (id) => this.removePicture(id),
      onProblem: (text) => interpolate.say(text),
      verb: "Add",
      limits,
    });
    const buttons = el(
      "div",
      { class: "actions" },
      el("span", { class: "or" }, "Add"),
      ...this.adding,
      this.pictures.element,
    );
    this.element = el("div", { class: "sources", role: "group", "aria-label": "Add keyframes" }, buttons);
    interpolate.store.on(["keyframes"], ({ keyframes }) => this.setRoom(keyframes.length < this.most));
  }

  /** @param {{variational: boolean}} model */
  setModel(model) {
    Object.assign(this.prior, priorDraw(model));
    this.known = new Set(this.interpolate.data.pictures.map(({ id }) => id));
  }

  /** @param {boolean} hasRoom */
  setRoom(hasRoom) {
    for (const each of this.adding) each.disabled = !hasRoom;
  }

  /**
   * @param {"prior" | "data" | "reference" | "sliders" | "map" | "picture"} source
   * @param {string} name
   * @param {ArrayLike<number> | null} code null for a picture
   * @param {string | null} picture its id
   */
  add(source, name, code, picture = null) {
    const { store } = this.interpolate;
    const { keyframes } = store.state;
    if (keyframes.length >= this.most)
      return this.interpolate.say(`There are ${this.most} keyframes already; remove one first.`);
    this.interpolate.say("");
    const added = {
      name: cleanName(name, this.nameRoom) || `a ${source}`,
      source,
      code: code && Array.from(code),
      picture,
    };
    store.set({ keyframes: [...keyframes, added] });
  }

  /** @param {string} id */
  addPicture(id) {
    const picture = this.interpolate.data.pictures.find((each) => each.id === id);
    if (picture) this.add("picture", picture.name, null, id);
  }

  /** @param {number} index */
  addReference(index) {
    /** @param {{label: string, code: number[]}} image */
    const add = ({ label, code }) => this.add("reference", `${label} · #${index}`, code);
    this.interpolate.queries
      .ask("code", { index }, this.nextSlot())
      .then(add, (error) => this.interpolate.say(error.message));
  }

  /**
   * What lies at a place of the map; on a map of two dimensions the others are those of the sliders.
   * @param {import("../map/latent_map.js").Place} place
   */
  addPlace({ x, y, index }) {
    if (index !== undefined) this.addReference(index);
    else this.ask(PEEK, [x, y, ...this.interpolate.data.z], (code) => this.add("map", "on the map", code));
  }

  /**
   * Ask for one code, which counts however many are asked for after it.
   * @param {number} kind
   * @param {number[]} values
   * @param {(code: Float32Array) => void} onCode
   */
  ask(kind, values, onCode) {
    this.interpolate.live.ask(this.nextSlot(), kind, this.interpolate.view, values, ({ codes }) => onCode(codes));
  }

  nextSlot() {
    this.asked += 1;
    return `keyframe ${this.asked}`;
  }

  /** @param {string} id */
  removePicture(id) {
    this.interpolate.store.settle(); // in order: Python takes the picture's keyframes away
    this.interpolate.report("removed", id);
  }

  /**
   * Take over the person's pictures: new ones become keyframes; keyframes of those that are gone go too.
   * @param {InterpolateData} data
   */
  takePictures({ pictures, studio }) {
    const { store } = this.interpolate;
    const there = new Set(pictures.map(({ id }) => id));
    const kept = store.state.keyframes.filter(({ picture }) => !picture || there.has(picture));
    if (kept.length < this.fewest)
      store.set({ keyframes: studio.keyframes }); // Python has filled them up
    else if (kept.length < store.state.keyframes.length) store.set({ keyframes: kept });
    for (const { id } of pictures) if (!this.known.has(id)) this.addPicture(id);
    this.known = there;
    this.pictures.update({ pictures, examples: [], chosen: null, strip: null });
  }
}
