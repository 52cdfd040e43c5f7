// A slider for each dimension, the strongest first, and for each direction. The code itself is kept by the owner: a
// range input rounds. With many dimensions they come in folded groups, under a search and the principal components.

import { along } from "../engine/code_arithmetic.js";
import { el } from "../ui/dom.js";
import { dimensionTitle } from "../ui/text.js";
import { SliderRow } from "./slider_row.js";

const INACTIVE = 0.01; // nats; above a variance of 0.01 Burda et al. 2016 call a unit active, which costs half of this
const MANY = 32; // dimensions from which on they are folded into groups
const GROUP = 16; // dimensions in a group
const FILTER_FROM = 12; // dimensions from which on a search is worth its room
const ROWS_AT_ONCE = 2; // that follow a drag of another with each of its moves

/**
 * @typedef {import("../engine/payloads.js").Direction} Direction
 * @typedef {import("../engine/payloads.js").Model} Model
 * @typedef {import("../engine/payloads.js").Slider} Slider
 */

/**
 * @typedef {object} SliderHooks
 * @property {(dimension: number, value: number) => void} onMove
 * @property {(byKey: boolean) => void} onSettle
 * @property {(direction: Direction, value: number) => void} onDirection
 * @property {(dimension: number, name: string) => void} onName
 * @property {(dimension: number, locked: boolean) => void} onLock
 * @property {(direction: Direction) => void} onForget
 * @property {() => void} onVisible others are in sight
 * @property {number} nameLength characters that a name may have
 */

/**
 * A row of a dimension, or of a direction.
 * @typedef {{row: SliderRow, dimension?: number, vector?: number[]}} Placed
 */

export class SliderPanel {
  /** @param {SliderHooks} hooks */
  constructor(hooks) {
    this.hooks = hooks;
    /** @type {Map<number, SliderRow>} */
    this.rows = new Map(); // by dimension
    /** @type {{direction: Direction, row: SliderRow}[]} */
    this.directions = [];
    /** @type {number[]} */
    this.locked = []; // dimensions
    /** @type {Float32Array | null} */
    this.z = null;
    this.isBehind = false; // whether rows out of sight show an older code
    /** @type {WeakMap<HTMLDetailsElement, boolean>} */
    this.wasOpen = new WeakMap(); // folded groups before a search
    /** @type {WeakSet<Element>} */
    this.inSight = new WeakSet(); // elements of rows
    this.turn = 0; // of the rows in sight: which one follows a drag next
    this.search = el("input", {
      type: "search",
      class: "search",
      placeholder: "Find a dimension",
      "aria-label": "Find a dimension",
    });
    this.search.addEventListener("input", () => this.filter());
    this.unit = el("span", {});
    this.films = el("input", { type: "checkbox", checked: true });
    this.films.addEventListener("change", () => this.showFilms());
    const films = el(
      "label",
      { class: "films", title: "On every track, what the slider will do" },
      this.films,
      "Filmstrips",
    );
    this.head = el("div", { class: "sliders-head" }, this.search, films, this.unit);
    this.problem = el("p", { class: "note", role: "status" });
    this.missing = el("p", { class: "note", role: "status" });
    this.leading = el("div", { class: "leading" });
    this.body = el("div", {});
    this.element = el("div", { class: "sliders" }, this.head, this.problem, this.missing, this.leading, this.body);
    this.seen = new IntersectionObserver((entries) => this.scrolled(entries), { root: this.element });
  }

