// Directions in latent space: from one group to another, principal components, axes; and arithmetic on pictures.

import { combined, overlaps, stepped } from "../engine/code_arithmetic.js";
import { ANYWHERE, PATH } from "../engine/source.js";
import { el } from "../ui/dom.js";
import { button, fill, select, wholeField } from "../ui/fields.js";
import { paint, sizeCanvas } from "../ui/pixels.js";
import { cleanName, dimensionOptions, number, sentence, unusedName } from "../ui/text.js";

const STEPS = [-2, -1, 0, 1, 2]; // of a direction, in its row of pictures
const TOLD_AXES = 3; // axes that a direction overlaps with most
const SHOWN_ROWS = 20; // whose pictures are decoded; more cannot be looked at together
const ARROW = " \u2192 "; // between the names of two groups, which make one of a direction
const BY_PLACE =
  "One group was chosen by where its codes lie, so they lie apart by choice: this says nothing of their pictures.";
const REST = " without others"; // what a direction is called that has lost its parts along others
const COMPONENT_HINT =
  "Where the codes vary most, counted in posterior deviations as distances are; a step is one standard deviation along it";

/**
 * @typedef {import("../engine/payloads.js").Direction} Direction
 * @typedef {import("../engine/payloads.js").NamedGroup<number[]>} NamedGroup
 */

export class DirectionPanel {
  key = "directions";
  title = "Directions";

  /** @param {import("./page.js").ExplorePage} explore */
  constructor(explore) {
    this.explore = explore;
    this.asked = 0;
    this.room = explore.limits.nameLength; // characters
    /** @type {{element: HTMLElement, canvases: HTMLCanvasElement[]}[]} */
    this.rows = [];
    this.from = select("From");
    this.to = select("To");
    this.component = wholeField("Principal component", { min: 1, value: 1 });
    this.axis = select("Axis");
    this.terms = ["A", "B", "C"].map((letter) => select(letter));
    this.list = el("div", { class: "direction-list" });
    this.where = el("p", { class: "note" });
    this.element = el("div", { class: "directions" }, this.makers(), this.list, this.arithmeticRow(), this.storing());
    explore.store.on(["groups", "names"], () => this.offer());
    explore.store.on(["directions"], () => this.showList());
  }

  makers() {
    const between = button("Add direction", "From the mean of one group's codes to that of the other", () =>
      this.addBetween(),
    );
    const component = button("Add", COMPONENT_HINT, () => this.addComponent());
    const axis = button("Add", "One dimension of z", () => this.add({ kind: "axis", index: Number(this.axis.value) }));
    return el(
      "div",
      { class: "makers" },
      el("div", { class: "maker" }, el("span", {}, "From"), this.from, el("span", {}, "to"), this.to, between),
      el("div", { class: "maker" }, el("span", {}, "Principal component"), this.component, component),
      el("div", { class: "maker" }, el("span", {}, "Axis"), this.axis, axis),
    );
  }

  arithmeticRow() {
    const [a, b, c] = this.terms;
    const load = button("Load A \u2212 B + C", "What makes A differ from B, put on C", () => this.calculate());
    return el(
      "div",
      { class: "maker" },
      el("strong", {}, "Arithmetic"),
      a,
      el("span", {}, "\u2212"),
      b,
      el("span", {}, "+"),
      c,
      load,
    );
  }

  storing() {
    const save = button("Save directions", "For the next visit; saved ones of other names stay", () => this.save());
    const load = button("Load saved ones", "Those that are not in the list yet", () => this.loadSaved());
    const hidden = !this.explore.source.can.has("saved-directions");
    return el("div", { class: "stored", hidden }, el("div", { class: "actions" }, save, load), this.where);
  }

  /** @param {import("../engine/payloads.js").Model} model */
  switchModel(model) {
    this.component.max = String(model.latentDim);
    this.where.textContent = "";
    this.offer();
    this.showList();
  }

  shown() {
    this.offer();
    this.decodeRows();
    this.showWhere();
  }

  codeSettled() {
    if (!this.element.offsetParent) return;
    this.decodeRows();
    if (!this.where.textContent) this.showWhere();
  }

