// Explore's map: which one is shown, what is laid over it, and what its places look like.

import { GONE } from "../engine/refusal.js";
import { DECODE, PATH, PEEK } from "../engine/source.js";
import { LatentMap } from "../map/latent_map.js";
import { starsOf } from "../map/stars.js";
import { PeekCard } from "../map_tools/peek.js";
import { RefitPanel, refitOf } from "../map_tools/refit_panel.js";
import { Toolbar } from "../map_tools/toolbar.js";
import { TrainingSwitch } from "../map_tools/training_switch.js";
import { floatsOf } from "../ui/base64.js";
import { el } from "../ui/dom.js";

/**
 * @typedef {import("../engine/payloads.js").Model} Model
 * @typedef {import("../engine/payloads.js").Picture} Picture
 * @typedef {import("../engine/payloads.js").View} View
 * @typedef {import("../engine/source.js").LiveAnswer} LiveAnswer
 * @typedef {import("../engine/source.js").Placing} Placing
 * @typedef {import("../map/latent_map.js").Place} Place
 */

export class MapSide {
  /** @param {import("./explore.js").Explore} explore */
  constructor(explore) {
    const { source, limits } = explore;
    this.explore = explore;
    /** @type {View | null} */
    this.view = null;
    this.problem = ""; // of the map
    /** @type {{before: Float32Array} | null} */
    this.pick = null; // the place that was loaded last, with the code before it
    this.peek = new PeekCard(this);
    /** @param {string} text */
    const say = (text) => explore.say(text);
    this.refit = new RefitPanel(source, limits.refit, { onMap: () => this.refitted(), say });
    this.training = new TrainingSwitch(source, { onChange: (points) => this.map.setUnder(points), say });
    this.toolbar = new Toolbar((view) => this.changeView(view), {
      onDensity: source.can.has("density") ? () => this.showDensity() : undefined,
      extras: [this.training.element, this.refit.element],
    });
    this.map = new LatentMap(source, {
      onPeek: (place, px) => this.peek.lookAt(place, px),
      onLeave: () => this.lookAway(),
      onLoad: (place) => this.loadPlace(place),
      onTakeBack: () => this.takeBack(),
      onSelect: (indices) => explore.select(indices),
      onRange: () => explore.toPanels("viewChanged"),
      onGone: () => explore.gone(),
    });
    const jobs = el("div", { class: "map-jobs" }, this.training.line.element, this.refit.line.element); // moves nothing
    this.map.overlay.append(jobs, this.peek.element);
    const title = "Latent map and its settings";
    this.element = el("section", { class: "left", "aria-label": title }, this.toolbar.element, this.map.element);
  }

  get data() {
    return this.explore.data;
  }

  get queries() {
    return this.explore.queries;
  }

  /** @param {Model} model */
  switchModel(model) {
    this.view = null;
    this.peek.switchModel(model);
    this.toolbar.build(model);
    this.map.setUnder(null);
    this.refit.switchModel(model, this.explore.queries);
    this.training.switchModel(model, this.explore.queries);
  }

  /** The page was given new data. */
  update() {
    this.toolbar.set(this.view);
    this.placeStars();
    this.map.applyTheme();
  }

  leave() {
    this.refit.close();
    this.training.close();
  }

  /** The map that is fitted anew and shown; null for the model's own. */
  get shownRefit() {
    return this.view.projection === "umap" ? refitOf(this.data.model) : null;
  }

  /**
   * The map that live questions are to place codes on.
   * @returns {Placing}
   */
  get placing() {
    const refit = this.shownRefit;
    return refit ? { projection: "refit", x: refit.number >> 8, y: refit.number & 0xff } : this.view;
  }

  /** @param {View} view */
  changeView(view) {
    this.showView(view);
    this.explore.ask();
    this.placeStars();
    this.explore.report("view", view);
  }

  /** @param {View} view */
  showView(view) {
    this.view = view;
    this.lookAway();
    this.toolbar.set(view);
    this.refit.setProjection(view.projection);
    this.training.allow(!this.shownRefit);
    this.map.show(this.data.model, view, this.shownRefit).then(
      () => this.mapShown(),
      (error) => {
        this.problem = `The map cannot be shown: ${error.message}`;
        this.explore.say(this.problem);
      },
    );
  }

