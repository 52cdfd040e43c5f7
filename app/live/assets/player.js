// Interpolate: two ends, the path between them on the map, and its pictures as an animation.
//
// All pictures of a path come in one batch; playing and scrubbing then only paint, at the display's own rate.

import { channelText, isOtherModel, mounting, report } from "./component.js";
import { el, renew } from "./dom.js";
import { DATA_DRAW, priorDraw } from "./draws.js";
import { LatentMap } from "./map.js";
import { paint, savePNG, sizeCanvas } from "./pixels.js";
import { LiveSocket, PATH, PEEK } from "./socket.js";
import { starsOf } from "./stars.js";
import { Toolbar } from "./toolbar.js";

const SECONDS = 3; // of one way along the path
const STRIP = 9; // pictures in the strip under the large one
const SAVED_SCALE = 16;
const ENDS = ["start", "end"];

class Player {
  constructor(shadow, root) {
    this.shadow = shadow;
    this.root = root;
    this.active = "start"; // the end that a click on the map sets
    this.position = 0; // in frames
    this.direction = 1;
    this.frames = [];
    this.places = [];
    this.decoded = el("canvas", { "data-testid": "decoded", role: "img", "aria-label": "The picture at this position" });
    this.note = el("p", { class: "note", role: "status" });
    this.toolbar = new Toolbar((view) => this.changeView(view));
    this.strip = Array.from({ length: STRIP }, () => el("canvas", { class: "frame", "data-testid": "frame" }));
  }

  update(data, before) {
    if (isOtherModel(before, data)) this.switchModel(data);
    const viewChanged = JSON.stringify(this.view) !== JSON.stringify(data.view);
    if (viewChanged) this.showView(data.view);
    if (viewChanged || before?.path !== data.path) this.fetchPath();
    this.toolbar.set(this.view);
    this.showEnds();
    this.placeStars();
    this.map.applyTheme();
  }

  // -- building ------------------------------------------------------------------------------------------------

  build(data) {
    this.map = new LatentMap(this.root, data.plotlyVersion, {
      onLoad: (place) => this.setFromMap(place),
      onGone: () => this.leave(),
    });
    const left = el("section", { class: "left", "aria-label": "Latent map and its settings" }, this.toolbar.element, this.map.element);
    const right = el("section", { class: "right", "aria-label": "Interpolation" });
    right.append(this.buildEnds(), this.buildKinds(), this.decoded, this.buildStrip(), this.buildControls(), this.note);
    this.shadow.append(el("div", { class: "bench player" }, left, right));
    requestAnimationFrame((now) => this.tick(now));
  }

  buildEnds() {
    this.ends = Object.fromEntries(ENDS.map((which) => [which, this.buildEnd(which)]));
    return el("div", { class: "ends" }, ...ENDS.map((which) => this.ends[which].element));
  }

  buildEnd(which) {
    const title = which === "start" ? "Start" : "End";
    const canvas = el("canvas", { class: "frame" });
    const name = el("span", { class: "end-name" });
    const pick = el(
      "button",
      { class: "end-pick", title: `Set the ${which} by a click on the map`, onclick: () => this.activate(which) },
      canvas,
      el("span", {}, el("strong", {}, title), name),
    );
    const send = (text, help, value) =>
      el("button", { class: "action small", title: help, onclick: () => this.send(which, value) }, text);
    const prior = send("", "", { source: "prior" });
    const data = send(DATA_DRAW.text, DATA_DRAW.title, { source: "data" });
    const sliders = send("Sliders", "The code of the sliders on Explore", { source: "sliders" });
    const sources = el("div", { class: "actions" }, prior, data, sliders);
    const pictures = el("span", { class: "examples" });
    return { element: el("div", { class: "end" }, pick, sources, pictures), canvas, name, pick, prior, pictures };
  }

  buildKinds() {
    const button = (kind, text, title) =>
      el("button", { class: "action small", title, onclick: () => report(this.component, "path", kind) }, text);
    this.kinds = {
      linear: button("linear", "Linear", "The straight line between the codes"),
      spherical: button("spherical", "Spherical", "Along an arc that keeps the norm between the ends' norms"),
    };
    const swap = el("button", { class: "action small", onclick: () => report(this.component, "swap", true) }, "Swap ends");
    return el("div", { class: "actions kinds", role: "group", "aria-label": "Path" }, ...Object.values(this.kinds), swap);
  }

  buildStrip() {
    this.strip.forEach((canvas, i) =>
      canvas.addEventListener("click", () => this.goTo((i / (STRIP - 1)) * (this.frames.length - 1))),
    );
    return el("div", { class: "filmstrip" }, ...this.strip);
  }

  buildControls() {
    this.playButton = el("button", { class: "action primary play", onclick: () => this.setPlaying(!this.playing) });
    this.loop = el("input", { type: "checkbox", checked: true });
    this.scrub = el("input", { type: "range", min: 0, step: 1, "aria-label": "Position", oninput: () => this.scrubbed() });
    const save = el("button", { class: "action small", onclick: () => savePNG(this.decoded, "interpolation.png", SAVED_SCALE) });
    save.append("Save picture");
    this.setPlaying(!matchMedia("(prefers-reduced-motion: reduce)").matches);
    return el("div", { class: "controls" }, this.playButton, this.scrub, el("label", {}, this.loop, "Loop"), save);
  }

