// Explore: the map, the decoded picture and a slider for each dimension, in one component.
//
// Nothing reruns while something is dragged: the page asks the server over its own socket, and tells Python only
// when a value is settled. Python's own changes come with a revision number, so that an answer that was on its way
// while the person moved on never takes a slider back.

import { movedAlong } from "../engine/code_arithmetic.js";
import { CHANGED, GONE } from "../engine/refusal.js";
import { DECODE, DRAW } from "../engine/source.js";
import { channelText, isOtherModel, mounting } from "../host/component.js";
import { copy, exploreLink, MOST_SELECTED } from "../host/link.js";
import { isSame, NavigationGuard } from "../host/navigation_guard.js";
import { keepDesk, restoredDesk } from "../host/persistence.js";
import { packed, Store, unpacked } from "../host/store.js";
import { Undo } from "../host/undo.js";
import { DirectionPanel } from "../panels/directions.js";
import { GroupPanel } from "../panels/groups.js";
import { NeighbourPanel } from "../panels/neighbours.js";
import { TraversalPanel } from "../panels/traversals.js";
import { el } from "../ui/dom.js";
import { DATA_DRAW, gaussian, priorDraw } from "../ui/draws.js";
import { mountPictures } from "../ui/pictures.js";
import { paint, savePNG, sizeCanvas } from "../ui/pixels.js";
import { Tabs } from "../ui/tabs.js";
import { cleanName, sentence } from "../ui/text.js";
import { Filmstrips } from "./filmstrips.js";
import { MapSide } from "./map_side.js";
import { SliderPanel } from "./sliders.js";

const SAVED_SCALE = 16; // a saved picture's pixels a side for each of the model's
const KEY_SETTLE_MS = 250; // held arrow keys count as one change
const FEW_DIMENSIONS = 6; // with so few sliders there is room for a larger picture
const PYTHON_BACK_MS = 2000; // Streamlit's own connection comes back later than ours
const MANY_DIMENSIONS = 32; // beyond these the principal components come first
const COMPONENTS = 8;

/**
 * @typedef {import("../engine/payloads.js").ExploreData} ExploreData
 * @typedef {import("../engine/payloads.js").Direction} Direction
 * @typedef {import("../engine/payloads.js").View} View
 * @typedef {import("../panels/page.js").Workspace} Workspace
 */

/** @typedef {import("../panels/page.js").ExplorePage} ExplorePage */

/** @implements {ExplorePage} */
export class Explore {
  /** @param {import("../host/component.js").Context} context */
  constructor({ shadow, source, host, limits }) {
    this.shadow = shadow;
    this.source = source;
    this.host = host;
    this.limits = limits;
    /** @type {ExploreData | null} */
    this.data = null;
    /** @type {Float32Array | null} */
    this.z = null; // the code
    /** @type {Direction[] | null} */
    this.components = null; // the leading principal ones, where there are many dimensions
    this.decoded = el("canvas", { "data-testid": "decoded", role: "img", "aria-label": "The decoded picture" });
    this.note = el("p", { class: "note", role: "status" });
    this.channel = el("p", { class: "note", role: "status" });
    this.sliders = new SliderPanel({
      onMove: (dimension, value) => this.move(dimension, value),
      onSettle: (byKey) => this.settle(byKey ? KEY_SETTLE_MS : 0),
      onDirection: (direction, value) => this.moveAlong(direction.vector, value),
      onName: (dimension, name) => this.rename(dimension, name),
      onLock: (dimension, locked) => this.lock(dimension, locked),
      onForget: (direction) => this.forget(direction),
      onVisible: () => this.z && this.films.refresh(this.z),
      nameLength: limits.nameLength,
    });
    this.films = new Filmstrips(this.sliders);
    this.guard = new NavigationGuard({ settle: () => this.settleAll(), isKept: () => this.isKept() });
    /** @type {Store<Workspace>} */
    this.store = new Store((state) => this.reportDesk(packed(state)));
    this.store.on(["names", "locked"], (state) => this.sliders.setNamesAndLocks(state));
    this.store.on(["names"], ({ names }) => this.mapSide.toolbar.setNames(names));
    this.store.on(["directions"], () => this.showDirections());
    this.store.on(["selection"], ({ selection }) => this.mapSide?.map.setSelected(selection));
    this.panels = [GroupPanel, DirectionPanel, NeighbourPanel, TraversalPanel].map((Panel) => new Panel(this));
    this.pictures = mountPictures({
      onAdd: (files) => this.reportAfterDesk("added", files),
      onExample: (index) => this.reportAfterDesk("example", index),
      onChoose: (id) => this.choose(id),
      onRemove: (id) => this.report("removed", id),
      onProblem: (text) => this.say(text),
      limits,
    });
    this.undo = new Undo((direction) => this.step(direction));
    /** @type {ReturnType<typeof setTimeout> | null} */
    this.commitSoon = null;
    this.wasLost = false; // the live channel
  }

