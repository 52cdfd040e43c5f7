// Where keyframes come from: random draws, a reference image, the sliders on Explore, the map, the person's pictures.

import { el } from "./dom.js";
import { DATA_DRAW, gaussian, priorDraw } from "./draws.js";
import { button } from "./fields.js";
import { shortened } from "./names.js";
import { mountPictures } from "./pictures.js";
import { DRAW, PEEK } from "./socket.js";

const FEWEST = 2; // keyframes, as vae_core.latent.timeline takes
const MOST = 64;
const LONGEST_NAME = 200; // as app/session/interpolate.py takes

export class Sources {
  /** @param {object} studio desk, live, queries, view, data, tell(kind, value), say(text) */
  constructor(studio) {
    this.studio = studio;
    this.asked = 0;
    this.prior = button("", "", () => this.add("prior", "N(0, I) draw", gaussian(studio.data.model.latentDim)));
    this.adding = [
      this.prior,
      button(DATA_DRAW.text, DATA_DRAW.title, () => this.ask(DRAW, [], (code) => this.add("data", "like the data", code))),
      button("Random (image)", "The code of a reference image", () => this.addReference(Math.floor(Math.random() * studio.data.model.references))),
      button("Sliders", "The code of the sliders on Explore", () => this.add("sliders", "sliders", studio.data.z)),
    ];
    this.pictures = mountPictures({
      onAdd: (files) => studio.tell("added", files),
      onExample: () => {}, // there are none on this page
      onChoose: (id) => this.addPicture(id),
      onRemove: (id) => this.removePicture(id),
      onProblem: (text) => studio.say(text),
      verb: "Add",
    });
    const buttons = el("div", { class: "actions" }, el("span", { class: "or" }, "Add"), ...this.adding, this.pictures.element);
    this.element = el("div", { class: "sources", role: "group", "aria-label": "Add keyframes" }, buttons);
    studio.desk.on(["keyframes"], ({ keyframes }) => this.setRoom(keyframes.length < MOST));
  }

  setModel(model) {
    Object.assign(this.prior, priorDraw(model));
    this.known = new Set(this.studio.data.pictures.map(({ id }) => id));
  }

  setRoom(hasRoom) {
    for (const each of this.adding) each.disabled = !hasRoom;
  }

  /**
   * @param {"prior" | "data" | "reference" | "sliders" | "map" | "picture"} source
   * @param {string} name
   * @param {ArrayLike<number> | null} code null for a picture
   * @param {string | null} picture its id
   */
  add(source, name, code, picture = null) {
    const { desk } = this.studio;
    const { keyframes } = desk.state;
    if (keyframes.length >= MOST) return this.studio.say(`There are ${MOST} keyframes already; remove one first.`);
    this.studio.say("");
    const added = { name: shortened(name, LONGEST_NAME), source, code: code && Array.from(code), picture };
    desk.set({ keyframes: [...keyframes, added] });
  }

  addPicture(id) {
    const picture = this.studio.data.pictures.find((each) => each.id === id);
    if (picture) this.add("picture", picture.name || "a picture", null, id);
  }

  addReference(index) {
    const add = ({ label, code }) => this.add("reference", `${label} · #${index}`, code);
    this.studio.queries.ask("code", { index }, this.nextSlot()).then(add, (error) => this.studio.say(error.message));
  }

  /** What lies at a place of the map; on a map of two dimensions the others are those of the sliders. */
  addPlace({ x, y, index }) {
    if (index !== undefined) this.addReference(index);
    else this.ask(PEEK, [x, y, ...this.studio.data.z], (code) => this.add("map", "on the map", code));
  }

  /** Ask for one code, which counts however many are asked for after it. */
  ask(kind, values, onCode) {
    this.studio.live.ask(this.nextSlot(), kind, this.studio.view, values, ({ codes }) => onCode(codes));
  }

  nextSlot() {
    this.asked += 1;
    return `keyframe ${this.asked}`;
  }

  removePicture(id) {
    this.studio.desk.settle(); // in order: Python takes the picture's keyframes away
    this.studio.tell("removed", id);
  }

  /** Take over the person's pictures: new ones become keyframes; keyframes of those that are gone go too. */
  takePictures({ pictures, studio }) {
    const { desk } = this.studio;
    const there = new Set(pictures.map(({ id }) => id));
    const kept = desk.state.keyframes.filter(({ picture }) => !picture || there.has(picture));
    if (kept.length < FEWEST) desk.set({ keyframes: studio.keyframes }); // Python has filled them up
    else if (kept.length < desk.state.keyframes.length) desk.set({ keyframes: kept });
    for (const { id } of pictures) if (!this.known.has(id)) this.addPicture(id);
    this.known = there;
    this.pictures.update({ pictures, examples: [], chosen: null, strip: null });
  }
}
