// Explore: the map, the decoded picture and a slider for each dimension, in one component.
//
// Nothing reruns while something is dragged: the page asks the server over its own socket, and tells Python only
// when a value is settled. Python's own changes come with a revision number, so that an answer that was on its way
// while the person moved on never takes a slider back.

import { channelText, isOtherModel, mounting, report } from "./component.js";
import { el } from "./dom.js";
import { DATA_DRAW, priorDraw } from "./draws.js";
import { LatentMap } from "./map.js";
import { mountPictures } from "./pictures.js";
import { paint, savePNG, sizeCanvas } from "./pixels.js";
import { SliderPanel } from "./sliders.js";
import { DECODE, DRAW, LiveSocket, PEEK } from "./socket.js";
import { starsOf } from "./stars.js";
import { Toolbar } from "./toolbar.js";

const SAVED_SCALE = 16; // a saved picture's pixels a side for each of the model's
const KEY_SETTLE_MS = 250; // held arrow keys count as one change
const FEW_DIMENSIONS = 6; // with so few sliders there is room for a larger picture
const PYTHON_BACK_MS = 2000; // Streamlit's own connection comes back later than ours
const CARD_GAP = 18; // pixels between the pointer and the peek card

const histories = new Map(); // model digest -> codes to go back to; outlives a visit to another page

class Bench {
  constructor(shadow, root) {
    this.root = root;
    this.shadow = shadow;
    this.decoded = el("canvas", { "data-testid": "decoded", role: "img", "aria-label": "The decoded picture" });
    this.peek = el("canvas", { "data-testid": "peek", role: "img", "aria-label": "Decoded under the pointer" });
    this.card = el("div", { class: "peek-card", hidden: true }, this.peek);
    this.note = el("p", { class: "note", role: "status" });
    this.channel = el("p", { class: "note", role: "status" });
    this.sliders = new SliderPanel({
      onMove: (dimension, value) => this.move(dimension, value),
      onSettle: (byKey) => this.settle(byKey ? KEY_SETTLE_MS : 0),
    });
    this.toolbar = new Toolbar((view) => this.changeView(view));
    this.pictures = mountPictures({
      onAdd: (files) => this.tell("added", files),
      onExample: (index) => this.tell("example", index),
      onChoose: (id) => this.choose(id),
      onRemove: (id) => this.tell("removed", id),
      onProblem: (text) => this.say(text),
    });
    this.commitSoon = null;
  }

  update(data, before) {
    const switched = isOtherModel(before, data);
    if (switched) this.switchModel(data);
    if (!switched && before.session !== data.session) this.remind();
    else if (switched || before.revision !== data.revision) this.hydrate(data);
    this.toolbar.set(this.view);
    this.pictures.update(data);
    this.placeStars();
    this.map.applyTheme();
  }

  tell(kind, value) {
    report(this.component, kind, value);
  }

  /** Python forgot this visit, because the server was restarted; the page did not. */
  remind() {
    this.tellAll();
    this.say("The server was restarted: pictures that you added have to be added again.");
  }

  tellAll() {
    this.tell("view", this.view);
    this.tell("z", Array.from(this.z));
  }

  build(data) {
    this.map = new LatentMap(this.root, data.plotlyVersion, {
      onPeek: (place, px) => this.lookAt(place, px),
      onLeave: () => this.lookAway(),
      onLoad: (place) => this.loadPlace(place),
      onGone: () => this.socket.close(),
    });
    this.map.overlay.append(this.card);
    const button = (text, title, act) => el("button", { class: "action", title, onclick: act }, text);
    const actions = el(
      "div",
      { class: "actions" },
      (this.priorButton = button("", "", () => this.load(gaussian(this.z.length)))),
      button(DATA_DRAW.text, DATA_DRAW.title, () => this.drawLikeData()),
      button("Zero", "Every dimension at 0", () => this.load(new Float32Array(this.z.length))),
      (this.undoButton = button("Undo", "Back to the code before", () => this.undo())),
      button("Save picture", "As PNG", () => savePNG(this.decoded, `${this.data.model.name}.png`, SAVED_SCALE)),
    );
    const beside = el("div", { class: "beside" }, actions, this.pictures.element, this.channel, this.note);
    const stage = el("div", { class: "stage" }, this.decoded, beside);
    const left = el("section", { class: "left", "aria-label": "Latent map and its settings" }, this.toolbar.element, this.map.element);
    const right = el("section", { class: "right", "aria-label": "Picture and sliders" });
    right.append(stage, this.sliders.element);
    this.bench = el("div", { class: "bench" }, left, right);
    this.pictures.acceptDrops(this.bench);
    this.shadow.append(this.bench);
  }

  switchModel({ model }) {
    this.socket?.close();
    this.socket = new LiveSocket(this.root, model, (state, reason) => this.socketChanged(state, reason));
    for (const canvas of [this.decoded, this.peek]) sizeCanvas(canvas, model.shape);
    this.sliders.build(model);
    this.toolbar.build(model);
    Object.assign(this.priorButton, priorDraw(model));
    this.bench.dataset.few = model.latentDim <= FEW_DIMENSIONS;
    this.view = null;
  }

