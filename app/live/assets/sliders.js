// One slider for each dimension, most important first. The code itself is kept by the owner: a range input rounds.

import { el } from "./dom.js";
import { dimensionTitle } from "./names.js";

const STEP = 0.01; // of a drag
const KEY_STEP = 0.1; // of an arrow key; a tenth of it with shift
const INACTIVE = 0.01; // nats; Burda et al. 2016 call a unit active above a variance of 0.01, which costs about this

export class SliderPanel {
  /**
   * @param {{onMove: (dimension: number, value: number) => void, onSettle: (byKey: boolean) => void}} hooks
   */
  constructor(hooks) {
    this.hooks = hooks;
    this.rows = new Map(); // dimension -> {input, output, low, high}
    this.element = el("div", { class: "sliders" });
  }

  /** @param {{sliders: {dimension: number, name: string, importance: number, low: number, high: number}[]}} model */
  build({ sliders, variational }) {
    this.rows.clear();
    const unit = variational ? "nats" : "variance";
    const most = Math.max(...sliders.map((slider) => slider.importance), 1e-9);
    const head = el("p", { class: "sliders-head" }, "Latent dimensions", el("span", {}, variational ? "KL, nats" : "variance"));
    const isQuiet = ({ importance }) => variational && importance < INACTIVE;
    const named = sliders.some((slider) => slider.name);
    const rowsOf = (some) => some.map((slider) => this.row(slider, { most, unit, named, quiet: isQuiet(slider) }));
    const quiet = sliders.filter(isQuiet);
    const active = sliders.filter((slider) => !isQuiet(slider));
    this.element.dataset.named = named;
    this.element.replaceChildren(head, ...rowsOf(active), ...(quiet.length ? [fold(rowsOf(quiet), !active.length)] : []));
  }

  row(slider, { most, unit, named, quiet }) {
    const { dimension, name, importance, low, high } = slider;
    const title = dimensionTitle(slider);
    const input = el("input", { type: "range", min: low, max: high, step: STEP, "aria-label": title });
    const output = el("output", {});
    const bar = el("i", { style: `width: ${(100 * importance) / most}%` });
    const amount = el("span", { class: "amount", title: `${importance.toFixed(3)} ${unit}` }, importance.toFixed(2), bar);
    const label = el("span", { class: "name", title: quiet ? "Inactive: it changes next to nothing" : title }, `${dimension + 1}`);
    if (named) label.textContent = `z${dimension + 1}${name && ` · ${name}`}`;
    input.addEventListener("input", () => this.moved(dimension, Number(input.value)));
    input.addEventListener("change", () => this.hooks.onSettle(false));
    input.addEventListener("keydown", (event) => this.keyed(event, dimension));
    this.rows.set(dimension, { input, output, low, high });
    return el("div", { class: "row", "data-quiet": quiet }, label, input, output, amount);
  }

  moved(dimension, value) {
    this.show(dimension, value);
    this.hooks.onMove(dimension, value);
  }

  keyed(event, dimension) {
    const direction = { ArrowRight: 1, ArrowUp: 1, ArrowLeft: -1, ArrowDown: -1 }[event.key];
    if (!direction || event.altKey || event.ctrlKey || event.metaKey) return;
    event.preventDefault();
    const { input } = this.rows.get(dimension);
    const value = Number(input.value) + direction * KEY_STEP * (event.shiftKey ? 0.1 : 1);
    input.value = Math.min(Number(input.max), Math.max(Number(input.min), value));
    this.moved(dimension, Number(input.value));
    this.hooks.onSettle(true);
  }

  /** Show a whole code; a slider that is too short for its value grows while it has it. */
  set(z) {
    for (const [dimension, { input, low, high }] of this.rows) {
      const value = z[dimension];
      input.min = value < low ? Math.floor(value) : low;
      input.max = value > high ? Math.ceil(value) : high;
      input.value = value;
      this.show(dimension, value);
    }
  }

  show(dimension, value) {
    const { input, output } = this.rows.get(dimension);
    const share = (100 * (value - input.min)) / (input.max - input.min);
    input.style.setProperty("--filled", `${share}%`);
    output.textContent = value.toFixed(2).replace("-", "\u2212");
  }
}

/** Inactive dimensions out of the way; open when there is nothing else. */
function fold(rows, open) {
  const count = rows.length === 1 ? "1 inactive dimension" : `${rows.length} inactive dimensions`;
  const summary = el("summary", { title: "Each carries less than 0.01 nats and changes nothing" }, count);
  return el("details", { class: "folded", open }, summary, ...rows);
}