  async showWhere() {
    const stored = await this.explore.queries.ask("saved-directions", {}, "where directions are").catch(() => null);
    if (!stored) return;
    const count = stored.directions.length;
    const saved =
      count === 0 ? "None are saved yet. They would be" : count === 1 ? "1 is saved," : `${count} are saved,`;
    this.where.textContent = `${saved} kept in ${stored.file} on the computer that runs this page; everybody who uses it shares them.`;
  }

  /** Groups to choose from: those that were kept, and every label. */
  offer() {
    const { groups } = this.explore.store.state;
    const model = this.explore.data?.model;
    if (!model || !groups) return;
    fill(this.axis, dimensionOptions(model, this.explore.store.state.names));
    /** @type {[string, string][]} */
    const kept = groups.map(({ name }) => [`group ${name}`, name]);
    /** @type {[string, string][]} */
    const labels = model.labelNames.map((name, i) => [`label ${i}`, `${model.labelTitle}: ${name}`]);
    fill(this.from, [...kept, ...labels], 0);
    fill(this.to, [...kept, ...labels], 1);
    /** @type {[string, string][]} */
    const pictures = this.explore.data.pictures.map(({ id, name }) => [`picture ${id}`, name]);
    this.terms.forEach((node, at) => fill(node, [["now", "The sliders' code"], ...pictures, ...kept, ...labels], at));
  }

  /**
   * The kept group that was chosen; undefined for a class.
   * @param {string} choice
   * @returns {NamedGroup | undefined}
   */
  groupOf(choice) {
    return this.explore.store.state.groups.find(({ name }) => choice === `group ${name}`);
  }

  /**
   * The members of a group or class.
   * @param {string} choice
   * @param {string | number} slot keeps apart what is asked for at the same time
   * @returns {Promise<number[]>}
   */
  async membersOf(choice, slot) {
    const group = this.groupOf(choice);
    if (group) return group.indices;
    const [, index] = choice.split(" ");
    const { indices } = await this.explore.queries.ask(
      "select",
      { by: "label", label: Number(index) },
      `members ${slot}`,
    );
    return indices;
  }

  /** @param {string} choice */
  nameOf(choice) {
    const [, index] = choice.split(" ");
    return this.groupOf(choice)?.name ?? this.explore.data.model.labelNames[Number(index)];
  }

  /**
   * Whether a group was chosen by where its codes lie: then it lies apart, whatever its pictures show.
   * @param {string} choice
   */
  isByPlace(choice) {
    return ["map", "range"].includes(this.groupOf(choice)?.origin);
  }

  async addBetween() {
    const [from, to] = [this.from.value, this.to.value];
    const half = Math.floor((this.room - ARROW.length) / 2);
    const ends = [from, to].map((choice) => cleanName(this.nameOf(choice), half));
    const byPlace = this.isByPlace(from) || this.isByPlace(to);
    try {
      const [a, b] = await Promise.all([this.membersOf(from, "from"), this.membersOf(to, "to")]);
      await this.add({ kind: "groups", name: ends.join(ARROW), a, b, byPlace });
    } catch (error) {
      this.explore.say(error.message);
    }
  }

  addComponent() {
    const { value, max } = this.component;
    const index = Number(value) - 1;
    if (Number.isInteger(index) && index >= 0 && index < Number(max)) this.add({ kind: "component", index });
    else this.explore.say(`Principal components of this model are from 1 to ${max}.`);
  }

  /** @param {object} body */
  async add(body) {
    const { store } = this.explore;
    try {
      const made = await this.ask(body);
      const { directions } = store.state; // as they are now
      if (directions.length >= this.most) throw new Error(this.tooMany);
      store.set({ directions: [...directions, { ...made, name: unusedName(made.name, directions, this.room) }] });
      this.explore.say("Its slider stands above the dimensions' under Sliders.");
    } catch (error) {
      this.explore.say(error.message);
    }
  }

  /** Directions that may be kept. */
  get most() {
    return this.explore.limits.directions;
  }

