// Interpolate: keyframes, the paths through them on the map, and their pictures as an animation, side by side.
//
// All pictures of the paths are decoded in batches and kept; playing and scrubbing then only paint, at the display's
// own rate. Python is told of keyframes and settings when they settle.

import { CHANGED } from "../engine/refusal.js";
import { PATH, PEEK } from "../engine/source.js";
import { channelText, isOtherModel, mounting } from "../host/component.js";
import { copy, interpolateLink, leftOut } from "../host/link.js";
import { isSame, NavigationGuard } from "../host/navigation_guard.js";
import { Store } from "../host/store.js";
import { LatentMap } from "../map/latent_map.js";
import { starsOf } from "../map/stars.js";
import { PeekCard } from "../map_tools/peek.js";
import { Toolbar } from "../map_tools/toolbar.js";
import { Curves } from "../playback/curves.js";
import { PathMarks } from "../playback/path_marks.js";
import { AnimationPaths, lineAlong } from "../playback/paths.js";
import { Player } from "../playback/player.js";
import { Screens } from "../playback/screens.js";
import { el } from "../ui/dom.js";
import { button } from "../ui/fields.js";
import { Tabs } from "../ui/tabs.js";
import { sentence } from "../ui/text.js";
import { ExportPanel } from "./export_panel.js";
import { GridPanel } from "./grid.js";
import { KeyframeStrip } from "./keyframes.js";
import { PathPanel } from "./path_panel.js";
import { Sources } from "./sources.js";

const ASKED_MS = 60; // after the last of several changes
const PYTHON_BACK_MS = 2000; // Streamlit's own connection comes back later than ours
const LINK_TITLE = "An address that shows this model, map, keyframes and way of playing";

/**
 * @typedef {import("../engine/payloads.js").Animation} Animation
 * @typedef {import("../engine/payloads.js").InterpolateData} InterpolateData
 * @typedef {import("../engine/payloads.js").Keyframe} Keyframe
 * @typedef {import("../engine/payloads.js").View} View
 * @typedef {import("../engine/source.js").LiveState} LiveState
 * @typedef {{keyframes: Keyframe[]} & Animation} State
 */

export class Interpolate {
  /** @param {import("../host/component.js").Context} context */
  constructor({ shadow, source, host, limits }) {
    this.shadow = shadow;
    this.source = source;
    this.host = host;
    this.limits = limits;
    /** @type {InterpolateData | null} */
    this.data = null;
    /** @type {View | null} */
    this.view = null; // how the map is shown
    /** @type {Record<string, string>} */
    this.troubles = {}; // of the live channels
    this.wasLost = false; // the channel of what moves
    this.channel = el("p", { class: "note", role: "status" });
    this.note = el("p", { class: "note", role: "status" });
    /** @type {Store<State>} */
    this.store = new Store(() => this.report("studio", this.reported()));
    this.guard = new NavigationGuard({ settle: () => this.store.settle(), isKept: () => this.isKept() });
    this.toolbar = new Toolbar((view) => this.changeView(view));
    this.sources = new Sources(this);
    this.strip = new KeyframeStrip({
      onChange: (keyframes) => this.store.set({ keyframes }),
      onGo: (place) => this.goTo(place),
      fewest: limits.keyframes[0],
    });
    this.strip.actions.append(button("Copy link", LINK_TITLE, () => this.copyLink()));
    this.paths = new AnimationPaths({
      onOutline: (outline) => this.player.setOutline(outline),
      onTrack: () => this.drawTracks(),
      onFrames: (done, all) => this.framesCame(done, all),
      onProblem: (kind, text) => this.screens.setProblem(kind, text),
      position: () => this.player.index,
      pathCodes: limits.pathCodes,
    });
    this.screens = new Screens((kinds) => this.store.set({ kinds }));
    this.player = new Player({
      onFrame: (index) => this.showFrame(index),
      isReady: (index) => this.paths.isReady(index),
      onSettings: (change) => this.store.set(change),
    });
    this.peek = new PeekCard(this);
    this.curves = new Curves((share) => this.player.scrubTo(Math.round(share * (this.player.count - 1))));
    this.pathPanel = new PathPanel(this.store, limits, (text) => this.say(text));
    this.exportPanel = new ExportPanel(this);
    this.gridPanel = new GridPanel(this);
    const exporting = source.can.has("export") ? [this.exportPanel] : [];
    this.panels = [this.pathPanel, ...exporting, this.gridPanel];
    this.store.on(["keyframes"], ({ keyframes }) => this.keyframesChanged(keyframes));
    this.store.on(["loop", "speed"], (state) => this.player.set(state));
    this.store.on(["kinds"], ({ kinds }) => this.screens.setKinds(kinds));
    this.store.on(["tab"], ({ tab }) => (this.element.dataset.tab = tab));
    this.store.on(["tab"], ({ tab }) => this.player.setShown(tab !== "grid")); // which takes the screens' room
    this.store.on(["keyframes", "kinds", "framesPerLeg", "easing", "loop"], () => this.pathsChanged());
  }