  /**
   * @param {ExploreData} data
   * @param {ExploreData | null} before
   */
  update(data, before) {
    const switched = isOtherModel(before, data);
    if (switched) this.switchModel(data);
    if (!switched && before.session !== data.session) this.remind();
    else if (switched || before.revision !== data.revision) this.hydrate(data);
    this.pictures.update(data);
    if (!switched && !isSame(before.pictures, data.pictures)) this.toPanels("offer");
    this.mapSide.update();
    this.guard.heard();
  }

  /**
   * @param {string} kind
   * @param {any} value
   */
  report(kind, value) {
    this.guard.report(() => this.host.report(kind, value));
  }

  /** @param {import("../engine/payloads.js").Desk<string>} desk */
  reportDesk(desk) {
    keepDesk(this.data.model, desk);
    this.report("desk", desk);
  }

  /**
   * Report what has Python load a code: by then it must know which dimensions are locked.
   * @param {string} kind
   * @param {any} value
   */
  reportAfterDesk(kind, value) {
    this.store.settle();
    this.report(kind, value);
  }

  /** Report now what has not settled yet. */
  settleAll() {
    if (this.commitSoon) this.commit();
    this.store.settle();
  }

  /** Whether Python has all that the page shows. */
  isKept() {
    const { z, view, desk } = this.data;
    return isSame([z, view, desk], [Array.from(this.z), this.view, packed(this.store.state)]);
  }

  /** Python forgot this visit, because the server was restarted; the page did not. */
  remind() {
    this.reportAll();
    this.say("The server was restarted: pictures that you added have to be added again.");
  }

  reportAll() {
    this.report("view", this.view);
    this.report("z", Array.from(this.z));
    this.report("desk", packed(this.store.state));
  }

  build() {
    this.mapSide = new MapSide(this);
    const sliders = { key: "sliders", title: "Sliders", element: this.sliders.element };
    this.tabs = new Tabs([sliders, ...this.panels], (key) => this.turnTo(key));
    /**
     * @param {string} text
     * @param {string} title
     * @param {() => void} act
     */
    const button = (text, title, act) => el("button", { class: "action", title, onclick: act }, text);
    this.priorButton = button("", "", () => this.load(gaussian(this.z.length)));
    const actions = el(
      "div",
      { class: "actions" },
      this.priorButton,
      button(DATA_DRAW.text, DATA_DRAW.title, () => this.drawLikeData()),
      button("Random (image)", "The code of a reference image", () =>
        this.loadReference(Math.floor(Math.random() * this.data.model.references)),
      ),
      button("Zero", "Every dimension at 0", () => this.load(new Float32Array(this.z.length))),
      this.undo.undoButton,
      this.undo.redoButton,
      button("Copy link", "An address that shows this model, map, code and selection", () => this.copyLink()),
      button("Save picture", "As PNG", () => savePNG(this.decoded, `${this.data.model.name}.png`, SAVED_SCALE)),
    );
    const beside = el("div", { class: "beside" }, actions, this.pictures.element, this.channel, this.note);
    const stage = el("div", { class: "stage" }, this.decoded, beside);
    const right = el("section", { class: "right", "aria-label": "Picture and sliders" });
    right.append(stage, this.tabs.element);
    this.element = el("div", { class: "page explore" }, this.mapSide.element, right);
    this.listening = new AbortController();
    this.guard.listen(this.element, this.listening.signal);
    this.element.addEventListener("keydown", (event) => this.undo.keyed(event));
    this.pictures.acceptDrops(this.element);
    this.shadow.append(this.element);
  }

