// One slider for each dimension, most important first. The code itself is kept by the owner: a range input rounds.

import { el } from "./dom.js";

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

  /** @param {{sliders: {dimension: number, importance: number, low: number, high: number}[]}} model */
  build({ sliders, variational }) {
    this.rows.clear();
    const unit = variational ? "nats" : "variance";
    const most = Math.max(...sliders.map((slider) => slider.importance), 1e-9);
    const head = el("p", { class: "sliders-head" }, "Latent dimensions", el("span", {}, variational ? "KL, nats" : "variance"));
    this.element.replaceChildren(head, ...sliders.map((slider) => this.row(slider, most, unit, variational)));
  }

  row({ dimension, importance, low, high }, most, unit, variational) {
    const name = `Dimension ${dimension + 1}`;
    const input = el("input", { type: "range", min: low, max: high, step: STEP, "aria-label": name });
    const output = el("output", {});
    const bar = el("i", { style: `width: ${(100 * importance) / most}%` });
    const amount = el("span", { class: "amount", title: `${importance.toFixed(3)} ${unit}` }, importance.toFixed(2), bar);
    const quiet = variational && importance < INACTIVE;
    const label = el("span", { class: "name", title: quiet ? "Inactive: it changes nothing" : null }, `${dimension + 1}`);
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
