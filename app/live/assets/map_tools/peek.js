// What lies under the pointer: a picture at once, and when the pointer rests what is known of the place.

import { el } from "../ui/dom.js";
import { paint, sizeCanvas } from "../ui/pixels.js";
import { number } from "../ui/text.js";

const REST_MS = 125;
const GAP = 18; // pixels between the pointer and the card
const FAR = 0.03; // of the map's diagonal: beyond it a place has no point near it
const TOP = 36; // pixels, kept free for the map's buttons

/**
 * @typedef {import("../engine/source.js").LiveAnswer} LiveAnswer
 * @typedef {import("../map/latent_map.js").Place} Place
 */

/**
 * @typedef {object} PeekPage what the card needs of the page with the map
 * @property {import("../map/latent_map.js").LatentMap} map
 * @property {import("../engine/source.js").Asks} queries
 * @property {{model: import("../engine/payloads.js").Model}} data
 * @property {(place: Place, onAnswer: (answer: LiveAnswer) => void) => void} peekAt
 * @property {(image: number) => string[]} [aboutTraining] where the map shows training images
 */

export class PeekCard {
  /** @param {PeekPage} page */
  constructor(page) {
    this.page = page;
    this.picture = el("canvas", { "data-testid": "peek", role: "img", "aria-label": "Decoded at this place" });
    this.original = el("img", { class: "original", alt: "The picture itself", hidden: true });
    this.text = el("div", { class: "peek-text", "aria-live": "polite" });
    this.captions = el(
      "div",
      { class: "peek-captions", hidden: true },
      el("span", {}, "decoded"),
      el("span", {}, "original"),
    );
    const pictures = el("div", { class: "peek-pictures" }, this.picture, this.original);
    this.element = el("div", { class: "peek-card", hidden: true }, pictures, this.captions, this.text);
    /** @type {Place | null} */
    this.wanted = null;
  }

  /** @param {{shape: number[]}} model */
  switchModel(model) {
    sizeCanvas(this.picture, model.shape);
  }

  /**
   * @param {Place} place
   * @param {{x: number, y: number}} px where it is, in the map's pixels
   */
  lookAt(place, px) {
    const same = this.wanted && this.wanted.x === place.x && this.wanted.y === place.y;
    this.moveBeside(px);
    if (same) return;
    this.wanted = place;
    this.code = null; // of the place, once that is answered
    this.page.map.ring(place.index ?? (place.training === undefined ? null : place));
    this.text.replaceChildren();
    this.original.hidden = this.captions.hidden = true;
    clearTimeout(this.rest);
    this.rest = setTimeout(() => this.rested(place), REST_MS);
    this.page.peekAt(place, ({ frames, codes }) => {
      paint(this.picture, frames[0], this.page.data.model.shape);
      this.element.hidden = this.wanted === null;
      if (this.wanted === place) this.code = codes;
    });
  }

  lookAway() {
    this.wanted = null;
    clearTimeout(this.rest);
    this.element.hidden = true;
    this.page.map?.ring(null);
  }

  /** @param {Place} place */
  rested(place) {
    if (place.training !== undefined) this.showLines(this.page.aboutTraining(place.training));
    else if (place.index !== undefined) this.askCard(place);
    else if (this.isBlend(place)) this.showLines(["Far from all points:", "a blend of the nearest ones"]);
    else if (this.code) this.askHint(place, this.code);
    else this.rest = setTimeout(() => this.rested(place), REST_MS);
  }

  /**
   * @param {Place} place of a reference image
   */
  async askCard(place) {
    const card = await this.askAbout("card", { index: place.index });
    if (card && this.wanted === place) this.showCard(card);
  }

  /**
   * @param {Place} place between points
   * @param {Float32Array} code
   */
  async askHint(place, code) {
    const told = await this.askAbout("place", { z: Array.from(code) });
    if (told && this.wanted === place) this.showLines([`Between points: ${told.hint}`]);
  }

  /**
   * What is known of a place; null where that cannot be had: the picture is there, the rest is an extra.
   * @param {string} what
   * @param {object} body
   */
  askAbout(what, body) {
    return this.page.queries.ask(what, body, "peek").catch(() => null);
  }

  /** @param {string[]} lines */
  showLines(lines) {
    this.text.replaceChildren(...lines.map((line) => el("span", {}, line)));
  }

  /**
   * Whether a place says nothing of its picture. On a map that is known by its points a place far from all of them
   * stands for a mean of the nearest ones' codes, which lies among the data itself.
   * @param {Place} place
   */
  isBlend(place) {
    const { map } = this.page;
    return map.snaps && map.gapAt(place) > FAR;
  }

  /**
   * @param {{original: string | null, label: string, reconstruction: number, percentile: number, kl: number | null, seen: boolean}} card
   */
  showCard({ original, label, reconstruction, percentile, kl, seen }) {
    if (original) this.showOriginal(original);
    const term = `reconstruction ${number(reconstruction)} nats`;
    const rank = seen ? "seen in training" : `more than ${Math.round(percentile)}% of held-out images`;
    this.showLines([label, term, rank, ...(kl === null ? [] : [`KL ${number(kl)} nats`])]);
  }

  /** @param {string} png in base64 */
  showOriginal(png) {
    Object.assign(this.original, { src: `data:image/png;base64,${png}`, hidden: false });
    this.captions.hidden = false;
  }

  /**
   * Beside the pointer, on the side where there is room, and never on the map's buttons.
   * @param {{x: number, y: number}} px
   */
  moveBeside({ x, y }) {
    const { clientWidth, clientHeight } = this.page.map.element;
    const [width, height] = [this.element.offsetWidth || 112, this.element.offsetHeight || 112];
    const left = x + GAP + width < clientWidth ? x + GAP : Math.max(4, x - GAP - width);
    const top = Math.min(Math.max(TOP, y - height - GAP / 2), clientHeight - height - 4);
    this.element.style.transform = `translate(${left}px, ${top}px)`;
  }
}