  /** @param {ExploreData} data */
  switchModel({ model }) {
    this.say(""); // it was about the model before
    this.leave();
    this.live = this.source.live(model, (...news) => this.liveChanged(...news));
    this.bulk = this.source.live(model, () => {}); // for many pictures at once, which live ones must not wait for
    this.queries = this.source.asks(model);
    sizeCanvas(this.decoded, model.shape);
    this.sliders.build(model);
    this.mapSide.switchModel(model);
    Object.assign(this.priorButton, priorDraw(model));
    this.element.dataset.few = String(model.latentDim <= FEW_DIMENSIONS);
    this.films.use(this.bulk, model);
    this.components = null;
    this.undo.switchModel(model);
    const kept = restoredDesk(model, this.data.desk);
    const desk = unpacked(kept);
    this.store.state = desk;
    this.toPanels("switchModel", model);
    this.store.load(desk);
    this.tabs.show(desk.tab);
    if (kept !== this.data.desk) this.store.set({}); // Python knows nothing of it
    if (model.latentDim > MANY_DIMENSIONS) this.fetchComponents();
  }

  /** The page was left. */
  gone() {
    this.listening.abort();
    this.leave();
  }

  leave() {
    this.live?.close();
    this.bulk?.close();
    this.queries?.close();
    this.mapSide.leave();
  }

  get map() {
    return this.mapSide.map;
  }

  get view() {
    return this.mapSide.view;
  }

  /** Whether training images lie on the map beside the reference images. */
  get showsTrainingImages() {
    return this.mapSide.training.points !== null;
  }

  /**
   * Tell the panels that have such a method.
   * @param {string} method
   * @param {any[]} args
   */
  toPanels(method, ...args) {
    for (const panel of /** @type {any[]} */ (this.panels)) panel[method]?.(...args);
  }

  /** @param {string} key */
  turnTo(key) {
    this.say(""); // it was about the panel before
    this.store.set({ tab: key });
    this.panels.find((panel) => panel.key === key)?.shown();
    this.films.refresh(this.z);
  }

  /** The leading principal components as sliders: what to drag first where there are many dimensions. */
  async fetchComponents() {
    const before = this.data;
    /**
     * @param {number} index
     * @returns {Promise<Direction>}
     */
    const ask = (index) => this.queries.ask("direction", { kind: "component", index }, `component ${index}`);
    const made = await Promise.all(Array.from({ length: COMPONENTS }, (_, i) => ask(i))).catch(() => []);
    if (isOtherModel(before, this.data)) return;
    this.components = made.map((each, i) => ({ ...each, name: `PC ${i + 1}`, builtIn: true }));
    this.showDirections();
    this.toPanels("offer");
  }

  showDirections() {
    this.sliders.setDirections([...this.store.state.directions, ...(this.components ?? [])]);
  }

  /**
   * Take over what Python says: the code, and the view.
   * @param {ExploreData} data
   */
  hydrate({ z, view }) {
    this.cancelCommit();
    this.z = Float32Array.from(z);
    this.undo.remember(this.z);
    this.sliders.set(this.z);
    this.codeSettled();
    if (JSON.stringify(this.view) !== JSON.stringify(view)) this.mapSide.showView(view);
    this.ask();
  }

  /** @type {import("../engine/source.js").OnLiveState} */
  liveChanged(state, reason, code) {
    this.channel.textContent = state === "refused" ? "" : channelText(state, reason);
    if (code === CHANGED) return this.report("view", this.view); // Python tells what the model is now
    if (state === "refused" && !(code === GONE && this.mapSide.forgetRefit())) this.say(channelText(state, reason));
    if (state === "lost") this.wasLost = true;
    if (state === "open" && this.wasLost) this.comeBack();
  }

  /** After a loss: fetch the map that could not be had, and have Python run, which tells whether it remembers us. */
  comeBack() {
    this.wasLost = false;
    this.mapSide.showView(this.view);
    setTimeout(() => this.reportAll(), PYTHON_BACK_MS);
  }

  /** @param {string} text */
  say(text) {
    this.note.textContent = sentence(text);
  }

  // -- the code ------------------------------------------------------------------------------------------------

  /**
   * @param {number} dimension
   * @param {number} value
   */
  move(dimension, value) {
    this.z[dimension] = value;
    this.sliders.follow(this.z);
    this.ask();
  }

