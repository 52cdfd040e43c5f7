// One slider: lock, name, track with filmstrip and data quantiles, value, and what the dimension carries.

import { el } from "../ui/dom.js";
import { fixed, parsed } from "../ui/text.js";

const STEP = 0.01; // of a drag
const KEY_STEP = 0.1; // of an arrow key; a tenth of it with shift
const LARGEST = 100; // that can be typed, or ten times the track: farther away there is nothing to see
/** @type {Record<string, number>} */
const ARROWS = { ArrowRight: 1, ArrowUp: 1, ArrowLeft: -1, ArrowDown: -1 };

/**
 * @typedef {object} SliderInfo
 * @property {string} title for screen readers and hints
 * @property {string} name that is shown
 * @property {number} low of the track
 * @property {number} high of the track
 * @property {number[] | null} quantiles of the data: 5%, 25%, 50%, 75%, 95%
 * @property {string} amount what the dimension carries, as text
 * @property {number | null} share of the largest amount, in [0, 1], or null for no bar
 * @property {string} hint about the amount
 * @property {boolean} quiet inactive
 * @property {boolean} canLock
 */

/**
 * @typedef {object} RowHooks
 * @property {(value: number) => void} onMove
 * @property {(byKey: boolean) => void} onSettle
 * @property {(text: string) => void} onProblem
 * @property {(name: string) => void} [onName]
 * @property {(locked: boolean) => void} [onLock]
 * @property {() => void} [onRemove]
 * @property {number} [nameLength] characters that a name may have
 */

export class SliderRow {
  /**
   * @param {SliderInfo} info
   * @param {RowHooks} hooks
   */
  constructor(info, hooks) {
    this.info = info;
    this.hooks = hooks;
    this.value = NaN; // nothing is shown yet
    this.input = el("input", { type: "range", min: info.low, max: info.high, step: STEP, "aria-label": info.title });
    this.number = el("input", {
      class: "number",
      type: "text",
      inputmode: "decimal",
      "aria-label": `Value of ${info.title}`,
    });
    this.strip = el("canvas", { class: "track-strip", "aria-hidden": true });
    this.element = el(
      "div",
      { class: "row", "data-quiet": info.quiet },
      this.lockButton(),
      this.nameField(),
      this.track(),
      this.number,
      this.amount(),
    );
    this.listen();
  }

  listen() {
    this.input.addEventListener("input", () => this.moved(Number(this.input.value)));
    this.input.addEventListener("change", () => this.released());
    this.input.addEventListener("keydown", (event) => this.keyed(event));
    this.input.addEventListener("dblclick", () => this.jump(0));
    this.number.addEventListener("change", () => this.typed());
    this.number.addEventListener("focus", () => this.number.select());
  }

  lockButton() {
    const { canLock, title } = this.info;
    if (!canLock) return this.removeButton(title);
    const label = `Lock ${title}`;
    this.lock = el("button", {
      class: "lock",
      "aria-label": label,
      "aria-pressed": false,
      title: "Keep this value when codes are drawn or loaded",
    });
    this.lock.addEventListener("click", () => this.hooks.onLock(this.lock.getAttribute("aria-pressed") !== "true"));
    return this.lock;
  }

  /** @param {string} title */
  removeButton(title) {
    if (!this.hooks.onRemove) return el("span", {});
    const label = `Remove ${title}`;
    return el(
      "button",
      { class: "lock away", title: label, "aria-label": label, onclick: () => this.hooks.onRemove() },
      "×",
    );
  }

  nameField() {
    const { name, title, quiet } = this.info;
    const hint = quiet ? "Inactive: it changes next to nothing" : title;
    if (!this.hooks.onName) return el("span", { class: "name", title: hint }, name);
    this.name = el("input", {
      class: "name",
      type: "text",
      maxlength: this.hooks.nameLength,
      value: name,
      title: `${hint}. Type a name of your own.`,
      "aria-label": `Name of ${title}`,
    });
    this.name.addEventListener("change", () => this.hooks.onName(this.name.value));
    this.name.addEventListener("keydown", (event) => event.key === "Enter" && this.name.blur());
    return this.name;
  }

  track() {
    this.band = el("div", { class: "quantiles", "aria-hidden": true });
    if (this.info.quantiles) this.band.title = "Of the data: 90%, half, and the median";
    this.drawBand();
    return el("div", { class: "track" }, this.strip, this.band, this.input);
  }

