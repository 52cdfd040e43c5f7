// Traversals: all dimensions step by step on one sheet, and the plane of two dimensions or directions.

import { el } from "./dom.js";
import { saveFile } from "./queries.js";

const MOST_ROWS = 40; // of a sheet: more could not be told apart
const ACTIVE = 0.01; // nats, as for the sliders

export class TraversalPanel {
  key = "traversals";
  title = "Traversals";

  /** @param {object} bench desk, queries, map, data, z, view, say(text) */
  constructor(bench) {
    this.bench = bench;
    this.steps = el("input", { class: "number", type: "number", min: 3, max: 25, value: 9, "aria-label": "Steps" });
    this.first = el("select", { "aria-label": "Rightwards" });
    this.second = el("select", { "aria-label": "Upwards" });
    this.side = el("input", { class: "number", type: "number", min: 2, max: 40, value: 16, "aria-label": "Pictures a side" });
    this.under = el("input", { type: "checkbox" });
    this.under.addEventListener("change", () => this.layUnder());
    this.underLabel = el("label", { title: "What the model decodes at every place, under the points of the map" }, this.under, "Under the map");
    this.shownPicture = el("img", { class: "sheet", alt: "", hidden: true, "data-testid": "sheet" });
    this.saveButton = button("Save PNG", "What is shown here", () => saveFile(this.picture.content, this.picture.name));
    this.saveButton.disabled = true;
    const sheet = el("div", { class: "maker" }, el("strong", {}, "All dimensions"), el("label", {}, this.steps, "steps"), button("Show", "Each row moves one dimension and keeps the others", () => this.showSheet()));
    const plane = el("div", { class: "maker" }, el("strong", {}, "A plane"), this.first, el("span", {}, "by"), this.second, el("label", {}, this.side, "a side"), button("Show", "Two dimensions or directions, the others as they are", () => this.showPlane()));
    const tools = el("div", { class: "actions" }, this.saveButton, this.underLabel);
    this.element = el("div", { class: "traversals" }, sheet, plane, tools, this.shownPicture);
    bench.desk.on(["directions"], () => this.offer());
  }

  switchModel(model) {
    this.under.checked = false;
    this.shownPicture.hidden = true;
    this.saveButton.disabled = true;
    this.underLabel.hidden = model.latentDim !== 2;
    this.offer();
  }

  shown() {
    this.offer();
  }

  codeSettled() {
    if (this.element.offsetParent && this.again) this.again();
  }

  viewChanged() {
    if (this.under.checked) this.layUnder();
  }

  offer() {
    const model = this.bench.data?.model;
    const { directions } = this.bench.desk.state;
    if (!model || !directions) return;
    const named = model.sliders.toSorted((a, b) => a.dimension - b.dimension);
    const axes = named.map(({ dimension, name }) => [`axis ${dimension}`, `z${dimension + 1}${name && ` · ${name}`}`]);
    const options = [...directions.map(({ name }, i) => [`direction ${i}`, name]), ...axes];
    const strongest = model.sliders.map(({ dimension }) => `axis ${dimension}`);
    for (const [node, start] of [[this.first, strongest[0]], [this.second, strongest[1] ?? strongest[0]]]) {
      const chosen = options.some(([value]) => value === node.value) ? node.value : start;
      node.replaceChildren(...options.map(([value, text]) => el("option", { value }, text)));
      node.value = chosen;
    }
  }

  showSheet() {
    const { model } = this.bench.data;
    const active = model.sliders.filter(({ importance }) => !model.variational || importance >= ACTIVE);
    const rows = (active.length ? active : model.sliders).slice(0, MOST_ROWS);
    const body = { z: Array.from(this.bench.z), dimensions: rows.map(({ dimension }) => dimension), steps: whole(this.steps, 9), low: null, high: null };
    this.again = () => this.showSheet();
    this.show("sheet", body, `${model.name}-traversals.png`, "All dimensions, one row each, from the lowest to the highest value");
  }

  showPlane() {
    const { model } = this.bench.data;
    const [first, second] = [this.first, this.second].map((node) => this.vectorOf(node.value));
    const body = { ...this.planeOf(first, second), side: whole(this.side, 16), file: true };
    this.again = () => this.showPlane();
    this.show("plane", body, `${model.name}-plane.png`, "A plane of two dimensions or directions");
  }

  /** The vector of a choice with its range: [{vector, low, high}]. */
  vectorOf(choice) {
    const [kind, index] = choice.split(" ");
    if (kind === "direction") return this.bench.desk.state.directions[Number(index)];
    const { latentDim, sliders } = this.bench.data.model;
    const { low, high } = sliders.find(({ dimension }) => dimension === Number(index));
    return { vector: Array.from({ length: latentDim }, (_, i) => Number(i === Number(index))), low, high };
  }

  /** The present code without its parts along both, so that amounts are places along them. */
  planeOf(first, second) {
    let z = Array.from(this.bench.z);
    for (const { vector } of [first, second]) {
      const amount = dot(z, vector) / dot(vector, vector);
      z = z.map((value, i) => value - amount * vector[i]);
    }
    return { z, first: first.vector, second: second.vector, low: [first.low, second.low], high: [first.high, second.high] };
  }

  async show(what, body, name, alt) {
    try {
      const content = await (await this.bench.queries.post(what, body)).blob();
      this.picture = { content, name };
      if (this.shownPicture.src) URL.revokeObjectURL(this.shownPicture.src);
      Object.assign(this.shownPicture, { src: URL.createObjectURL(content), alt, hidden: false });
      this.saveButton.disabled = false;
    } catch (error) {
      this.bench.say(error.message);
    }
  }

  /** A two-dimensional model's manifold under the points of its map. */
  layUnder() {
    const { map, view, data, queries } = this.bench;
    if (!this.under.checked || view.projection !== "axes") return map.setUnderlay(null);
    const range = map.visibleRange();
    const unit = (dimension) => [Number(dimension === 0), Number(dimension === 1)];
    const body = { z: [0, 0], first: unit(view.x), second: unit(view.y), low: [range.x[0], range.y[0]], high: [range.x[1], range.y[1]], side: data.model.shape[1] > 32 ? 16 : 24 };
    queries.ask("plane", body).then(
      ({ picture }) => map.setUnderlay({ source: `data:image/png;base64,${picture}`, x: range.x, y: range.y }),
      (error) => this.bench.say(error.message),
    );
  }
}

function dot(a, b) {
  return a.reduce((sum, value, i) => sum + value * b[i], 0);
}

function whole(input, otherwise) {
  const value = Math.round(Number(input.value));
  return value >= Number(input.min) && value <= Number(input.max) ? value : otherwise;
}

function button(text, title, act) {
  return el("button", { class: "action small", title, onclick: act }, text);
}
