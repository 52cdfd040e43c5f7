// Filmstrips on the sliders' tracks: what each slider would do to the present code.

import { PATH } from "../engine/socket.js";
import { paint, sizeCanvas } from "../ui/pixels.js";
import { movedAlong } from "./sliders.js";

const FRAMES = 13; // on a track
const AT_ONCE = 65; // codes in one question: a large model decodes so many in a quarter of a second
const WAIT_MS = 120; // after the last change; while something moves, strips would only be in its way

export class Filmstrips {
  /** @param {import("./sliders.js").SliderPanel} panel */
  constructor(panel) {
    this.panel = panel;
    this.stale = new Set();
  }

  /** @param {import("../engine/socket.js").LiveSocket} socket of its own: strips must not make live pictures wait */
  use(socket, model, view) {
    this.socket = socket;
    this.model = model;
    this.view = view;
    this.shown = new WeakMap(); // row -> the code its strip was decoded for
    this.cell = document.createElement("canvas");
    sizeCanvas(this.cell, model.shape);
  }

  /** Refresh what can be seen, once nothing has changed for a moment. */
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
    this.socket.ask("strips", PATH, this.view, codes.flat(), ({ frames }) => {
      some.forEach(({ row }, i) => {
        this.paintStrip(row, frames.slice(i * FRAMES, (i + 1) * FRAMES));
        this.shown.set(row, key);
      });
      if (this.z.join() === key) this.next();
    });
  }

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

  paintStrip(row, frames) {
    const [, height, width] = this.model.shape;
    // No larger than it is shown: the browser would shrink it anew each time that the slider beside it moves.
    const shown = Math.ceil((row.strip.clientWidth * devicePixelRatio) / FRAMES) || width;
    const across = Math.min(width, shown);
    const down = Math.round((height * across) / width);
    sizeCanvas(row.strip, [0, down, across * FRAMES]);
    const context = row.strip.getContext("2d");
    frames.forEach((pixels, i) => {
      paint(this.cell, pixels, this.model.shape);
      context.drawImage(this.cell, i * across, 0, across, down);
    });
  }
}
