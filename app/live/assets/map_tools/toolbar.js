// Which map is shown and what colours it.

import { el } from "../ui/dom.js";
import { select } from "../ui/fields.js";
import { dimensionTitle } from "../ui/text.js";

/**
 * @typedef {import("../engine/payloads.js").Model} Model
 * @typedef {import("../engine/payloads.js").View} View
 * @typedef {import("../ui/fields.js").Option} Option
 */

/** @type {Record<string, string>} */
const NAMES = { umap: "UMAP", pca: "PCA", axes: "Two dimensions" };
/**
 * Values other than dimensions by which points are coloured and chosen.
 * @type {[string, string][]}
 */
export const NAMED_VALUES = [
  ["kl", "KL"],
  ["reconstruction", "Reconstruction error"],
  ["norm", "Norm of the code"],
  ["density", "Log-density"],
  ["distance", "Distance to neighbours"],
];
/** @type {Record<string, string[]>} */
const READING = {
  umap: [
    "UMAP keeps who is near whom: pictures that lie together have codes that lie together.",
    "It does not keep distances: how far apart two islands lie, how large or how dense they are, says little.",
    "A code is placed at the median of its neighbours' places: where the neighbours change, a straight path in the latent space jumps or bends here, and training images zoomed in on stand in rows.",
    "A place between points is decoded from a blend of the codes of the nearest points; far from all points the picture says little.",
  ],
  pca: [
    "The two directions along which the codes vary most; distances on the map are true distances along them.",
    "Everything else is flattened: codes far apart may lie on the same place.",
    "A place is decoded from the code in this plane.",
  ],
  axes: [
    "Two dimensions of the code as they are: places are exact, and a click changes these two alone.",
    "Codes that differ in other dimensions may lie on the same place.",
  ],
};
const SEEN_TITLE =
  "The set has few held-out pictures: pictures that the model was trained on fill up the map, as hollow points";

export class Toolbar {
  /**
   * @param {(view: View) => void} onChange
   * @param {{onDensity?: (shown: boolean) => void, extras?: HTMLElement[]}} more what a map can show beside its points:
   *   contours, and whatever has an element of its own
   */
  constructor(onChange, { onDensity, extras = [] } = {}) {
    this.onChange = onChange;
    this.extras = extras;
    this.density = el("input", { type: "checkbox" });
    this.density.addEventListener("change", () => onDensity(this.density.checked));
    const title = "Lines within which a quarter, half, three quarters and nine tenths of the points lie";
    this.densityLabel = el("label", { title, hidden: !onDensity }, this.density, el("span", {}, "Density"));
    this.element = el("div", { class: "toolbar" });
  }

  /** @param {Model} model */
  build({ projections, latentDim, sliders, variational, labelTitle, seenInTraining }) {
    const inOrder = sliders.toSorted((a, b) => a.dimension - b.dimension);
    this.sliders = inOrder;
    /** @type {Option[]} */
    const dimensions = inOrder.map((slider) => [slider.dimension, dimensionTitle(slider)]);
    const plane = latentDim === 2;
    /** @type {Option[]} */
    const named = projections.map((key) => [key, plane && key === "axes" ? "Latent plane" : NAMES[key]]);
    this.projection = this.select("Map", named);
    this.x = this.select("Horizontal", dimensions);
    this.y = this.select("Vertical", dimensions);
    this.colour = this.select("Colour", [
      ["label", labelTitle],
      ...NAMED_VALUES.filter(([key]) => key !== "kl" || variational),
      ...dimensions,
    ]);
    this.axes = el("span", { class: "axes" }, this.x.label, this.y.label);
    this.hasChoice = !plane;
    const seen = el(
      "span",
      { class: "note", title: SEEN_TITLE, hidden: !seenInTraining },
      `○ ${seenInTraining} seen in training`,
    );
    this.reading = el("ul", {});
    const reading = el("details", { class: "reading" }, el("summary", {}, "How to read this map"), this.reading);
    const shown = [this.projection.label, this.axes, this.colour.label, this.densityLabel, ...this.extras];
    this.element.replaceChildren(...shown, seen, reading);
  }

  /**
   * Names that the person gave dimensions, wherever dimensions can be chosen.
   * @param {Record<string, string>} names by number
   */
  setNames(names) {
    for (const { input } of [this.x, this.y, this.colour]) {
      for (const slider of this.sliders) {
        const option = Array.from(input.options).find(({ value }) => value === String(slider.dimension));
        option.textContent = dimensionTitle({ ...slider, name: names[slider.dimension] ?? slider.name });
      }
    }
  }

  /**
   * @param {string} name
   * @param {Option[]} options
   */
  select(name, options) {
    const input = select(name, options, { onchange: () => this.changed() });
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

  /** @param {View} view */
  set({ projection, x, y, colour }) {
    this.projection.input.value = projection;
    this.x.input.value = String(x);
    this.y.input.value = String(y);
    this.colour.input.value = colour;
    this.reading.replaceChildren(...READING[projection].map((line) => el("li", {}, line)));
    this.axes.hidden = projection !== "axes" || !this.hasChoice;
  }
}
