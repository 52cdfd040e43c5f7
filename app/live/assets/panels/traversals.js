// Traversals: all dimensions step by step on one sheet, and the plane of two dimensions or directions.

import { axis, withoutPlane } from "../engine/code_arithmetic.js";
import { el } from "../ui/dom.js";
import { saveFile } from "../ui/download.js";
import { button, fill, select, whole, wholeField } from "../ui/fields.js";
import { dimensionOptions, sentence } from "../ui/text.js";

const FEW_ROWS = 24; // of a sheet at first: so many can be looked at together, and are decoded in a moment
const MOST_AGAIN = 400; // pictures that are decoded anew whenever the code settles; of more the person asks
const PLANE = 2; // dimensions
const ACTIVE = 0.01; // nats, as for the sliders

/**
 * @typedef {{vector: number[], low: number, high: number}} Span a direction or an axis, and how far its slider goes
 * @typedef {import("../engine/payloads.js").Direction} Direction
 */

export class TraversalPanel {
  key = "traversals";
  title = "Traversals";

  /** @param {import("./page.js").ExplorePage} explore */
  constructor(explore) {
    this.explore = explore;
    /** @type {{content: Blob, name: string} | null} */
    this.picture = null; // that is shown
    this.pictures = 0; // decoded for it
    this.asked = 0; // times
    /** @type {(() => void) | null} */
    this.again = null; // decode the same for another code
    this.rows = wholeField("Dimensions", { min: 1 });
    this.steps = wholeField("Steps", { min: 3, max: 25, value: 9 });
    this.first = select("Rightwards");
    this.second = select("Upwards");
    this.side = wholeField("Pictures a side", { min: 2, max: explore.limits.planeSide, value: 16 });
    this.under = el("input", { type: "checkbox" });
    this.under.addEventListener("change", () => this.layUnder());
    this.underLabel = el(
      "label",
      { title: "What the model decodes at every place, under the points of the map" },
      this.under,
      "Under the map",
    );
    this.shownPicture = el("img", { class: "sheet", alt: "", hidden: true, "data-testid": "sheet" });
    this.saveButton = button("Save PNG", "What is shown here", () => saveFile(this.picture.content, this.picture.name));
    this.saveButton.disabled = true;
    const sheet = el(
      "div",
      { class: "maker" },
      el("strong", {}, "A sheet"),
      el("label", { title: "The strongest come first" }, this.rows, "dimensions"),
      el("label", {}, this.steps, "steps"),
      button("Show", "Each row moves one dimension and keeps the others", () => this.showSheet()),
    );
    const plane = el(
      "div",
      { class: "maker" },
      el("strong", {}, "A plane"),
      this.first,
      el("span", {}, "by"),
      this.second,
      el("label", {}, this.side, "a side"),
      button("Show", "Two dimensions or directions, the others as they are", () => this.showPlane()),
    );
    const tools = el("div", { class: "actions" }, this.saveButton, this.underLabel);
    this.status = el("p", { class: "note", role: "status" });
    this.element = el("div", { class: "traversals" }, sheet, plane, tools, this.status, this.shownPicture);
    explore.store.on(["directions", "names"], () => this.offer());
  }

  /** @param {import("../engine/payloads.js").Model} model */
  switchModel(model) {
    this.under.checked = false;
    this.shownPicture.hidden = true;
    this.saveButton.disabled = true;
    this.underLabel.hidden = model.latentDim !== 2;
    this.again = null;
    this.status.textContent = "";
    const active = model.sliders.filter(({ importance }) => !model.variational || importance >= ACTIVE);
    Object.assign(this.rows, { max: model.latentDim, value: Math.min(active.length || model.latentDim, FEW_ROWS) });
    this.offer();
  }

  shown() {
    this.offer();
  }

  codeSettled() {
    if (!this.element.offsetParent || !this.again) return;
    if (this.pictures <= MOST_AGAIN) this.again();
    else this.status.textContent = "The code has moved since this was decoded.";
  }

  viewChanged() {
    if (this.under.checked) this.layUnder();
  }

  offer() {
    const model = this.explore.data?.model;
    const { directions, names } = this.explore.store.state;
    if (!model || !directions) return;
    /** @type {[string, string][]} */
    const axes = dimensionOptions(model, names).map(([dimension, name]) => [`axis ${dimension}`, name]);
    /** @type {[string, string][]} */
    const own = this.directions().map((each) => [keyOf(each), each.name]);
    /** @type {[string, string][]} */
    const options = [...own, ...axes];
    const strongest = model.sliders.map(({ dimension }) => `axis ${dimension}`);
    /** @param {string} key */
    const place = (key) => options.findIndex(([value]) => value === key);
    fill(this.first, options, place(strongest[0]));
    fill(this.second, options, place(strongest[1] ?? strongest[0]));
  }

