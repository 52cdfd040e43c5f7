// What lies between four corners: a grid of pictures from the first four keyframes, as one picture.

import { ANYWHERE, PATH } from "../engine/source.js";
import { floatsOf } from "../ui/base64.js";
import { el } from "../ui/dom.js";
import { labelled, select, whole, wholeField } from "../ui/fields.js";
import { drawingOn, paint, savePNG } from "../ui/pixels.js";
import { sentence } from "../ui/text.js";

const CORNERS = 4;
/** @type {import("../ui/fields.js").Option[]} */
const PATHS = [
  ["linear", "Linear"],
  ["spherical", "Spherical"],
];
const SAVED_SIDE = 2048; // pixels of a saved picture's longer side, about
const ASKED_MS = 150; // after the last change

/** @typedef {import("../engine/payloads.js").GridSettings} GridSettings */

export class GridPanel {
  key = "grid";
  title = "Grid";

  /** @param {import("./interpolate.js").Interpolate} interpolate */
  constructor(interpolate) {
    this.interpolate = interpolate;
    /** @type {string | null} */
    this.wanted = null; // what is asked for, as JSON
    /** @type {string | null} */
    this.made = null; // what is shown
    this.rows = this.number("Grid rows", (rows) => ({ rows }));
    this.columns = this.number("Grid columns", (columns) => ({ columns }));
    this.path = select("Grid path", PATHS, {
      onchange: () => this.wish({ spherical: this.path.value === "spherical" }),
    });
    this.canvas = el("canvas", { "data-testid": "grid", role: "img", "aria-label": "Grid", hidden: true });
    this.saver = el("button", { class: "action small", disabled: true, onclick: () => this.save() }, "Save PNG");
    this.note = el("p", { class: "note", role: "status" });
    const order = el(
      "p",
      { class: "note" },
      "Corners: keyframe 1 top left, 2 top right, 3 bottom left, 4 bottom right.",
    );
    const head = el(
      "div",
      { class: "panel-head" },
      labelled("Rows", this.rows),
      labelled("Columns", this.columns),
      this.path,
      this.saver,
    );
    this.element = el("div", { class: "grid-panel" }, head, order, this.note, this.canvas);
    interpolate.store.on(["grid", "keyframes"], (state) => this.changed(state));
  }

  /**
   * @param {string} label
   * @param {(side: number) => Partial<GridSettings>} change
   */
  number(label, change) {
    const [min, max] = this.interpolate.limits.gridSide;
    const node = wholeField(label, { min, max, onchange: () => this.wish(change(whole(node, min))) });
    return node;
  }

  /** @param {Partial<GridSettings>} change */
  wish(change) {
    const { store } = this.interpolate;
    store.set({ grid: { ...store.state.grid, ...change } });
  }

  /** @param {import("./interpolate.js").State} state */
  changed({ grid }) {
    this.rows.value = String(grid.rows);
    this.columns.value = String(grid.columns);
    this.path.value = grid.spherical ? "spherical" : "linear";
    this.shown();
  }

  /** Make the grid, where it can be seen. */
  shown() {
    clearTimeout(this.soon);
    if (this.interpolate.store.state.tab === "grid") this.soon = setTimeout(() => this.fetch(), ASKED_MS);
  }

  async fetch() {
    const { queries, store } = this.interpolate;
    const corners = this.interpolate.codes().slice(0, CORNERS);
    if (corners.length < CORNERS) return this.lack(CORNERS - corners.length);
    const body = { corners, ...store.state.grid };
    const key = JSON.stringify(body);
    if (key === this.made) return;
    this.made = null; // until all of it is there
    this.wanted = key;
    try {
      const { codes } = await queries.ask("grid", body);
      if (this.wanted === key) this.decode(floatsOf(codes), body, key);
    } catch (error) {
      this.note.textContent = sentence(error.message);
    }
  }

  /** @param {number} count keyframes that are missing */
  lack(count) {
    this.wanted = this.made = null;
    this.canvas.hidden = true;
    this.saver.disabled = true;
    this.note.textContent = `Add ${count} more keyframe${count > 1 ? "s" : ""}.`;
  }

  /**
   * @param {Float32Array} codes
   * @param {GridSettings} settings
   * @param {string} key
   */
  decode(codes, { rows, columns }, key) {
    const { latentDim, shape } = this.interpolate.data.model;
    const [, height, width] = shape;
    Object.assign(this.canvas, { width: columns * width, height: rows * height });
    this.canvas.setAttribute(
      "aria-label",
      `Grid of ${rows} rows and ${columns} columns between the first four keyframes`,
    );
    this.canvas.style.setProperty("--aspect", String((columns * width) / (rows * height)));
    this.canvas.hidden = false;
    this.saver.disabled = true;
    const tile = el("canvas", { width, height });
    const context = drawingOn(this.canvas);
    const most = this.interpolate.limits.pathCodes;
    /** @param {number} start */
    const ask = (start) => {
      const batch = codes.subarray(start * latentDim, (start + most) * latentDim);
      this.interpolate.bulk.ask("grid", PATH, ANYWHERE, batch, ({ frames }) => {
        if (this.wanted !== key) return;
        frames.forEach((frame, i) => {
          paint(tile, frame, shape);
          const place = start + i;
          context.drawImage(tile, (place % columns) * width, Math.floor(place / columns) * height);
        });
        if (start + frames.length < rows * columns) ask(start + frames.length);
        else this.ready(key);
      });
    };
    this.note.textContent = "";
    ask(0);
  }

  /** @param {string} key */
  ready(key) {
    this.made = key;
    this.saver.disabled = false;
  }

  save() {
    const { width, height } = this.canvas;
    const scale = Math.max(1, Math.floor(SAVED_SIDE / Math.max(width, height)));
    savePNG(this.canvas, `${this.interpolate.data.model.name}-grid.png`, scale);
  }

  /** Another model: nothing of the one before is of use. */
  setModel() {
    this.wanted = this.made = null;
    this.canvas.hidden = true;
  }
}
