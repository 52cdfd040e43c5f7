// A latent map with what an animation needs: lines of several kinds, their playing positions, and keyframes.

import { el } from "./dom.js";
import { LatentMap } from "./map.js";

const SVG = "http://www.w3.org/2000/svg";

/** @typedef {{x: number, y: number}} Place */
export class PathMap extends LatentMap {
  constructor(root, plotlyVersion, hooks) {
    super(root, plotlyVersion, hooks);
    this.playing = new Map(); // kind -> {node, place}
    this.keyframes = []; // {node, place}
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
      if (this.range) this.put(pin.node, place);
    });
  }

  makePlaying(positions) {
    for (const { node } of this.playing.values()) if (node !== this.marker) node.remove();
    this.marker.hidden = true;
    const node = (kind, i) => (i === 0 ? this.marker : this.overlay.appendChild(el("div", { class: "playing", "data-kind": kind })));
    this.playing = new Map(positions.map(({ kind, place }, i) => [kind, { node: node(kind, i), place }]));
    for (const [kind, pin] of this.playing) pin.node.dataset.kind = kind;
  }

  /** Numbered pins for keyframes, in order. */
  setKeyframes(places) {
    for (const { node } of this.keyframes) node.remove();
    this.keyframes = places.map((place, i) => ({ node: el("div", { class: "pin" }, `${i + 1}`), place }));
    this.overlay.prepend(...this.keyframes.map(({ node }) => node)); // below stars and markers
    this.overlay.prepend(this.trail);
    this.replace();
  }

  replace() {
    super.replace();
    if (!this.range) return;
    for (const { node, place } of [...this.playing.values(), ...this.keyframes]) this.put(node, place);
  }

  /** A line with a margin in the ground's colour, so that it shows over points of any colour. */
  line(path) {
    const line = super.line(path);
    const margin = line.cloneNode();
    margin.removeAttribute("data-kind");
    margin.classList.add("margin");
    const both = document.createElementNS(SVG, "g");
    both.append(margin, line);
    return both;
  }
}