  get tooMany() {
    return `At most ${this.most} directions are kept; remove one first.`;
  }

  /**
   * Ask for a direction, which counts however many are asked for after it.
   * @param {object} body
   * @returns {Promise<Direction>}
   */
  ask(body) {
    this.asked += 1;
    return this.explore.queries.ask("direction", body, `direction ${this.asked}`);
  }

  // -- the list --------------------------------------------------------------------------------------------------

  showList() {
    const { directions } = this.explore.store.state;
    if (!directions) return;
    this.rows = directions.map((direction, i) => this.row(direction, i));
    this.list.replaceChildren(...this.rows.map(({ element }) => element));
    if (this.element.offsetParent) this.decodeRows();
  }

  /**
   * @param {Direction} direction
   * @param {number} i
   */
  row(direction, i) {
    const { name, separation, why, varianceShare } = direction;
    const input = el("input", {
      class: "name",
      type: "text",
      maxlength: this.room,
      value: name,
      "aria-label": `Name of direction ${i + 1}`,
    });
    input.addEventListener("change", () => this.rename(i, cleanName(input.value, this.room)));
    const lines = [];
    if (separation)
      lines.push(
        `Tells held-out members apart: AUROC ${separation.auroc.toFixed(3)} \u00b1 ${separation.error.toFixed(3)}.`,
      );
    if (separation?.byPlace) lines.push(BY_PLACE);
    if (why) lines.push(sentence(why));
    if (varianceShare) lines.push(`${(100 * varianceShare).toFixed(1)}% of the variance.`);
    lines.push(`Overlaps with ${this.overlapOf(direction)}.`);
    const apart = button("Without the others", "Take away what it shares with the directions above", () =>
      this.separate(i),
    );
    apart.disabled = i === 0;
    const away = el(
      "button",
      {
        class: "lock away",
        title: `Remove ${name}`,
        "aria-label": `Remove direction ${name}`,
        onclick: () => this.remove(i),
      },
      "×",
    );
    const canvases = STEPS.map(() => el("canvas", { class: "frame" }));
    const film = STEPS.map((step, k) =>
      el("figure", {}, canvases[k], el("figcaption", {}, step === 0 ? "now" : number(step).replace(".00", ""))),
    );
    const head = el("div", { class: "kept-row" }, input, apart, away);
    const element = el(
      "div",
      { class: "direction-card" },
      head,
      el(
        "p",
        { class: "note", title: `Overlap with every axis: ${this.overlapOf(direction, Infinity)}` },
        lines.join(" "),
      ),
      el("div", { class: "film" }, ...film),
    );
    return { element, canvases };
  }

  /**
   * Its cosines with the axes that it overlaps with most.
   * @param {Direction} direction
   * @param {number} count
   */
  overlapOf({ vector }, count = TOLD_AXES) {
    const shares = overlaps(vector).map((cosine, dimension) => ({ dimension, cosine }));
    const most = shares.toSorted((a, b) => Math.abs(b.cosine) - Math.abs(a.cosine)).slice(0, count);
    return most.map(({ dimension, cosine }) => `z${dimension + 1} ${number(cosine)}`).join(", ");
  }

  /** What each direction makes of the present code, two steps either way. */
  decodeRows() {
    const { directions } = this.explore.store.state;
    const { z } = this.explore;
    if (!directions?.length || z?.length !== directions[0].vector.length) return; // the model was switched just now
    const some = directions.slice(0, SHOWN_ROWS);
    const { rows } = this;
    const codes = some.flatMap(({ vector }) => STEPS.map((step) => stepped(z, vector, step)));
    this.explore.bulk.ask("directions", PATH, ANYWHERE, codes.flat(), ({ frames }) => {
      some.forEach((_, i) => {
        rows[i].canvases.forEach((canvas, k) => {
          sizeCanvas(canvas, this.explore.data.model.shape);
          paint(canvas, frames[i * STEPS.length + k], this.explore.data.model.shape);
        });
      });
    });
  }

