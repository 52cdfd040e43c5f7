// A switch for the points of training images: they are encoded once, in the background, where the data set is at hand.

import { el } from "./dom.js";
import { JobLine } from "./job_line.js";
import { TrainingPoints } from "./training_points.js";

const ABOUT = "The images that the model was trained on, placed by the rule for new pictures. They can be looked at and loaded; a lasso selects reference images alone";
const kept = new Map(); // a model's digest -> TrainingPoints; as long as the browser's page lives

export class TrainingSwitch {
  /**
   * @param {{root: URL, onChange: (points: TrainingPoints | null) => void, say: (text: string) => void}} hooks
   */
  constructor({ root, onChange, say }) {
    Object.assign(this, { root, onChange, say });
    this.box = el("input", { type: "checkbox", onchange: () => this.turned() });
    this.title = el("span", {}, "Training images");
    this.label = el("label", { title: ABOUT }, this.box, this.title);
    this.line = new JobLine("Training images are encoded");
    this.element = el("span", { class: "training-switch" }, this.label);
  }

  switchModel(model, queries) {
    this.asked = null;
    this.model = model;
    this.queries = queries;
    this.label.hidden = !model.trainingAtHand;
    this.box.checked = false;
    this.count();
  }

  /** On a map that was fitted anew training images have no places. */
  allow(allowed) {
    this.box.disabled = !allowed;
    this.label.title = allowed ? ABOUT : "Training images are placed on the stored map alone";
  }

  /** The points, when they are switched on and there. */
  get points() {
    return this.box.checked ? (kept.get(this.model.digest) ?? null) : null;
  }

  count() {
    const points = kept.get(this.model.digest);
    this.title.textContent = points ? `${points.length.toLocaleString("en")} training images` : "Training images";
  }

  async turned() {
    if (!this.box.checked) this.line.stop();
    else if (!kept.has(this.model.digest)) return this.fetch();
    this.onChange(this.points);
  }

  async fetch() {
    const { model, queries } = this;
    const asked = (this.asked = {}); // switched off and on again, the newest counts
    this.say("");
    try {
      const made = await this.line.run(this.root, () => queries.begin("training", {}));
      if (made) kept.set(model.digest, new TrainingPoints(await made.json(), model.latentDim));
    } catch (error) {
      if (asked === this.asked) this.say(`No training images: ${error.message}`);
    }
    if (asked !== this.asked) return;
    this.box.checked &&= kept.has(model.digest);
    this.count();
    this.onChange(this.points);
  }

  /** The page is left, or another model chosen. */
  close() {
    this.line.drop();
  }
}
