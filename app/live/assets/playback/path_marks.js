// What an animation needs on a map: lines of several kinds, their playing positions, and keyframes.

import { MapMarks } from "../map/marks.js";
import { el, svg } from "../ui/dom.js";

/** @typedef {import("../map/marks.js").Place} Place */
/** @typedef {{node: HTMLElement, place: Place}} Pin */

export class PathMarks extends MapMarks {
  /** @param {import("../map/frame.js").MapFrame} frame */
  constructor(frame) {
    super(frame);
    this.trail = svg("svg", { class: "trail" });
    this.element.prepend(this.trail);
    /** @type {{places: Place[], kind: string}[]} */
    this.paths = [];
    this.playingKinds = "";
    /** @type {Map<string, Pin>} */
    this.playing = new Map(); // by kind
    /** @type {Pin[]} */
    this.keyframes = [];
  }

  /**
   * Lines along places.
   * @param {{places: Place[], kind: string}[]} paths
   */
  setPaths(paths) {
    this.paths = paths;
    this.follow();
  }

  /**
   * Where each kind of path is at present.
   * @param {{kind: string, place: Place}[]} positions the first one is the map's own marker
   */
  setPlaying(positions) {
    const kinds = positions.map(({ kind }) => kind).join();
    if (kinds !== this.playingKinds) this.makePlaying(positions);
    this.playingKinds = kinds;
    positions.forEach(({ kind, place }) => {
      const pin = this.playing.get(kind);
      pin.place = place;
      if (this.frame.isSet) this.put(pin.node, place);
    });
  }

  /** @param {{kind: string, place: Place}[]} positions */
  makePlaying(positions) {
    for (const { node } of this.playing.values()) if (node !== this.marker) node.remove();
    this.marker.hidden = true;
    /**
     * @param {string} kind
     * @param {number} i
     */
    const node = (kind, i) =>
      i === 0 ? this.marker : this.element.appendChild(el("div", { class: "playing", "data-kind": kind }));
    this.playing = new Map(positions.map(({ kind, place }, i) => [kind, { node: node(kind, i), place }]));
    for (const [kind, pin] of this.playing) pin.node.dataset.kind = kind;
  }

  /**
   * Numbered pins for keyframes, in order.
   * @param {{place: Place, starred: boolean}[]} keyframes `starred` where a star marks the place: the pin lies beside it
   */
  setKeyframes(keyframes) {
    for (const { node } of this.keyframes) node.remove();
    /**
     * @param {boolean} starred
     * @param {number} i
     */
    const pin = (starred, i) => el("div", { class: "pin", "data-starred": starred }, `${i + 1}`);
    this.keyframes = keyframes.map(({ place, starred }, i) => ({ node: pin(starred, i), place }));
    this.stars.after(...this.keyframes.map(({ node }) => node)); // over stars, which would hide numbers; below markers
    this.follow();
  }

  /** Take all of it away, until there is more. */
  clear() {
    this.setPaths([]);
    this.setKeyframes([]);
    this.setPlaying([]);
  }

  follow() {
    super.follow();
    if (!this.frame.isSet) return;
    this.trail.replaceChildren(...this.paths.map((path) => this.line(path)));
    for (const { node, place } of [...this.playing.values(), ...this.keyframes]) this.put(node, place);
  }

  /**
   * A line with a margin in the ground's colour, so that it shows over points of any colour.
   * @param {{places: Place[], kind: string}} path
   */
  line({ places, kind }) {
    const pixels = places.map((place) => this.frame.toPixel(place));
    const line = svg("polyline", {
      points: pixels.map(({ x, y }) => `${x.toFixed(1)},${y.toFixed(1)}`).join(" "),
      "data-kind": kind,
    });
    const margin = /** @type {SVGPolylineElement} */ (line.cloneNode());
    margin.removeAttribute("data-kind");
    margin.classList.add("margin");
    return svg("g", {}, margin, line);
  }
}