  /**
   * @param {number} i
   * @param {string} name empty to leave it
   */
  rename(i, name) {
    const others = this.explore.store.state.directions.toSpliced(i, 1);
    this.change(i, name ? { name: unusedName(name, others, this.room) } : {});
  }

  /**
   * @param {number} i
   * @param {Partial<Direction>} change
   */
  change(i, change) {
    const directions = this.explore.store.state.directions.map((each, at) =>
      at === i ? { ...each, ...change } : each,
    );
    this.explore.store.set({ directions });
  }

  /** @param {number} i */
  remove(i) {
    this.explore.store.set({ directions: this.explore.store.state.directions.toSpliced(i, 1) });
  }

  /** @param {number} i */
  async separate(i) {
    const { directions } = this.explore.store.state;
    const { name, kind, vector } = directions[i];
    const place = () => this.explore.store.state.directions.findIndex((each) => each.vector === vector); // as they are then
    const against = directions.slice(0, i).map((each) => each.vector);
    try {
      const made = await this.ask({
        kind: "without",
        direction: { name, kind, vector },
        against,
        name: this.restOf(name),
      });
      const now = this.explore.store.state.directions[place()]?.name; // the person may have named it meanwhile
      if (now !== undefined) this.change(place(), now === name ? made : { ...made, name: now });
    } catch (error) {
      this.explore.say(error.message);
    }
  }

  /**
   * What is left of a direction is another one, by name as well.
   * @param {string} name
   */
  restOf(name) {
    const stem = name.endsWith(REST) ? name : `${cleanName(name, this.room - REST.length)}${REST}`;
    const others = this.explore.store.state.directions.filter((each) => each.name !== name);
    return unusedName(stem, others, this.room);
  }

  // -- arithmetic and storing --------------------------------------------------------------------------------------

  /**
   * @param {string} choice
   * @param {number} slot
   * @returns {Promise<number[]>}
   */
  async codeOf(choice, slot) {
    if (choice === "now") return Array.from(this.explore.z);
    const [kind, id] = choice.split(" ");
    if (kind === "picture") return this.explore.data.pictures.find((picture) => picture.id === id).mean; // offer() knows all
    const { meanCode } = await this.explore.queries.ask(
      "group",
      { indices: await this.membersOf(choice, slot) },
      `mean ${slot}`,
    );
    return meanCode;
  }

  async calculate() {
    try {
      const [a, b, c] = await Promise.all(this.terms.map((node, i) => this.codeOf(node.value, i)));
      this.explore.load(combined(a, b, c));
    } catch (error) {
      this.explore.say(error.message);
    }
  }

  async save() {
    /** @param {Direction} direction */
    const stored = ({ name, kind, vector, separation, varianceShare }) => ({
      name,
      kind,
      vector,
      separation,
      varianceShare,
    });
    try {
      const { directions } = this.explore.store.state;
      if (!directions.length) throw new Error("There is no direction to save yet; add one first.");
      const { count } = await this.explore.queries.ask("save-directions", { directions: directions.map(stored) });
      this.explore.say(count === 1 ? "1 direction is saved." : `${count} directions are saved.`);
      this.showWhere();
    } catch (error) {
      this.explore.say(error.message);
    }
  }

  async loadSaved() {
    try {
      const { directions: saved, unfit } = await this.explore.queries.ask("saved-directions", {});
      const { directions } = this.explore.store.state;
      const known = new Set(directions.map(({ name }) => name));
      const unknown = saved.filter(({ name }) => !known.has(name));
      const fresh = unknown.slice(0, this.most - directions.length);
      this.explore.store.set({ directions: [...directions, ...fresh] });
      const here = unknown.length < saved.length ? "; others of those names are here already" : "";
      const full = fresh.length < unknown.length ? `; ${this.tooMany.toLowerCase().slice(0, -1)}` : "";
      const old = unfit ? `; ${unfit} more belong to an older training of this model` : "";
      this.explore.say(
        saved.length || unfit
          ? `${fresh.length} of ${saved.length} saved directions were added${here}${full}${old}.`
          : "No direction is saved yet.",
      );
    } catch (error) {
      this.explore.say(error.message);
    }
  }
}
