// Groups of reference images: what is selected on the map, by label or by a range of values, and what was kept of it.

import { NAMED_VALUES } from "../map_tools/toolbar.js";
import { el } from "../ui/dom.js";
import { button, select } from "../ui/fields.js";
import { montageOf } from "../ui/montage.js";
import { cleanName, dimensionOptions, fixed, freeName, number, parsed, unusedName } from "../ui/text.js";

const MEMBER_WIDTH = 52; // CSS pixels of a member's picture, at the most
/** @type {Record<string, string>} */
const FACTS = { kl: "KL", reconstruction: "reconstruction" };

/**
 * @typedef {import("../engine/payloads.js").Origin} Origin
 * @typedef {import("../engine/payloads.js").NamedGroup<number[]>} NamedGroup
 * @typedef {{indices: number[], origin: Origin}} Selected
 */

/**
 * @typedef {object} GroupAnswer the answer to the question "group" (app/queries/groups.py)
 * @property {number} count
 * @property {[string, number][]} labels members of each class, the most frequent first
 * @property {number} seen members that are training images
 * @property {number[]} meanCode
 * @property {Record<string, number>} means in nats
 * @property {string} montage
 * @property {number[]} members that are in the montage
 * @property {number} columns
 * @property {string} meanPicture
 */

export class GroupPanel {
  key = "groups";
  title = "Groups";

  /** @param {import("./page.js").ExplorePage} explore */
  constructor(explore) {
    this.explore = explore;
    /** @type {Set<HTMLInputElement>} */
    this.typed = new Set(); // ends of the range that the person typed
    this.summary = el("div", { class: "group-summary", "data-testid": "group-summary" });
    this.kept = el("div", { class: "kept" });
    this.choosers = el("div", { class: "panel-head" });
    this.element = el("div", { class: "groups" }, this.choosers, this.kept, this.summary);
    explore.store.on(["selection"], () => this.selectionChanged());
    explore.store.on(["groups"], () => this.showKept());
    explore.store.on(["names"], () => this.nameDimensions());
  }

  /** @param {import("../engine/payloads.js").Model} model */
  switchModel(model) {
    this.model = model;
    this.labels = this.choice(
      model.labelTitle,
      model.labelNames.map((name, i) => [i, name]),
    );
    this.what = select("Range of", [
      ...NAMED_VALUES.filter(([key]) => key !== "kl" || model.variational),
      ...dimensionOptions(model, {}),
    ]);
    this.low = this.bound("Lowest value");
    this.high = this.bound("Highest value");
    this.what.addEventListener("change", () => this.proposeRange());
    const byRange = el("button", { class: "action small", onclick: () => this.selectRange() }, "Select range");
    this.choosers.replaceChildren(
      this.labels,
      el("span", { class: "range" }, this.what, this.low, "to", this.high, byRange),
    );
    this.ranged = null;
  }

  /**
   * A field for one end of a range; what is typed there stays, whatever is proposed later.
   * @param {string} title
   */
  bound(title) {
    const input = el("input", { class: "number", type: "text", inputmode: "decimal", "aria-label": title });
    input.addEventListener("input", () => this.typed.add(input));
    input.addEventListener("keydown", (event) => event.key === "Enter" && this.selectRange());
    return input;
  }

  nameDimensions() {
    if (!this.what) return;
    const names = Object.fromEntries(dimensionOptions(this.model, this.explore.store.state.names));
    for (const option of this.what.options) option.textContent = names[option.value] ?? option.textContent;
  }

  shown() {
    if (this.ranged !== this.what.value) this.proposeRange();
  }

  codeSettled() {
    if (this.element.offsetParent) this.shown();
  }

  /**
   * A select of a label, which acts at once and then stands for "choose one".
   * @param {string} title
   * @param {[number, string][]} options
   */
  choice(title, options) {
    const node = select(title, [["", `${title}…`], ...options]);
    node.addEventListener("change", () => {
      if (node.value !== "") this.fetchSelection({ by: "label", label: Number(node.value) });
      node.value = "";
    });
    return node;
  }