  /**
   * Rows of a model's dimensions.
   * @param {Model} model
   */
  build(model) {
    const { sliders, variational, latentDim } = model;
    this.seen.disconnect();
    this.rows.clear();
    this.z = null; // that of the model before may have fewer dimensions
    this.unit.textContent = variational ? "KL, nats" : "variance";
    this.search.value = "";
    this.search.hidden = latentDim < FILTER_FROM;
    const most = Math.max(...sliders.map((slider) => slider.importance), 1e-9);
    /** @param {Slider} slider */
    const isQuiet = ({ importance }) => variational && importance < INACTIVE;
    this.named = sliders.some((slider) => slider.name);
    for (const slider of sliders) this.rows.set(slider.dimension, this.row(slider, most, variational, isQuiet(slider)));
    /** @param {Slider[]} some */
    const rowsOf = (some) => some.map(({ dimension }) => this.rows.get(dimension).element);
    const quiet = sliders.filter(isQuiet);
    const active = sliders.filter((slider) => !isQuiet(slider));
    const parts = active.length > MANY ? groups(active, rowsOf) : rowsOf(active);
    const idle = quiet.length ? [fold(quietTitle(quiet.length), rowsOf(quiet), !active.length, QUIET_HINT)] : [];
    this.body.replaceChildren(...parts, ...idle);
    for (const row of this.rows.values()) this.seen.observe(row.element);
    this.setDirections([]);
  }

  /**
   * @param {Slider} slider
   * @param {number} most importance of any
   * @param {boolean} variational
   * @param {boolean} quiet inactive
   */
  row(slider, most, variational, quiet) {
    const { dimension, name, importance, low, high, quantiles } = slider;
    const unit = variational ? "nats" : "variance";
    const info = {
      title: dimensionTitle(slider),
      name: name || `z${dimension + 1}`,
      low,
      high,
      quantiles,
      amount: importance.toFixed(2),
      share: importance / most,
      hint: `${importance.toFixed(3)} ${unit}`,
      quiet,
      canLock: true,
    };
    const row = new SliderRow(info, {
      ...this.common(),
      nameLength: this.hooks.nameLength,
      onMove: (value) => this.hooks.onMove(dimension, value),
      onName: (text) => this.hooks.onName(dimension, text),
      onLock: (locked) => this.hooks.onLock(dimension, locked),
    });
    row.element.dataset.dimension = String(dimension);
    return row;
  }

  /** What all rows hook into. */
  common() {
    /** @param {boolean} byKey */
    const onSettle = (byKey) => {
      this.problem.textContent = "";
      this.hooks.onSettle(byKey);
    };
    /** @param {string} text */
    const onProblem = (text) => {
      this.problem.textContent = text;
    };
    return { onSettle, onProblem };
  }

  /**
   * Sliders of directions, above the dimensions'.
   * @param {Direction[]} directions
   */
  setDirections(directions) {
    for (const { row } of this.directions) this.seen.unobserve(row.element);
    this.directions = directions.map((direction) => ({ direction, row: this.directionRow(direction) }));
    this.leading.replaceChildren(...this.directions.map(({ row }) => row.element));
    for (const { row } of this.directions) this.seen.observe(row.element);
    if (this.z) this.set(this.z);
    this.filter();
  }

  /** @param {Direction} direction */
  directionRow(direction) {
    const { name, low, high, separation, varianceShare } = direction;
    const amount = separation
      ? `AUROC ${separation.auroc.toFixed(3)}`
      : varianceShare
        ? `${(100 * varianceShare).toFixed(0)}% var.`
        : "";
    const judged = separation?.byPlace ? ", of which one was chosen by place" : "";
    const hint = separation ? `Held-out AUROC of its two groups${judged}` : varianceShare ? VARIANCE_HINT : "";
    const info = {
      title: name,
      name,
      low,
      high,
      quantiles: null,
      amount,
      share: null,
      hint,
      quiet: false,
      canLock: false,
    };
    /** @type {import("./slider_row.js").RowHooks} */
    const hooks = { ...this.common(), onMove: (value) => this.hooks.onDirection(direction, value) };
    if (!direction.builtIn) hooks.onRemove = () => this.hooks.onForget(direction);
    const row = new SliderRow(info, hooks);
    row.element.classList.add("direction");
    return row;
  }

  /**
   * Names and locks that the person gave.
   * @param {{names: Record<string, string>, locked: number[]}} given
   */
  setNamesAndLocks({ names, locked }) {
    this.locked = locked;
    for (const [dimension, row] of this.rows) {
      row.setName(names[dimension] ?? row.info.name);
      row.setLocked(locked.includes(dimension));
    }
  }

  /**
   * Show a whole code.
   * @param {Float32Array} z
   */
  set(z) {
    this.z = z;
    this.isBehind = false;
    for (const each of this.all()) each.row.set(placeOn(each, z));
  }

