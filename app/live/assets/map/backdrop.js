// Very many points under a map's own ones: drawn once, and moved with the map until it rests.
//
// Plotly draws all of its points anew for each frame of a pan, which 70,000 of them are too many for where the processor
// does it. What is moved here is a finished picture; it is drawn anew when the map has come to rest.

import { el } from "../ui/dom.js";

const REST_MS = 120;
const SIZE = 2.5; // pixels; the map's own points, which can be selected, stand out
const OPACITY = 0.35;
const BEYOND = 0.25; // of the plot's area, drawn beside it on every side for a pan to bring in

/**
 * @typedef {{x: Float32Array, y: Float32Array, indices: Int32Array, colour: string, legendgroup?: string}} BackdropLayer
 *   points of one colour, `indices` as of a Layer (plotly.js); of a class, which the legend may hide, with its group
 */
export class Backdrop {
  /** @param {import("./frame.js").MapFrame} frame */
  constructor(frame) {
    this.frame = frame;
    this.canvas = el("canvas", { "data-testid": "backdrop" });
    this.element = el("div", { class: "backdrop", hidden: true, "aria-hidden": "true" }, this.canvas);
    this.layers = [];
  }

  /** @param {BackdropLayer[]} layers those that the legend does not hide */
  show(layers) {
    this.layers = layers;
    this.element.hidden = !layers.length;
    this.canvas.dataset.points = String(layers.reduce((sum, { x }) => sum + x.length, 0));
    this.draw();
  }

  draw() {
    clearTimeout(this.soon);
    if (!this.layers.length || !this.frame.isSet) return;
    const { left, top, width, height } = this.frame.area();
    Object.assign(this.element.style, {
      left: `${left}px`,
      top: `${top}px`,
      width: `${width}px`,
      height: `${height}px`,
    });
    this.drawn = this.reach(width, height);
    const { width: across, height: up } = this.drawn;
    const ratio = devicePixelRatio;
    Object.assign(this.canvas, { width: across * ratio, height: up * ratio });
    Object.assign(this.canvas.style, { width: `${across}px`, height: `${up}px` });
    const context = this.canvas.getContext("2d");
    context.scale(ratio, ratio);
    context.globalAlpha = OPACITY;
    for (const layer of this.layers) this.drawLayer(context, layer);
    this.put();
  }

  /** The part of the map that is drawn: its upper left corner, units a pixel, and its size in pixels. */
  reach(width, height) {
    const { unit, x, y } = this.frame;
    const [beside, above] = [Math.round(BEYOND * width), Math.round(BEYOND * height)];
    return {
      x: x[0] - beside * unit,
      y: y[1] + above * unit,
      unit,
      width: width + 2 * beside,
      height: height + 2 * above,
    };
  }

  drawLayer(context, { x, y, colour }) {
    const { x: x0, y: y0, unit } = this.drawn;
    context.fillStyle = colour;
    for (let i = 0; i < x.length; i++)
      context.fillRect((x[i] - x0) / unit - SIZE / 2, (y0 - y[i]) / unit - SIZE / 2, SIZE, SIZE);
  }

  /** Follow the map: the picture at once, its points when the map rests. */
  follow() {
    if (!this.layers.length || !this.drawn || this.where === this.key()) return;
    this.put();
    clearTimeout(this.soon);
    this.soon = setTimeout(() => this.draw(), REST_MS);
  }

  key() {
    return [this.frame.unit, this.frame.x[0], this.frame.y[1]].join();
  }

  put() {
    this.where = this.key();
    const { unit, x, y } = this.frame;
    const scale = this.drawn.unit / unit;
    const [across, down] = [(this.drawn.x - x[0]) / unit, (y[1] - this.drawn.y) / unit];
    this.canvas.style.transform = `translate(${across}px, ${down}px) scale(${scale})`;
  }
}