  proposeRange() {
    const what = this.what.value;
    this.ranged = what;
    for (const input of [this.low, this.high]) input.value = ""; // those of another value
    this.typed.clear();
    this.ask("values", { what }, ({ quantiles }) => {
      this.propose(this.low, Math.floor(100 * quantiles[90]) / 100);
      this.propose(this.high, Math.ceil(100 * quantiles[100]) / 100);
    });
  }

  /**
   * An end of the range, unless the person was faster.
   * @param {HTMLInputElement} input
   * @param {number} value
   */
  propose(input, value) {
    if (!this.typed.has(input)) input.value = fixed(value, 2);
  }

  selectRange() {
    const [low, high] = [this.low, this.high].map(({ value }) => parsed(value));
    if (!Number.isFinite(low) || !Number.isFinite(high)) this.explore.say("A range needs two numbers.");
    else this.fetchSelection({ by: "range", what: this.what.value, low, high });
  }

  /**
   * Select what is found, unless something else was selected meanwhile.
   * @param {{by: "label", label: number} | {by: "range", what: string, low: number, high: number}} body
   */
  fetchSelection(body) {
    const { store } = this.explore;
    const before = store.state.selection;
    this.ask("select", body, ({ indices }) => {
      if (store.state.selection !== before) return;
      if (indices.length) store.set({ selection: indices, origin: body.by });
      this.explore.say(
        indices.length ? "" : `No image ${body.by === "label" ? "has that label" : "lies in that range"}.`,
      );
    });
  }

  /**
   * @param {string} what
   * @param {object} body
   * @param {(answer: any) => void} onAnswer
   */
  ask(what, body, onAnswer) {
    this.explore.queries.ask(what, body).then(onAnswer, (error) => this.explore.say(error.message));
  }

  // -- what is selected ------------------------------------------------------------------------------------------

  selectionChanged() {
    const { selection } = this.explore.store.state;
    this.summary.setAttribute("aria-busy", String(selection.length > 0));
    if (!selection.length) this.showHint();
    else this.fetchGroup(selection);
    this.codeSettled(); // a lasso turns to this panel by itself
  }

  /** @param {number[]} indices */
  fetchGroup(indices) {
    const { origin } = this.explore.store.state;
    this.ask("group", { indices }, (group) => {
      if (this.explore.store.state.selection === indices) this.showGroup(group, { indices, origin });
    });
  }

  showHint() {
    const hint = "Nothing is selected. Draw around points with the lasso or the box above the map, or choose here.";
    this.summary.replaceChildren(el("p", { class: "note" }, hint));
    delete this.summary.dataset.count;
  }

  /**
   * What is shown acts on the images that it is about.
   * @param {GroupAnswer} group
   * @param {Selected} selected
   */
  showGroup(group, selected) {
    const { count, labels, means, meanCode, meanPicture } = group;
    const nats = Object.entries(means).map(([name, value]) => `${FACTS[name]} ${number(value)} nats`);
    const seen = group.seen ? [`${group.seen} seen in training`] : [];
    if (this.explore.showsTrainingImages) seen.push("of the reference images alone");
    const mean = el("button", {
      class: "thumb",
      title: "Load the mean of their codes",
      "aria-label": "Load the group's mean",
      onclick: () => this.explore.load(meanCode),
    });
    mean.append(el("img", { src: `data:image/png;base64,${meanPicture}`, alt: "" }));
    const head = el(
      "div",
      { class: "group-head" },
      el("figure", {}, mean, el("figcaption", {}, "mean")),
      this.facts(count, [...nats, ...seen]),
      this.bars(labels, count),
    );
    this.summary.dataset.count = String(count);
    this.summary.setAttribute("aria-busy", "false");
    const montage = montageOf(group, (index) => this.explore.loadReference(index));
    montage.style.maxWidth = `${group.columns * MEMBER_WIDTH}px`;
    this.summary.replaceChildren(head, this.actions(selected, labels[0][0]), montage);
  }

  /**
   * @param {number} count
   * @param {string[]} lines
   */
  facts(count, lines) {
    const title = el("strong", {}, counted(count));
    return el("div", { class: "facts" }, title, ...lines.map((line) => el("span", { class: "faint" }, line)));
  }

