// UMAP with other settings: fitted in the background, shown when it is there, while the map at hand stays in use.

import { beginWork, workOf } from "../engine/background_work.js";
import { floatsOf } from "../ui/base64.js";
import { el } from "../ui/dom.js";
import { JobLine } from "../ui/job_line.js";
import { parsed } from "../ui/text.js";

const DISTANCE_STEP = 0.05; // of the least distance, by the field's arrows

/**
 * @typedef {import("../engine/payloads.js").Model} Model
 * @typedef {import("../engine/payloads.js").RefitSettings} RefitSettings
 * @typedef {import("../engine/source.js").Asks} Asks
 * @typedef {{number: number, places: Float32Array, settings: RefitSettings}} KeptRefit
 */

/** @type {Map<string, KeptRefit>} */
const kept = new Map(); // by a reference set's digest; as long as the browser's page lives

/**
 * The refitted map that is shown for a model; null for its own.
 * @param {{referenceDigest: string}} model
 * @returns {KeptRefit | null}
 */
export function refitOf({ referenceDigest }) {
  return kept.get(referenceDigest) ?? null;
}

export class RefitPanel {
  /**
   * @param {import("../engine/source.js").Source} source
   * @param {import("../engine/payloads.js").RefitLimits} limits
   * @param {{onMap: () => void, say: (text: string) => void}} hooks `onMap` is called when another map is to be shown
   */
  constructor(source, limits, { onMap, say }) {
    this.source = source;
    this.stored = limits.stored;
    this.onMap = onMap;
    this.say = say;
    this.line = new JobLine("UMAP is fitted");
    this.neighbors = numberField("Neighbours", limits.neighbors, 1);
    this.minDist = numberField("Least distance", limits.minDist, DISTANCE_STEP);
    this.seed = numberField("Seed", limits.seed, 1);
    this.metric = el(
      "select",
      { "aria-label": "Metric" },
      ...limits.metrics.map((name) => el("option", { value: name }, name)),
    );
    this.deviations = el("input", { type: "checkbox", "aria-label": "In posterior deviations" });
    this.go = el("button", { class: "action", onclick: () => this.fit() }, "Fit again");
    this.back = el("button", { class: "action", onclick: () => this.showStored() }, "Stored map");
    const fields = el(
      "div",
      { class: "popup refit-fields" },
      field(this.neighbors, "How many nearest codes each one is tied to: few show detail, many the whole"),
      field(this.minDist, "How near to each other points may come: small values make tight clumps"),
      field(this.metric, "How codes are compared"),
      field(
        this.deviations,
        "Differences count in posterior deviations, so that dimensions that say nothing count for nothing",
      ),
      field(this.seed, "Another seed shows which parts of the layout are chance"),
      el("div", { class: "actions" }, this.go, this.back),
    );
    this.summary = el("summary", {});
    this.details = el("details", { class: "reading" }, this.summary, fields);
    this.element = el("span", { class: "refit" }, this.details);
  }

  /**
   * @param {Model} model
   * @param {Asks} queries
   */
  switchModel(model, queries) {
    this.model = model;
    this.queries = queries;
    this.go.disabled = false;
    this.deviations.disabled = !model.variational;
    this.fill(refitOf(model)?.settings ?? { ...this.stored, deviations: model.variational });
    const work = workOf(this.key);
    if (work) this.watch(work);
  }

  get key() {
    return `refit ${this.model.referenceDigest}`;
  }

  /** @param {RefitSettings} settings */
  fill(settings) {
    this.neighbors.value = String(settings.neighbors);
    this.minDist.value = String(settings.minDist);
    this.metric.value = settings.metric;
    this.seed.value = String(settings.seed);
    this.deviations.checked = settings.deviations;
    this.showSummary();
  }

  /**
   * Shown for a UMAP alone, where it can be fitted.
   * @param {string} projection
   */
  setProjection(projection) {
    this.element.hidden = projection !== "umap" || !this.source.can.has("refit");
  }

  settings() {
    const [neighbors, minDist, seed] = [this.neighbors, this.minDist, this.seed].map(({ value }) => parsed(value));
    return { neighbors, minDist, seed, metric: this.metric.value, deviations: this.deviations.checked };
  }

  fit() {
    const { model, queries, settings } = { ...this, settings: this.settings() };
    const wrong = [this.neighbors, this.minDist, this.seed].find((input) => !isWithin(input));
    if (wrong) return this.say(`${wrong.ariaLabel} takes ${rangeOf(wrong)}.`);
    this.details.open = false; // it lies over the map
    this.say("");
    /** @param {import("../engine/source.js").JobResult} made */
    const keep = async (made) => {
      const { number, places } = await made.json();
      kept.set(model.referenceDigest, { number, places: floatsOf(places), settings });
    };
    this.watch(beginWork(this.key, this.source, () => queries.begin("refit", settings), keep));
  }

  /** @param {import("../engine/background_work.js").Work} work */
  async watch(work) {
    this.go.disabled = true;
    try {
      const end = await this.line.show(work);
      if (end === "stopped") this.say("The fit was stopped; the map is the one from before.");
      if (end === "done") this.shown();
      this.go.disabled &&= end === "left"; // then it is another model's button
    } catch (error) {
      this.say(`No new map: ${error.message}`);
      this.details.open = true; // what was chosen may have to change
      this.go.disabled = false;
    }
  }

  /** Back to the map that came with the model. */
  showStored() {
    kept.delete(this.model.referenceDigest);
    this.shown();
  }

  shown() {
    this.showSummary();
    this.onMap();
  }

  showSummary() {
    const isAnew = Boolean(refitOf(this.model));
    this.back.disabled = !isAnew;
    this.summary.textContent = isAnew ? "UMAP settings: fitted anew" : "UMAP settings";
  }

  /** The page is left, or another model chosen; the fit goes on. */
  close() {
    this.line.leave();
  }
}

/**
 * @param {string} label
 * @param {number[]} ends
 * @param {number} step
 */
function numberField(label, [min, max], step) {
  return el("input", { type: "number", "aria-label": label, min, max, step });
}

/**
 * @param {HTMLElement} input
 * @param {string} title
 */
function field(input, title) {
  return el("label", { title }, el("span", {}, input.ariaLabel), input);
}

/**
 * Whether a field holds a number that the server takes.
 * @param {HTMLInputElement} field
 */
export function isWithin({ value, min, max, step }) {
  const number = parsed(value);
  return number >= Number(min) && number <= Number(max) && (Number(step) < 1 || Number.isInteger(number));
}

/** @param {HTMLInputElement} field */
export function rangeOf({ min, max, step }) {
  return `${Number(step) < 1 ? "a number" : "a whole number"} from ${min} to ${Number(max).toLocaleString("en")}`;
}
