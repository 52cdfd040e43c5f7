// How the frames between keyframes are spaced, and how the path through the data is found.

import { el } from "../ui/dom.js";
import { labelled, select, whole, wholeField } from "../ui/fields.js";

/**
 * @typedef {import("../engine/payloads.js").Limits} Limits
 * @typedef {import("./interpolate.js").State} State
 */

/** @type {import("../ui/fields.js").Option[]} */
const EASINGS = [
  ["linear", "Linear: at an even pace"],
  ["smooth", "Smooth: slow at keyframes"],
  ["cubic", "Cubic: slower at keyframes"],
];
const FRAMES_A_SECOND = 60;

export class PathPanel {
  key = "path";
  title = "Path";

  /**
   * @param {import("../host/store.js").Store<State>} store
   * @param {Limits} limits
   * @param {(text: string) => void} onNews what the person should know of a setting
   */
  constructor(store, limits, onNews) {
    this.store = store;
    this.limits = limits;
    this.onNews = onNews;
    this.easing = select("Easing", EASINGS, { onchange: () => store.set({ easing: this.easing.value }) });
    const [min, max] = limits.framesPerLeg;
    this.frames = wholeField("Frames per leg", { min, max, onchange: () => this.setFrames() });
    this.seconds = el("span", { class: "faint" });
    this.note = el("p", {});
    const note = el(
      "details",
      { class: "how" },
      el("summary", {}, "How the path through the data is found"),
      this.note,
    );
    const head = el(
      "div",
      { class: "panel-head" },
      labelled("Easing", this.easing),
      labelled("Frames per leg", this.frames),
      this.seconds,
    );
    this.element = el("div", { class: "path-panel" }, head, note);
    store.on(["easing", "framesPerLeg"], (state) => this.show(state));
    store.on(["keyframes", "loop", "framesPerLeg"], (state) => this.fit(state));
  }

  /** @param {import("../engine/payloads.js").Model & {graph: {neighbours: number, power: number}}} model */
  setModel({ references, variational, graph }) {
    const unit = variational
      ? "posterior deviations, so that dimensions without information count for little"
      : "units of z";
    const price = graph.power === 2 ? "its length squared" : `its length to the power ${graph.power}`;
    this.note.textContent =
      `The codes of the ${references.toLocaleString("en")} reference images are joined, each to its ${graph.neighbours} nearest. ` +
      `Lengths are measured in ${unit}. A step costs ${price}: many short steps are cheaper than a long one, so the cheapest way ` +
      "from keyframe to keyframe keeps to where codes lie densely. It is walked at an even pace, on straight lines from code to code.";
  }

  setFrames() {
    this.onNews("");
    this.store.set({ framesPerLeg: whole(this.frames, this.store.state.framesPerLeg) });
  }

  /**
   * Lower the frames per leg where all legs together would have too many.
   * @param {State} state
   */
  fit({ keyframes, loop, framesPerLeg }) {
    const { frames } = this.limits;
    const most = mostPerLeg(loop ? keyframes.length : keyframes.length - 1, frames);
    if (framesPerLeg <= most) return;
    this.store.set({ framesPerLeg: most });
    this.onNews(`Frames per leg are ${most} now: an animation has at most ${frames.toLocaleString("en")} frames.`);
  }

  /** @param {State} state */
  show({ easing, framesPerLeg }) {
    this.easing.value = easing;
    this.frames.value = String(framesPerLeg);
    this.seconds.textContent = `${((framesPerLeg - 1) / FRAMES_A_SECOND).toFixed(1)} s at speed 1`;
  }
}

/**
 * The most frames with which so many legs fit: each begins where one ends.
 * @param {number} legs
 * @param {number} frames that an animation may have
 */
export function mostPerLeg(legs, frames) {
  return Math.floor((frames - 1) / legs) + 1;
}