  /**
   * @param {[string, number][]} labels
   * @param {number} count
   */
  bars(labels, count) {
    const rows = labels
      .slice(0, 6)
      .map(([name, members]) =>
        el(
          "div",
          { class: "bar" },
          el("span", {}, name),
          el("i", { style: `width: ${(100 * members) / count}%` }),
          el("span", { class: "faint" }, String(members)),
        ),
      );
    const rest = labels.length > 6 ? [el("span", { class: "faint" }, `and ${labels.length - 6} more`)] : [];
    return el("div", { class: "bars" }, ...rows, ...rest);
  }

  /**
   * @param {Selected} selected
   * @param {string} label of most members; of all, where they were chosen by label
   */
  actions({ indices, origin }, label) {
    return el(
      "div",
      { class: "actions" },
      button("Keep as group", "Give it a name and keep it for directions", () => this.keep({ indices, origin }, label)),
      button("CSV", "Indices, labels, codes and places as a table", () => this.export("csv", indices)),
      button("NPZ", "The same as NumPy arrays", () => this.export("npz", indices)),
      button("Clear", "Select nothing", () => this.explore.store.set({ selection: [] })),
    );
  }

  /**
   * @param {"csv" | "npz"} format
   * @param {number[]} indices
   */
  export(format, indices) {
    const { groups } = this.explore.store.state;
    const name = groups.find((group) => String(group.indices) === String(indices))?.name ?? "selection";
    const body = { name, indices, format };
    this.explore.queries
      .save("export-group", body, `${this.model.name}-${name}.${format}`)
      .catch((error) => this.explore.say(error.message));
  }

  /**
   * @param {Selected} selected
   * @param {string} label
   */
  keep({ indices, origin }, label) {
    const { groups } = this.explore.store.state;
    const most = this.explore.limits.groups;
    if (groups.length >= most) return this.explore.say(`At most ${most} groups are kept; remove one first.`);
    const wanted = origin === "label" ? this.labelled(label) : "";
    const name = wanted ? unusedName(wanted, groups, this.room) : freeName("Group", groups);
    this.explore.store.set({ groups: [...groups, { name, indices, origin }] });
  }

  /**
   * What a label is called where nothing beside it says what it is: "3" is "Digit 3".
   * @param {string} label
   */
  labelled(label) {
    return cleanName(Number.isFinite(Number(label)) ? `${this.model.labelTitle} ${label}` : label, this.room);
  }

  /** Characters that a name may have. */
  get room() {
    return this.explore.limits.nameLength;
  }

  // -- what was kept ---------------------------------------------------------------------------------------------

  showKept() {
    const { groups } = this.explore.store.state;
    this.kept.replaceChildren(...groups.map((group, i) => this.keptRow(group, i)));
  }

  /**
   * @param {NamedGroup} group
   * @param {number} i
   */
  keptRow({ name, indices, origin }, i) {
    const input = el("input", {
      class: "name",
      type: "text",
      maxlength: this.room,
      value: name,
      "aria-label": `Name of group ${i + 1}`,
    });
    input.addEventListener("change", () => this.rename(i, cleanName(input.value, this.room)));
    const count = el("span", { class: "faint" }, counted(indices.length));
    const show = el(
      "button",
      {
        class: "action small",
        title: "Select its members on the map",
        onclick: () => this.explore.store.set({ selection: indices, origin }),
      },
      "Show",
    );
    const away = el(
      "button",
      { class: "lock away", title: `Remove ${name}`, "aria-label": `Remove ${name}`, onclick: () => this.remove(i) },
      "×",
    );
    return el("div", { class: "kept-row" }, input, count, show, away);
  }

  /**
   * @param {number} i
   * @param {string} name empty to leave it
   */
  rename(i, name) {
    const { groups } = this.explore.store.state;
    const renamed = name ? { ...groups[i], name: unusedName(name, groups.toSpliced(i, 1), this.room) } : groups[i];
    this.explore.store.set({ groups: groups.with(i, renamed) });
  }

  /** @param {number} i */
  remove(i) {
    this.explore.store.set({ groups: this.explore.store.state.groups.toSpliced(i, 1) });
  }
}

/** @param {number} images */
function counted(images) {
  return images === 1 ? "1 image" : `${images.toLocaleString("en")} images`;
}