  /**
   * @param {InterpolateData} data
   * @param {InterpolateData | null} before
   */
  update(data, before) {
    const switched = isOtherModel(before, data);
    if (switched) this.switchModel(data);
    if (!this.view) this.showView(data.view); // after that the page's own counts: Python's may be on its way
    this.toolbar.set(this.view);
    this.sources.takePictures(data);
    if (!switched && before.session !== data.session) this.restarted();
    this.placeStars();
    this.map.applyTheme();
    this.guard.heard();
  }

  /**
   * @param {string} kind
   * @param {any} value
   */
  report(kind, value) {
    this.guard.report(() => this.host.report(kind, value));
  }

  /** Keyframes and settings as Python keeps them. */
  reported() {
    const { keyframes, ...animation } = this.store.state;
    return { keyframes, animation };
  }

  /** Whether Python has them, and the view. */
  isKept() {
    return isSame([this.data.studio, this.data.view], [this.reported(), this.view]);
  }

  /** @param {string} text */
  say(text) {
    this.note.textContent = sentence(text);
  }

  // -- building ------------------------------------------------------------------------------------------------

  build() {
    /** @type {import("../map/latent_map.js").Hooks} */
    const hooks = {
      onPeek: (place, px) => this.peek.lookAt(place, px),
      onLeave: () => this.lookAway(),
      onLoad: (place) => this.sources.addPlace(place),
      verb: "adds",
      onGone: () => this.leave(),
    };
    this.map = new LatentMap(this.source, hooks, PathMarks);
    this.marks = /** @type {PathMarks} */ (this.map.marks);
    this.map.overlay.append(this.peek.element);
    this.tabs = new Tabs(this.panels, (key) => this.turnTo(key));
    const left = el("section", { class: "left", "aria-label": "Latent map and what lies along the paths" });
    left.append(this.toolbar.element, this.map.element, this.curves.element);
    const right = el("section", { class: "right", "aria-label": "Keyframes and animation" });
    right.append(
      this.strip.element,
      this.sources.element,
      this.channel,
      this.note,
      this.screens.element,
      this.player.element,
      this.tabs.element,
    );
    this.element = el("div", { class: "page interpolate" }, left, right);
    this.sources.pictures.acceptDrops(this.element);
    this.listening = new AbortController();
    const { signal } = this.listening;
    window.addEventListener("keydown", (event) => this.keyed(event), { signal });
    this.guard.listen(this.element, signal);
    this.shadow.append(this.element);
    if (!matchMedia("(prefers-reduced-motion: reduce)").matches) this.player.setPlaying(true);
  }

  /** @param {InterpolateData} data */
  switchModel({ model, graph, studio }) {
    this.close();
    this.live = this.source.live(model, (...news) => this.channelChanged("live", ...news));
    this.bulk = this.source.live(model, (...news) => this.channelChanged("bulk", ...news));
    this.troubles = {};
    this.say("");
    this.queries = this.source.asks(model);
    this.paths.use(this.queries, this.bulk, model);
    this.toolbar.build(model);
    this.peek.switchModel(model);
    for (const part of [this.strip, this.sources, this.screens, ...this.panels]) part.setModel({ ...model, graph });
    this.marks.clear(); // nothing of the model before lies on the new one's map
    this.view = null;
    this.store.load({ keyframes: studio.keyframes, ...studio.animation });
    this.tabs.show(this.store.state.tab);
  }

  /**
   * One of the two channels; each may be busy alone.
   * @param {"live" | "bulk"} channel
   * @param {LiveState} state
   * @param {string} reason
   * @param {string} code
   */
  channelChanged(channel, state, reason, code) {
    if (code === CHANGED) return this.report("view", this.view); // Python tells what the model is now
    const text = channelText(state, reason);
    this.troubles[channel] = state === "refused" ? "" : text;
    if (state === "refused") this.say(text); // which stays when the channel is open again
    this.channel.textContent = this.troubles.live || this.troubles.bulk || "";
    if (channel === "live" && state === "lost") this.wasLost = true; // busy may come between
    if (channel === "live" && state === "open" && this.wasLost) this.comeBack();
  }

  /** After a loss: ask again what failed meanwhile, and have Python run, which tells whether it remembers us. */
  comeBack() {
    this.wasLost = false;
    this.showView(this.view);
    this.pathsChanged();
    setTimeout(() => this.remind(), PYTHON_BACK_MS);
  }

  restarted() {
    this.remind();
    this.say("The server was restarted: pictures that you added have to be added again.");
  }

  /** Python may have forgotten this visit, because the server was restarted; the page did not. */
  remind() {
    this.report("studio", this.reported());
    this.report("view", this.view);
  }

