// Filmstrips on the sliders' tracks: what each slider would do to the present code.

import { movedAlong } from "../engine/code_arithmetic.js";
import { ANYWHERE, PATH } from "../engine/source.js";
import { drawingOn, paint, sizeCanvas } from "../ui/pixels.js";

const FRAMES = 13; // on a track
const AT_ONCE = 65; // codes in one question: a large model decodes so many in a quarter of a second
const WAIT_MS = 120; // after the last change; while something moves, strips would only be in its way

/**
 * @typedef {import("../engine/payloads.js").Model} Model
 * @typedef {import("../engine/source.js").Live} Live
 * @typedef {import("./sliders.js").Placed} Placed
 * @typedef {import("./slider_row.js").SliderRow} SliderRow
 */

export class Filmstrips {
  /** @param {import("./sliders.js").SliderPanel} panel */
  constructor(panel) {
    this.panel = panel;
    this.stale = new Set();
  }

  /**
   * @param {Live} live of its own: strips must not make live pictures wait
   * @param {Model} model
   */
  use(live, model) {
    this.live = live;
    this.model = model;
    /** @type {WeakMap<SliderRow, string>} */
    this.shown = new WeakMap(); // the code that a row's strip was decoded for
    this.cell = document.createElement("canvas");
    sizeCanvas(this.cell, model.shape);
  }

  /**
   * Refresh what can be seen, once nothing has changed for a moment.
   * @param {Float32Array} z
   */
  refresh(z) {
    this.z = Float32Array.from(z);
    clearTimeout(this.soon);
    this.soon = setTimeout(() => this.next(), WAIT_MS);
  }

  next() {
    const key = this.z.join();
    const due = this.panel.visible().filter(({ row }) => this.shown.get(row) !== key);
    const some = due.slice(0, Math.floor(AT_ONCE / FRAMES));
    if (!some.length) return;
    const codes = some.flatMap((each) => this.codesOf(each));
    this.live.ask("strips", PATH, ANYWHERE, codes.flat(), ({ frames }) => {
      some.forEach(({ row }, i) => {
        this.paintStrip(row, frames.slice(i * FRAMES, (i + 1) * FRAMES));
        this.shown.set(row, key);
      });
      if (this.z.join() === key) this.next();
    });
  }

  /**
   * @param {Placed} placed
   * @returns {number[][]}
   */
  codesOf({ row, dimension, vector }) {
    const { low, high } = row.span;
    return Array.from({ length: FRAMES }, (_, i) => {
      const value = low + ((i + 0.5) / FRAMES) * (high - low);
      if (vector) return Array.from(movedAlong(this.z, vector, value, this.panel.locked));
      const code = Array.from(this.z);
      code[dimension] = value;
      return code;
    });
  }

  /**
   * @param {SliderRow} row
   * @param {Uint8Array[]} frames
   */
  paintStrip(row, frames) {
    const [, height, width] = this.model.shape;
    // No larger than it is shown: the browser would shrink it anew each time that the slider beside it moves.
    const shown = Math.ceil((row.strip.clientWidth * devicePixelRatio) / FRAMES) || width;
    const across = Math.min(width, shown);
    const down = Math.round((height * across) / width);
    sizeCanvas(row.strip, [0, down, across * FRAMES]);
    const context = drawingOn(row.strip);
    frames.forEach((pixels, i) => {
      paint(this.cell, pixels, this.model.shape);
      context.drawImage(this.cell, i * across, 0, across, down);
    });
  }
}
