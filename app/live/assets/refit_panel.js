// UMAP with other settings: fitted in the background, shown when it is there, while the map at hand stays in use.

import { el } from "./dom.js";
import { JobLine } from "./job_line.js";
import { parsed } from "./names.js";
import { floatsOf } from "./packing.js";

const METRICS = ["euclidean", "cosine", "correlation", "manhattan"];
const STORED = { neighbors: 15, minDist: 0.1, metric: "euclidean", deviations: true, seed: 0 }; // of the models' own maps
const kept = new Map(); // a model's digest -> {number, places, settings}; as long as the browser's page lives

/** The refitted map that is shown for a model; null for its own. */
export function refitOf(digest) {
  return kept.get(digest) ?? null;
}

export class RefitPanel {
  /**
   * @param {{root: URL, onMap: () => void, say: (text: string) => void}} hooks `onMap` is called when another map is to
   *   be shown
   */
  constructor({ root, onMap, say }) {
    Object.assign(this, { root, onMap, say });
    this.line = new JobLine("UMAP is fitted");
    this.neighbors = numberField({ min: 2, max: 200, step: 1 });
    this.minDist = numberField({ min: 0, max: 0.99, step: 0.05 });
    this.seed = numberField({ min: 0, step: 1 });
    this.metric = el("select", {}, ...METRICS.map((name) => el("option", { value: name }, name)));
    this.deviations = el("input", { type: "checkbox" });
    this.go = el("button", { class: "action", onclick: () => this.fit() }, "Fit again");
    this.back = el("button", { class: "action", onclick: () => this.showStored() }, "Stored map");
    const fields = el(
      "div",
      { class: "popup refit-fields" },
      field("Neighbours", this.neighbors, "How many nearest codes each one is tied to: few show detail, many the whole"),
      field("Least distance", this.minDist, "How near to each other points may come: small values make tight clumps"),
      field("Metric", this.metric, "How codes are compared"),
      field("In posterior deviations", this.deviations, "Differences count in posterior deviations, so that dimensions that say nothing count for nothing"),
      field("Seed", this.seed, "Another seed shows which parts of the layout are chance"),
      el("div", { class: "actions" }, this.go, this.back),
    );
    this.details = el("details", { class: "reading" }, el("summary", {}, "UMAP settings"), fields);
    this.element = el("span", { class: "refit" }, this.details);
  }

  /** @param {{digest: string, variational: boolean}} model */
  switchModel(model, queries) {
    this.model = model;
    this.queries = queries;
    this.go.disabled = false;
    this.deviations.disabled = !model.variational;
    this.fill(refitOf(model.digest)?.settings ?? { ...STORED, deviations: model.variational });
  }

  fill(settings) {
    for (const name of ["neighbors", "minDist", "metric", "seed"]) this[name].value = settings[name];
    this.deviations.checked = settings.deviations;
    this.back.disabled = !refitOf(this.model.digest);
  }

  /** Shown for a UMAP alone. */
  setProjection(projection) {
    this.element.hidden = projection !== "umap";
  }

  settings() {
    const [neighbors, minDist, seed] = [this.neighbors, this.minDist, this.seed].map(({ value }) => parsed(value));
    return { neighbors, minDist, seed, metric: this.metric.value, deviations: this.deviations.checked };
  }

  async fit() {
    const { model, queries, settings } = { ...this, settings: this.settings() };
    const { neighbors, seed, minDist } = settings;
    if (![neighbors, seed].every(Number.isInteger) || Number.isNaN(minDist)) return this.say("Neighbours and seed need a whole number each, the least distance a number.");
    this.go.disabled = true;
    this.details.open = false; // it lies over the map
    this.say("");
    try {
      const made = await this.line.run(this.root, () => queries.begin("refit", settings));
      if (model !== this.model) return;
      if (!made) return this.say("The fit was stopped; the map is the one from before.");
      const { number, places } = await made.json();
      kept.set(model.digest, { number, places: floatsOf(places), settings });
      this.shown();
    } catch (error) {
      if (model !== this.model) return;
      this.say(`No new map: ${error.message}`);
      this.details.open = true; // what was chosen may have to change
    } finally {
      if (model === this.model) this.go.disabled = false;
    }
  }

  /** Back to the map that came with the model. */
  showStored() {
    kept.delete(this.model.digest);
    this.shown();
  }

  shown() {
    this.back.disabled = !refitOf(this.model.digest);
    this.onMap();
  }

  /** The page is left, or another model chosen. */
  close() {
    if (this.line.drop()) this.say(`The new map of ${this.model.name} was not finished: another model was chosen.`);
  }
}

function numberField(limits) {
  return el("input", { type: "number", ...limits });
}

function field(text, input, title) {
  return el("label", { title }, el("span", {}, text), input);
}