  /** Where the data lie, on the track as it is now. */
  drawBand() {
    if (!this.info.quantiles) return;
    const { low, high } = this.span;
    /** @param {number} value */
    const at = (value) => `${(100 * (value - low)) / (high - low)}%`;
    const [far, near, middle, nearTop, farTop] = this.info.quantiles;
    /**
     * @param {string} kind
     * @param {number} from
     * @param {number} to
     */
    const stretch = (kind, from, to) =>
      el("i", { class: kind, style: `left: ${at(from)}; right: calc(100% - ${at(to)})` });
    const median = el("i", { class: "median", style: `left: ${at(middle)}` });
    this.band.replaceChildren(stretch("most", far, farTop), stretch("half", near, nearTop), median);
  }

  /** The ends of the track, which is longer than the data's while the value lies outside. */
  get span() {
    return { low: Number(this.input.min), high: Number(this.input.max) };
  }

  amount() {
    const { amount, share, hint } = this.info;
    const bar = share === null ? "" : el("i", { style: `width: ${100 * share}%` });
    return el("span", { class: "amount", title: hint }, amount, bar);
  }

  /** @param {number} value */
  moved(value) {
    this.show(value);
    this.hooks.onMove(value);
  }

  /** A track that had grown is as long again as its value needs. */
  released() {
    this.stretchTo(this.value);
    this.hooks.onSettle(false);
  }

  /**
   * Set the value at once, as one settled change.
   * @param {number} value
   */
  jump(value) {
    this.stretchTo(value); // whatever is shown: it may be what was typed just now
    this.hooks.onMove(value);
    this.hooks.onSettle(false);
  }

  typed() {
    const { title, low, high } = this.info;
    const value = parsed(this.number.value);
    const largest = Math.max(LARGEST, Math.ceil(10 * Math.max(Math.abs(low), Math.abs(high))));
    if (Math.abs(value) <= largest) return this.jump(value);
    this.show(this.value);
    this.hooks.onProblem(`${title} takes a number from \u2212${largest} to ${largest}.`);
  }

  /** @param {KeyboardEvent} event */
  keyed(event) {
    const direction = ARROWS[event.key];
    if (!direction || event.altKey || event.ctrlKey || event.metaKey) return;
    event.preventDefault();
    const value = Number(this.input.value) + direction * KEY_STEP * (event.shiftKey ? 0.1 : 1);
    this.input.value = String(Math.min(Number(this.input.max), Math.max(Number(this.input.min), value)));
    this.moved(Number(this.input.value));
    this.hooks.onSettle(true);
  }

  /**
   * Show a value, unless it is shown already.
   * @param {number} value
   * @returns {boolean} whether that changed anything
   */
  set(value) {
    if (written(value) === written(this.value)) return false;
    this.stretchTo(value);
    return true;
  }

  /**
   * Show a value; a track that is too short for it grows while it has it.
   * @param {number} value
   */
  stretchTo(value) {
    const { low, high } = this.info;
    const before = this.span;
    this.input.min = String(value < low ? Math.floor(value) : low);
    this.input.max = String(value > high ? Math.ceil(value) : high);
    if (this.span.low !== before.low || this.span.high !== before.high) this.drawBand();
    this.input.value = String(value);
    this.show(value);
  }

  /** @param {number} value */
  show(value) {
    this.value = value;
    const low = Number(this.input.min);
    const share = (100 * (value - low)) / (Number(this.input.max) - low);
    this.input.style.setProperty("--filled", `${share}%`);
    this.number.value = written(value);
  }

  /** @param {string} name */
  setName(name) {
    if (!this.name) return;
    if (this.name.value !== name) this.name.value = name;
    const hint = this.info.quiet ? "Inactive: it changes next to nothing" : this.info.title;
    this.name.title = `${name === this.info.name ? "" : `${name}. `}${hint}. Type a name of your own.`;
  }

  /** @param {boolean} locked */
  setLocked(locked) {
    this.lock?.setAttribute("aria-pressed", String(locked));
    this.element.dataset.locked = String(locked);
  }

  /** @param {string} text in small letters */
  matches(text) {
    const shown = this.name?.value ?? this.info.name;
    return `${this.info.title} ${shown}`.toLowerCase().includes(text);
  }
}

/** @param {number} value */
function written(value) {
  return fixed(value, 2);
}