  /** The person's directions, and the principal ones that the sliders begin with where there are many. */
  directions() {
    return [...this.explore.store.state.directions, ...(this.explore.components ?? [])];
  }

  showSheet() {
    const { model } = this.explore.data;
    const rows = model.sliders.slice(0, whole(this.rows, model.latentDim)); // the strongest come first
    const steps = whole(this.steps, 9);
    const { names } = this.explore.store.state;
    const body = {
      z: Array.from(this.explore.z),
      dimensions: rows.map(({ dimension }) => dimension),
      steps,
      low: null,
      high: null,
      names,
    };
    this.again = () => this.showSheet();
    this.pictures = rows.length * steps;
    this.show(
      "sheet",
      body,
      `${model.name}-traversals.png`,
      `${rows.length} dimensions, one row each, from the lowest to the highest value`,
    );
  }

  showPlane() {
    const { model } = this.explore.data;
    if (this.first.value === this.second.value)
      return this.explore.say("A plane needs two different dimensions or directions.");
    const [first, second] = [this.first, this.second].map((node) => this.vectorOf(node.value));
    const side = whole(this.side, 16);
    const body = { ...this.planeOf(first, second), side, file: true };
    this.again = () => this.showPlane();
    this.pictures = side * side;
    this.show("plane", body, `${model.name}-plane.png`, "A plane of two dimensions or directions");
  }

  /**
   * What was chosen.
   * @param {string} choice
   * @returns {Span}
   */
  vectorOf(choice) {
    const direction = this.directions().find((each) => keyOf(each) === choice);
    if (direction) return direction;
    const [, index] = choice.split(" ");
    const { latentDim, sliders } = this.explore.data.model;
    const { low, high } = sliders.find(({ dimension }) => dimension === Number(index));
    return { vector: axis(Number(index), latentDim), low, high };
  }

  /**
   * The plane of two choices through the present code, whose amounts are counted from the origin.
   * @param {Span} first
   * @param {Span} second
   */
  planeOf(first, second) {
    return {
      z: withoutPlane(this.explore.z, first.vector, second.vector),
      first: first.vector,
      second: second.vector,
      low: [first.low, second.low],
      high: [first.high, second.high],
    };
  }

  /**
   * Decode and show; of what is asked meanwhile the newest is shown.
   * @param {string} what
   * @param {object} body
   * @param {string} name of the file
   * @param {string} alt
   */
  async show(what, body, name, alt) {
    const { queries } = this.explore;
    this.asked += 1;
    const { asked } = this;
    this.explore.say("");
    this.status.textContent = `Decoding ${this.pictures.toLocaleString("en")} pictures…`;
    try {
      const content = await queries.file(what, body);
      if (asked !== this.asked || queries !== this.explore.queries) return;
      this.status.textContent = "";
      this.picture = { content, name };
      if (this.shownPicture.src) URL.revokeObjectURL(this.shownPicture.src);
      Object.assign(this.shownPicture, { src: URL.createObjectURL(content), alt, hidden: false });
      this.saveButton.disabled = false;
    } catch (error) {
      if (asked === this.asked) this.status.textContent = sentence(error.message);
    }
  }

  /** A two-dimensional model's manifold under the points of its map. */
  layUnder() {
    const { map, view, data, queries } = this.explore;
    const { range } = map; // none before it was painted first
    if (!range) return;
    if (!this.under.checked || view.projection !== "axes") return map.setUnderlay(null);
    const body = {
      z: [0, 0],
      first: axis(view.x, PLANE),
      second: axis(view.y, PLANE),
      low: [range.x[0], range.y[0]],
      high: [range.x[1], range.y[1]],
      side: data.model.shape[1] > 32 ? 16 : 24,
    };
    queries.ask("plane", body).then(
      ({ picture }) =>
        this.under.checked && map.setUnderlay({ source: `data:image/png;base64,${picture}`, x: range.x, y: range.y }),
      (error) => this.explore.say(error.message),
    );
  }
}

/**
 * What a direction is chosen by: its place changes when another one goes.
 * @param {Direction} direction
 */
function keyOf({ name, builtIn }) {
  return `${builtIn ? "component" : "direction"} ${name}`;
}
