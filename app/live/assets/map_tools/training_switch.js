// A switch for the points of training images: they are encoded once, in the background, where the data set is at hand.

import { beginWork, workOf } from "../engine/background_work.js";
import { el } from "../ui/dom.js";
import { JobLine } from "../ui/job_line.js";
import { TrainingPoints } from "./training_points.js";

const ABOUT =
  "The images that the model was trained on, placed by the rule for new pictures. They can be looked at and loaded; a lasso selects reference images alone";

/**
 * @typedef {import("../engine/payloads.js").Model} Model
 * @typedef {import("../engine/source.js").Asks} Asks
 */

/** @type {Map<string, TrainingPoints>} */
const kept = new Map(); // by the digests of a model's weights and reference set; as long as the browser's page lives

export class TrainingSwitch {
  /**
   * @param {import("../engine/source.js").Source} source
   * @param {{onChange: (points: TrainingPoints | null) => void, say: (text: string) => void}} hooks
   */
  constructor(source, { onChange, say }) {
    this.source = source;
    this.onChange = onChange;
    this.say = say;
    this.box = el("input", { type: "checkbox", onchange: () => this.turned() });
    this.title = el("span", {}, "Training images");
    this.label = el("label", { title: ABOUT }, this.box, this.title);
    this.line = new JobLine("Training images are encoded");
    this.element = el("span", { class: "training-switch" }, this.label);
  }

  /**
   * @param {Model} model
   * @param {Asks} queries
   */
  switchModel(model, queries) {
    this.model = model;
    this.queries = queries;
    this.label.hidden = !model.trainingAtHand || !this.source.can.has("training");
    const work = workOf(this.key);
    this.box.checked = Boolean(work);
    this.count();
    if (work) this.watch(work);
  }

  get key() {
    return `training ${keyOf(this.model)}`;
  }

  /**
   * On a map that was fitted anew training images have no places.
   * @param {boolean} allowed
   */
  allow(allowed) {
    this.box.disabled = !allowed;
    this.label.title = allowed ? ABOUT : "Training images are placed on the stored map alone";
  }

  /** The points, when they are switched on and there. */
  get points() {
    return this.box.checked ? (kept.get(keyOf(this.model)) ?? null) : null;
  }

  count() {
    const points = kept.get(keyOf(this.model));
    this.title.textContent = points ? `${points.length.toLocaleString("en")} training images` : "Training images";
  }

  turned() {
    if (!this.box.checked) this.line.stop();
    else if (!kept.has(keyOf(this.model))) return this.fetch();
    this.onChange(this.points);
  }

  fetch() {
    const { model, queries } = this;
    this.say("");
    /** @param {import("../engine/source.js").JobResult} made */
    const keep = async (made) => {
      kept.set(keyOf(model), new TrainingPoints(await made.json(), model.latentDim));
    };
    this.watch(beginWork(this.key, this.source, () => queries.begin("training", {}), keep));
  }

  /** @param {import("../engine/background_work.js").Work} work */
  async watch(work) {
    try {
      if ((await this.line.show(work)) === "left") return; // switched off and on again, the newest counts
    } catch (error) {
      this.say(`No training images: ${error.message}`);
    }
    this.box.checked &&= kept.has(keyOf(this.model));
    this.count();
    this.onChange(this.points);
  }

  /** The page is left, or another model chosen; the encoding goes on. */
  close() {
    this.line.leave();
  }
}

/**
 * Their codes are of the weights, their places of the reference set's map.
 * @param {{digest: string, referenceDigest: string}} model
 */
function keyOf({ digest, referenceDigest }) {
  return `${digest} ${referenceDigest}`;
}