  leave() {
    this.player.stop();
    this.listening.abort();
    this.exportPanel.job?.stop();
    this.close();
  }

  close() {
    this.live?.close();
    this.bulk?.close();
    this.queries?.close();
  }

  // -- keyframes -----------------------------------------------------------------------------------------------

  /** The codes of all keyframes. */
  codes() {
    /** @param {string} id */
    const mean = (id) => this.data.pictures.find((each) => each.id === id).mean;
    return this.store.state.keyframes.map(({ code, picture }) => code ?? mean(picture));
  }

  /** @param {Keyframe[]} keyframes */
  keyframesChanged(keyframes) {
    this.strip.show(keyframes);
    this.fetchThumbs();
  }

  /** @param {number} place */
  goTo(place) {
    const at = this.player.outline?.positions[place]; // of one that was just added not known yet
    if (at !== undefined) this.player.scrubTo(at);
  }

  fetchThumbs() {
    const { keyframes } = this.store.state;
    if (!this.view || !keyframes) return;
    this.live.ask("thumbs", PATH, this.view, this.codes().flat(), ({ places, frames }) => {
      this.strip.setPictures(keyframes, frames);
      const pins = keyframes.map(({ picture }, i) => ({
        place: { x: places[2 * i], y: places[2 * i + 1] },
        starred: picture !== null,
      }));
      this.marks.setKeyframes(pins);
    });
  }

  async copyLink() {
    const { keyframes, animation: all } = this.reported();
    const { export: _, ...animation } = all; // how files are made is each person's own
    const { model } = this.data;
    const shown = { model, view: this.view, keyframes, codes: this.codes(), animation };
    const { link, kept } = interpolateLink(shown, this.limits);
    const copied = await copy(link);
    const news = copied ? "The link is in the clipboard." : `The browser does not let pages copy; the link is ${link}`;
    this.say(`${news} ${leftOut(kept, keyframes.length)}`.trim());
  }

  // -- paths ---------------------------------------------------------------------------------------------------

  pathsChanged() {
    clearTimeout(this.soon);
    this.soon = setTimeout(() => {
      const { kinds, framesPerLeg, easing, loop } = this.store.state;
      this.paths.want({ keyframes: this.codes(), kinds, framesPerLeg, easing, loop });
    }, ASKED_MS);
  }

  drawTracks() {
    this.curves.draw(this.paths.shown(), this.player.outline?.positions ?? []);
    this.exportPanel.show();
  }

  /**
   * @param {number} done
   * @param {number} all
   */
  framesCame(done, all) {
    const { outline } = this.player;
    this.marks.setPaths(this.paths.shown().map(({ kind, places }) => ({ kind, places: lineAlong(places, outline) })));
    this.player.setLoaded(all ? done / all : 1);
  }

  /** @param {number} index */
  showFrame(index) {
    const tracks = this.paths.shown();
    this.screens.show(tracks, index);
    const placed = tracks.filter(({ places }) => places[index]);
    this.marks.setPlaying(placed.map(({ kind, places }) => ({ kind, place: places[index] })));
    this.curves.show(index);
    this.strip.markCurrent(this.player.outline.positions.findLastIndex((at) => at <= index));
  }

  // -- map and keys --------------------------------------------------------------------------------------------

  /** @param {View} view */
  changeView(view) {
    this.showView(view);
    this.placeStars();
    this.report("view", view);
  }

  /**
   * @param {import("../map/latent_map.js").Place} place
   * @param {(answer: import("../engine/source.js").LiveAnswer) => void} onAnswer
   */
  peekAt({ x, y }, onAnswer) {
    this.live.ask("peek", PEEK, this.view, [x, y, ...this.data.z], onAnswer);
  }

  lookAway() {
    this.peek.lookAway();
    this.live?.cancel("peek");
  }

  /** @param {View} view */
  showView(view) {
    this.lookAway();
    this.view = view;
    this.map.show(this.data.model, view).catch((error) => this.say(`The map cannot be shown: ${error.message}`));
    this.paths.setView(view);
    this.fetchThumbs();
  }

  placeStars() {
    this.map.marks.setStars(starsOf(this.data.pictures, this.view, null), {
      verb: "Add",
      onPick: (id) => this.sources.addPicture(id),
    });
  }

  /** @param {string} tab */
  turnTo(tab) {
    this.store.set({ tab });
    if (tab === this.gridPanel.key) this.gridPanel.shown();
  }

  /** @param {KeyboardEvent} event */
  keyed(event) {
    const [target, ...around] = /** @type {Element[]} */ (event.composedPath());
    const ours = target === document.body || around.includes(this.element);
    if (ours && !event.altKey && !event.ctrlKey && !event.metaKey) this.player.keyed(event, target);
  }
}

export const mount = mounting(Interpolate, ["map", "map_tools", "playback", "interpolate"]);