  mapShown() {
    if (this.problem) this.explore.say("");
    this.problem = "";
    if (this.toolbar.density.checked && !this.map.contours) this.showDensity();
    this.explore.toPanels("viewChanged");
  }

  /** A map was fitted anew, or the stored one is wanted back. */
  refitted() {
    this.showView(this.view);
    this.explore.ask();
    this.placeStars();
  }

  /** The server does not know the refitted map any more; says whether there was one. */
  forgetRefit() {
    if (!this.shownRefit) return false;
    this.refit.showStored();
    this.explore.say("The server forgot the map that was fitted anew; this is the stored one.");
    return true;
  }

  showDensity() {
    if (!this.toolbar.density.checked) return this.map.setContours(null);
    const { projection, x, y } = this.view;
    const { drawn } = this.map;
    return this.queries.ask("density", { projection, x, y, refit: this.shownRefit?.number ?? null }).then(
      (field) => {
        const [xs, ys, density] = [field.x, field.y, field.density].map(floatsOf);
        if (this.map.drawn === drawn && this.toolbar.density.checked)
          this.map.setContours({ x: xs, y: ys, density, levels: field.levels });
      },
      (error) => (error.code === GONE && this.forgetRefit()) || this.explore.say(error.message),
    );
  }

  lookAway() {
    this.peek.lookAway();
    this.explore.live?.cancel("peek");
  }

  /**
   * What lies at a place: of a training image its own picture, elsewhere what the map makes of the place.
   * @param {Place} place
   * @param {(answer: LiveAnswer) => void} onAnswer
   */
  peekAt({ x, y, training }, onAnswer) {
    const { live, z } = this.explore;
    if (training === undefined) live.ask("peek", PEEK, this.placing, [x, y, ...z], onAnswer);
    else live.ask("peek", DECODE, this.placing, this.training.points.codeOf(training), onAnswer);
  }

  /** @param {Place} place */
  loadPlace({ x, y, training }) {
    const { live, z } = this.explore;
    const pick = { before: Float32Array.from(z) };
    this.pick = pick;
    if (training !== undefined) return this.explore.load(this.training.points.codeOf(training));
    live.ask("load", PEEK, this.placing, [x, y, ...z], ({ codes }) => {
      if (pick === this.pick) this.explore.load(codes);
    });
  }

  /** What was picked was the first half of a double-click; its code may be on its way still. */
  takeBack() {
    if (this.pick) this.explore.load(this.pick.before);
    this.pick = null;
  }

  /**
   * What is known of a training image, line by line.
   * @param {number} image
   */
  aboutTraining(image) {
    const { labels, trained } = this.training.points;
    return [
      this.data.model.labelNames[labels[image]],
      trained[image] ? "seen in training" : "seen when weights were chosen",
    ];
  }

  async placeStars() {
    const { pictures } = this.data;
    const { shownRefit: refit, placing } = this;
    const placed = refit ? await this.placedOn(placing, pictures) : pictures;
    if (pictures !== this.data.pictures || refit !== this.shownRefit) return; // meanwhile
    const view = refit ? placing : this.view;
    this.map.marks.setStars(starsOf(placed, view, this.data.chosen), { onPick: (id) => this.explore.choose(id) });
  }

  /**
   * Pictures with their places on a map that was fitted anew, which Python does not know.
   * @param {Placing} placing
   * @param {Picture[]} pictures
   * @returns {Promise<Picture[]>}
   */
  async placedOn(placing, pictures) {
    const most = this.explore.limits.pathCodes;
    const starts = Array.from({ length: Math.ceil(pictures.length / most) }, (_, i) => i * most);
    const parts = starts.map((start) => this.placesOf(placing, pictures.slice(start, start + most), `stars ${start}`));
    const places = (await Promise.all(parts)).flat();
    return pictures.map((picture, i) => ({ ...picture, places: { refit: places[i] } }));
  }

  /**
   * @param {Placing} placing
   * @param {Picture[]} pictures
   * @param {string} slot
   * @returns {Promise<number[][]>}
   */
  placesOf(placing, pictures, slot) {
    const codes = pictures.flatMap(({ mean }) => mean);
    return new Promise((resolve) => {
      this.explore.bulk.ask(slot, PATH, placing, codes, ({ places }) =>
        resolve(pictures.map((_, i) => [places[2 * i], places[2 * i + 1]])),
      );
    });
  }
}
