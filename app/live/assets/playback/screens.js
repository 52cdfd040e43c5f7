// The pictures of each kind of path side by side; each kind can be switched off.

import { el } from "../ui/dom.js";
import { drawingOn, paint, sizeCanvas } from "../ui/pixels.js";
import { KINDS } from "./path_kinds.js";

export class Screens {
  /** @param {(kinds: string[]) => void} onKinds called with the kinds that are to be shown */
  constructor(onKinds) {
    this.onKinds = onKinds;
    this.screens = new Map(KINDS.map((kind) => [kind.key, this.screen(kind)]));
    const figures = [...this.screens.values()].map(({ figure }) => figure);
    this.element = el("div", { class: "screens", role: "group", "aria-label": "Kinds of path" }, ...figures);
  }

  /** @param {{key: string, title: string, about: string}} kind */
  screen({ key, title, about }) {
    const box = el("input", { type: "checkbox", onchange: () => this.onKinds(this.checked()) });
    const swatch = el("i", { class: "swatch", "data-kind": key });
    const canvas = el("canvas", {
      "data-testid": `screen-${key}`,
      role: "img",
      "aria-label": `The picture at this position, ${title.toLowerCase()}`,
    });
    const problem = el("span", { class: "note", role: "status" });
    const caption = el("figcaption", {}, el("label", { title: about }, box, swatch, title));
    const figure = el("figure", { class: "screen", "data-kind": key }, caption, canvas, problem);
    return { box, canvas, problem, figure };
  }

  checked() {
    return KINDS.map(({ key }) => key).filter((key) => this.screens.get(key).box.checked);
  }

  /** @param {{shape: number[]}} model */
  setModel({ shape }) {
    for (const { canvas, problem } of this.screens.values()) {
      sizeCanvas(canvas, shape);
      drawingOn(canvas).clearRect(0, 0, canvas.width, canvas.height);
      problem.textContent = "";
    }
    this.shape = shape;
  }

  /** @param {string[]} kinds */
  setKinds(kinds) {
    for (const [key, { box, canvas, problem }] of this.screens) {
      box.checked = kinds.includes(key);
      box.disabled = box.checked && kinds.length === 1; // one kind is always shown
      canvas.hidden = problem.hidden = !box.checked;
    }
  }

  /**
   * @param {string} kind
   * @param {string} text
   */
  setProblem(kind, text) {
    this.screens.get(kind).problem.textContent = text;
  }

  /**
   * Paint a frame of each track whose picture has come.
   * @param {import("./paths.js").Track[]} tracks
   * @param {number} index
   */
  show(tracks, index) {
    for (const { kind, frames } of tracks) {
      if (frames[index]) paint(this.screens.get(kind).canvas, frames[index], this.shape);
    }
  }
}