  /** Take over what Python says: the code, and the view. */
  hydrate({ z, view }) {
    clearTimeout(this.commitSoon);
    this.z = Float32Array.from(z);
    this.remember();
    this.sliders.set(this.z);
    if (JSON.stringify(this.view) !== JSON.stringify(view)) this.showView(view);
    this.ask();
  }

  socketChanged(state, reason) {
    this.channel.textContent = state === "refused" ? "" : channelText(state, reason);
    if (state === "refused") this.say(channelText(state, reason));
    if (state === "lost") this.wasLost = true;
    if (state === "open" && this.wasLost) this.comeBack();
  }

  /** After a loss: fetch the map that could not be had, and have Python run, which tells whether it remembers us. */
  comeBack() {
    this.wasLost = false;
    this.showView(this.view);
    setTimeout(() => this.tellAll(), PYTHON_BACK_MS);
  }

  say(text) {
    this.note.textContent = text;
  }

  // -- the code ------------------------------------------------------------------------------------------------

  move(dimension, value) {
    this.z[dimension] = value;
    this.ask();
  }

  ask() {
    this.socket.ask("z", DECODE, this.view, this.z, ({ places, frames }) => {
      paint(this.decoded, frames[0], this.data.model.shape);
      this.map.moveMarker({ x: places[0], y: places[1] });
    });
  }

  /** Set the whole code at once. */
  load(z) {
    this.z = Float32Array.from(z);
    this.sliders.set(this.z);
    this.ask();
    this.settle(0);
  }

  /** The server draws: the mixture of a model with many dimensions is too large to be sent. */
  drawLikeData() {
    this.socket.ask("load", DRAW, this.view, [], ({ codes }) => this.load(codes));
  }

  settle(afterMs) {
    clearTimeout(this.commitSoon);
    this.commitSoon = setTimeout(() => this.commit(), afterMs);
  }

  commit() {
    this.say("");
    this.remember();
    this.tell("z", Array.from(this.z));
  }

  get history() {
    const { digest } = this.data.model;
    if (!histories.has(digest)) histories.set(digest, []);
    return histories.get(digest);
  }

  remember() {
    const last = this.history.at(-1);
    if (!last || last.some((value, i) => value !== this.z[i])) this.history.push(Float32Array.from(this.z));
    this.undoButton.disabled = this.history.length < 2;
  }

  undo() {
    clearTimeout(this.commitSoon); // what has not settled yet is a step as well
    this.remember();
    if (this.history.length < 2) return;
    this.history.pop();
    this.load(this.history.at(-1));
  }

  // -- the map -------------------------------------------------------------------------------------------------

  changeView(view) {
    this.showView(view);
    this.ask();
    this.placeStars();
    this.tell("view", view);
  }

  showView(view) {
    this.view = view;
    this.lookAway();
    this.map.show(this.data.model, view).then(
      () => this.mapProblem && this.say((this.mapProblem = "")),
      (error) => this.say((this.mapProblem = `The map cannot be shown: ${error.message}`)),
    );
  }

  lookAt(place, px) {
    this.wanted = place;
    this.placeCard(px);
    this.peekAt(place, ({ frames }) => {
      paint(this.peek, frames[0], this.data.model.shape);
      this.card.hidden = this.wanted === null;
    });
  }

  lookAway() {
    this.wanted = null;
    this.card.hidden = true;
    this.socket?.cancel("peek");
  }

  peekAt({ x, y }, onAnswer) {
    this.socket.ask("peek", PEEK, this.view, [x, y, ...this.z], onAnswer);
  }

  loadPlace({ x, y }) {
    this.socket.ask("load", PEEK, this.view, [x, y, ...this.z], ({ codes }) => this.load(codes));
  }

  /** Beside the pointer, on the side where there is room, and never on the map's buttons. */
  placeCard({ x, y }) {
    const { clientWidth } = this.map.element;
    const size = this.card.offsetWidth || 112;
    const left = x + CARD_GAP + size < clientWidth ? x + CARD_GAP : x - CARD_GAP - size;
    const top = Math.max(36, y - size - CARD_GAP / 2);
    this.card.style.transform = `translate(${left}px, ${top}px)`;
  }

  placeStars() {
    const { pictures, chosen } = this.data;
    this.map.setStars(starsOf(pictures, this.view, chosen), { onPick: (id) => this.choose(id) });
  }

  choose(id) {
    const picture = this.data.pictures.find((each) => each.id === id);
    if (picture) this.load(picture.mean);
    clearTimeout(this.commitSoon); // Python sets z itself when a picture is chosen: one rerun, not two
    this.tell("chosen", id);
  }
}

export const mount = mounting(Bench);

/** n independent draws from N(0, 1), by Box and Muller (1958). */
function gaussian(n) {
  const draw = () => Math.sqrt(-2 * Math.log(1 - Math.random())) * Math.cos(2 * Math.PI * Math.random());
  return Float32Array.from({ length: n }, draw);
}