  /**
   * Bring the code to a place along a direction; locked dimensions stay.
   * @param {number[]} vector
   * @param {number} value
   */
  moveAlong(vector, value) {
    this.z = movedAlong(this.z, vector, value, this.store.state.locked);
    this.sliders.follow(this.z);
    this.ask();
  }

  ask() {
    this.live.ask("z", DECODE, this.mapSide.placing, this.z, ({ places, frames }) => {
      paint(this.decoded, frames[0], this.data.model.shape);
      this.map.marks.moveMarker({ x: places[0], y: places[1] });
    });
  }

  /**
   * Set the whole code at once, but for dimensions that are locked.
   * @param {ArrayLike<number>} z
   */
  load(z) {
    const { locked } = this.store.state;
    this.show(Float32Array.from(z, (value, i) => (locked.includes(i) ? this.z[i] : value)));
  }

  /** @param {Float32Array} z */
  show(z) {
    this.z = z;
    this.sliders.set(this.z);
    this.ask();
    this.settle(0);
  }

  /** The server draws: the mixture of a model with many dimensions is too large to be sent. */
  drawLikeData() {
    this.live.ask("load", DRAW, this.view, [], ({ codes }) => this.load(codes));
  }

  /** @param {number} afterMs */
  settle(afterMs) {
    this.cancelCommit();
    this.commitSoon = setTimeout(() => this.commit(), afterMs);
  }

  /** What was to be reported of the code is not, since it changes again or somebody else reports it. */
  cancelCommit() {
    clearTimeout(this.commitSoon);
    this.commitSoon = null;
  }

  commit() {
    this.cancelCommit();
    this.sliders.catchUp();
    this.say("");
    this.undo.remember(this.z);
    this.codeSettled();
    this.report("z", Array.from(this.z));
  }

  codeSettled() {
    this.films.refresh(this.z);
    this.toPanels("codeSettled", this.z);
  }

  /**
   * Undo or redo.
   * @param {number} direction -1 or 1
   */
  step(direction) {
    this.cancelCommit(); // what has not settled yet is a step as well
    this.show(this.undo.step(direction, this.z));
  }

  /**
   * Load the code of a reference image by its number.
   * @param {number} index
   */
  loadReference(index) {
    this.queries.ask("code", { index }, "load").then(
      ({ code }) => this.load(code),
      (error) => this.say(error.message),
    );
  }

  async copyLink() {
    const { selection } = this.store.state;
    const link = exploreLink({ model: this.data.model, view: this.view, z: this.z, selection });
    const stored = this.mapSide.shownRefit ? " It shows the stored map: one that was fitted anew is not in it." : "";
    const leftOut =
      selection.length > MOST_SELECTED
        ? ` It leaves out what is selected: more than ${MOST_SELECTED} images would make it too long to send.`
        : "";
    const copied = await copy(link);
    const news = copied ? "The link is in the clipboard." : `The browser does not let pages copy; the link is ${link}`;
    this.say(news + stored + leftOut);
  }

  /**
   * @param {number} dimension
   * @param {string} typed
   */
  rename(dimension, typed) {
    const name = cleanName(typed, this.limits.nameLength);
    const { [dimension]: _, ...others } = this.store.state.names;
    this.store.set({ names: name ? { ...others, [dimension]: name } : others });
  }

  /**
   * @param {number} dimension
   * @param {boolean} locked
   */
  lock(dimension, locked) {
    const others = this.store.state.locked.filter((each) => each !== dimension);
    this.store.set({ locked: locked ? [...others, dimension] : others });
  }

  /** @param {Direction} direction */
  forget(direction) {
    this.store.set({ directions: this.store.state.directions.filter((each) => each !== direction) });
  }

  // -- the map -------------------------------------------------------------------------------------------------

  /**
   * A lasso or a box was drawn.
   * @param {number[]} indices
   */
  select(indices) {
    const tab = indices.length ? "groups" : this.store.state.tab;
    this.tabs.show(tab); // first: a panel does nothing where it is not shown
    this.store.set({ selection: indices, tab });
  }

  /** @param {string} id */
  choose(id) {
    const picture = this.data.pictures.find((each) => each.id === id);
    if (picture) this.load(picture.mean);
    this.cancelCommit(); // Python sets z itself when a picture is chosen: one rerun, not two
    this.reportAfterDesk("chosen", id);
  }
}

export const mount = mounting(Explore, ["map", "map_tools", "panels", "explore"]);