  switchModel({ model }) {
    this.socket?.close();
    this.socket = new LiveSocket(this.root, model, (state, reason) => this.socketChanged(state, reason));
    for (const canvas of [this.decoded, ...this.strip, ...ENDS.map((w) => this.ends[w].canvas)]) {
      sizeCanvas(canvas, model.shape);
    }
    this.toolbar.build(model);
    for (const which of ENDS) Object.assign(this.ends[which].prior, priorDraw(model));
    this.view = null;
    this.frames = [];
  }

  socketChanged(state, reason) {
    this.note.textContent = channelText(state, reason);
    if (state === "open" && this.wasLost) this.showView(this.view); // a map that could not be fetched meanwhile
    this.wasLost = state === "lost";
  }

  leave() {
    this.gone = true;
    this.socket.close();
  }

  // -- ends ----------------------------------------------------------------------------------------------------

  send(which, value) {
    report(this.component, "end", { which, ...value });
  }

  activate(which) {
    this.active = which;
    this.showEnds();
  }

  setFromMap({ x, y }) {
    const current = this.codes?.subarray(0, this.data.model.latentDim) ?? new Float32Array(this.data.model.latentDim);
    this.socket.ask("load", PEEK, this.view, [x, y, ...current], ({ codes }) => {
      this.send(this.active, { source: "map", code: Array.from(codes) });
      this.activate(this.active === "start" ? "end" : "start");
    });
  }

  showEnds() {
    const { ends, pictures, kind } = this.data;
    ENDS.forEach((which) => {
      const end = this.ends[which];
      end.name.textContent = ends[which];
      end.pick.setAttribute("aria-pressed", which === this.active);
      renew(end.pictures, pictures, () => pictures.map((picture) => this.pictureButton(which, picture)));
    });
    for (const [name, button] of Object.entries(this.kinds)) button.setAttribute("aria-pressed", name === kind);
  }

  pictureButton(which, { id, name, image }) {
    const label = `${name} as ${which}`;
    const choose = () => this.send(which, { source: "picture", id });
    const button = el("button", { class: "thumb", title: label, "aria-label": label, onclick: choose });
    button.append(el("img", { src: `data:image/png;base64,${image}`, alt: "" }));
    return button;
  }

  // -- map -----------------------------------------------------------------------------------------------------

  changeView(view) {
    report(this.component, "view", view);
  }

  showView(view) {
    this.view = view;
    this.map.show(this.data.model, view).catch((error) => (this.note.textContent = error.message));
  }

  placeStars() {
    this.map.setStars(starsOf(this.data.pictures, this.view, null), {
      verb: "Use",
      onPick: (id) => this.send(this.active, { source: "picture", id }),
    });
  }

  // -- pictures of the path --------------------------------------------------------------------------------------

  fetchPath() {
    const bytes = Uint8Array.from(atob(this.data.path), (letter) => letter.charCodeAt(0));
    this.codes = new Float32Array(bytes.buffer);
    this.socket.ask("path", PATH, this.view, this.codes, ({ places, frames }) => {
      this.frames = frames;
      this.places = frames.map((_, i) => ({ x: places[2 * i], y: places[2 * i + 1] }));
      this.map.setPaths([{ places: this.places, kind: this.data.kind }]);
      this.scrub.max = frames.length - 1;
      this.showStrip();
      this.goTo(Math.min(this.position, frames.length - 1));
    });
  }

  showStrip() {
    const { shape } = this.data.model;
    const last = this.frames.length - 1;
    this.strip.forEach((canvas, i) => paint(canvas, this.frames[Math.round((i / (STRIP - 1)) * last)], shape));
    paint(this.ends.start.canvas, this.frames[0], shape);
    paint(this.ends.end.canvas, this.frames[last], shape);
  }

  goTo(position) {
    this.position = position;
    const index = Math.round(position);
    if (!this.frames[index]) return;
    paint(this.decoded, this.frames[index], this.data.model.shape);
    this.map.moveMarker(this.places[index]);
    this.scrub.value = index;
    this.scrub.style.setProperty("--filled", `${(100 * index) / Math.max(1, this.frames.length - 1)}%`);
  }

  scrubbed() {
    this.setPlaying(false);
    this.goTo(Number(this.scrub.value));
  }

  setPlaying(playing) {
    this.playing = playing;
    this.playButton.textContent = playing ? "Pause" : "Play";
    this.lastTick = null;
  }

  tick(now) {
    if (this.gone) return;
    if (this.playing && this.frames.length > 1) this.advance(now - (this.lastTick ?? now));
    this.lastTick = now;
    requestAnimationFrame((next) => this.tick(next));
  }

  /** Forth and back while looping; else once from start to end. */
  advance(elapsedMs) {
    const last = this.frames.length - 1;
    let next = this.position + (this.direction * elapsedMs * last) / (1000 * SECONDS);
    if (next > last && !this.loop.checked) {
      this.setPlaying(false);
      next = last;
    }
    if (next >= last) this.direction = -1;
    if (next <= 0) this.direction = 1;
    this.goTo(Math.min(last, Math.max(0, next)));
  }
}

export const mount = mounting(Player);
