// Which map is shown and what colours it.

import { el } from "./dom.js";
import { dimensionTitle } from "./names.js";

const NAMES = { umap: "UMAP", pca: "PCA", axes: "Two dimensions" };
const SEEN_TITLE = "The set has few held-out pictures: pictures that the model was trained on fill up the map, as hollow points";

export class Toolbar {
  /** @param {(view: {projection: string, x: number, y: number, colour: string}) => void} onChange */
  constructor(onChange) {
    this.onChange = onChange;
    this.element = el("div", { class: "toolbar" });
  }

  build({ projections, latentDim, sliders, labelTitle, seenInTraining }) {
    const inOrder = sliders.toSorted((a, b) => a.dimension - b.dimension);
    const dimensions = inOrder.map((slider) => [slider.dimension, dimensionTitle(slider)]);
    const plane = latentDim === 2;
    const named = projections.map((key) => [key, plane && key === "axes" ? "Latent plane" : NAMES[key]]);
    this.projection = this.select("Map", named);
    this.x = this.select("Horizontal", dimensions);
    this.y = this.select("Vertical", dimensions);
    this.colour = this.select("Colour", [["label", labelTitle], ...dimensions]);
    this.axes = el("span", { class: "axes" }, this.x.label, this.y.label);
    this.hasChoice = !plane;
    const seen = el("span", { class: "note", title: SEEN_TITLE, hidden: !seenInTraining }, `○ ${seenInTraining} seen in training`);
    this.element.replaceChildren(this.projection.label, this.axes, this.colour.label, seen);
  }

  select(name, options) {
    const input = el("select", { "aria-label": name, onchange: () => this.changed() });
    input.append(...options.map(([value, text]) => el("option", { value }, text)));
    return { input, label: el("label", {}, el("span", {}, name), input) };
  }

  changed() {
    const view = {
      projection: this.projection.input.value,
      x: Number(this.x.input.value),
      y: Number(this.y.input.value),
      colour: this.colour.input.value,
    };
    this.set(view);
    this.onChange(view);
  }

  set({ projection, x, y, colour }) {
    this.projection.input.value = projection;
    this.x.input.value = x;
    this.y.input.value = y;
    this.colour.input.value = colour;
    this.axes.hidden = projection !== "axes" || !this.hasChoice;
  }
}