  /**
   * Show a code that changes with every move of the mouse. Rows are slow to paint, all at once would cost a frame:
   * of those in sight a few follow with each move, in turn, the others when the code rests.
   * @param {Float32Array} z
   */
  follow(z) {
    this.z = z;
    this.isBehind = true;
    const inSight = this.all().filter(({ row }) => this.inSight.has(row.element));
    for (let looked = 0, moved = 0; looked < inSight.length && moved < ROWS_AT_ONCE; looked++) {
      const each = inSight[this.turn++ % inSight.length];
      if (each.row.set(placeOn(each, z))) moved += 1;
    }
  }

  /** Let all rows show what those in sight do. */
  catchUp() {
    if (this.isBehind) this.set(this.z);
  }

  /**
   * Every row.
   * @returns {Placed[]}
   */
  all() {
    const ofDimensions = [...this.rows].map(([dimension, row]) => ({ row, dimension }));
    const ofDirections = this.directions.map(({ direction, row }) => ({ row, vector: direction.vector }));
    return [...ofDirections, ...ofDimensions];
  }

  filter() {
    const text = this.search.value.trim().toLowerCase();
    for (const row of [...this.rows.values(), ...this.directions.map(({ row }) => row)]) {
      row.element.hidden = !!text && !row.matches(text);
    }
    for (const group of this.body.querySelectorAll("details")) {
      const found = group.querySelector(".row:not([hidden])") !== null;
      group.hidden = !found;
      if (text && !this.wasOpen.has(group)) this.wasOpen.set(group, group.open);
      group.open = text ? found : (this.wasOpen.get(group) ?? group.open); // as it was before the search
      if (!text) this.wasOpen.delete(group);
    }
    const found = [...this.rows.values()].some((row) => row.matches(text));
    this.missing.textContent = text && !found ? "No dimension has that name or number." : "";
  }

  // -- filmstrips ------------------------------------------------------------------------------------------------

  showFilms() {
    this.element.dataset.films = String(this.films.checked);
    this.hooks.onVisible();
  }

  /** @param {IntersectionObserverEntry[]} entries */
  scrolled(entries) {
    for (const { target, isIntersecting } of entries) {
      if (isIntersecting) this.inSight.add(target);
      else this.inSight.delete(target);
    }
    this.catchUp();
    this.hooks.onVisible();
  }

  /** The rows whose filmstrips can be seen, as all() gives them. */
  visible() {
    if (!this.films.checked) return [];
    return this.all().filter(({ row }) => this.inSight.has(row.element) && row.element.offsetParent);
  }
}

/**
 * Where a code lies on a row's track.
 * @param {Placed} row
 * @param {ArrayLike<number>} z
 */
function placeOn({ dimension, vector }, z) {
  return vector ? along(z, vector) : z[dimension];
}

const VARIANCE_HINT = "Share of the codes' variance, counted in posterior deviations";
const QUIET_HINT = "Each carries less than 0.01 nats and changes nothing";

/** @param {number} count */
function quietTitle(count) {
  return count === 1 ? "1 inactive dimension" : `${count} inactive dimensions`;
}

/**
 * @param {Slider[]} sliders
 * @param {(some: Slider[]) => HTMLElement[]} rowsOf
 */
function groups(sliders, rowsOf) {
  const parts = [];
  for (let start = 0; start < sliders.length; start += GROUP) {
    const some = sliders.slice(start, start + GROUP);
    const title = `Strongest ${start + 1} to ${start + some.length}`;
    const carried = some.reduce((sum, { importance }) => sum + importance, 0);
    parts.push(fold(`${title}: ${carried.toFixed(1)} in all`, rowsOf(some), start === 0, ""));
  }
  return parts;
}

/**
 * Rows out of the way.
 * @param {string} title
 * @param {HTMLElement[]} rows
 * @param {boolean} open
 * @param {string} hint
 */
function fold(title, rows, open, hint) {
  return el("details", { class: "folded", open }, el("summary", { title: hint }, title), ...rows);
}
