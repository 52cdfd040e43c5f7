// Groups of reference images: what is selected on the map, by label or by a range of values, and what was kept of it.

import { freeName } from "./desk.js";
import { el } from "./dom.js";
import { number } from "./names.js";
import { NAMED_VALUES } from "./toolbar.js";

const ASKED_MS = 60; // after the last change of the selection

export class GroupPanel {
  key = "groups";
  title = "Groups";

  /** @param {object} bench desk, queries, map, data, load(z), loadReference(index), say(text) */
  constructor(bench) {
    this.bench = bench;
    this.summary = el("div", { class: "group-summary", "data-testid": "group-summary" });
    this.kept = el("div", { class: "kept" });
    this.choosers = el("div", { class: "panel-head" });
    this.element = el("div", { class: "groups" }, this.choosers, this.summary, this.kept);
    bench.desk.on(["selection"], () => this.selectionChanged());
    bench.desk.on(["groups"], () => this.showKept());
  }

  switchModel(model) {
    this.model = model;
    this.labels = this.choice(model.labelTitle, "label", model.labelNames.map((name, i) => [i, name]));
    this.what = this.select("Range of", [...NAMED_VALUES.filter(([key]) => key !== "kl" || model.variational), ...dimensions(model)]);
    this.low = el("input", { class: "number", type: "text", "aria-label": "Lowest value" });
    this.high = el("input", { class: "number", type: "text", "aria-label": "Highest value" });
    this.what.addEventListener("change", () => this.proposeRange());
    const byRange = el("button", { class: "action small", onclick: () => this.selectRange() }, "Select range");
    this.choosers.replaceChildren(this.labels, el("span", { class: "range" }, this.what, this.low, "to", this.high, byRange));
    this.ranged = null;
  }

  shown() {
    if (this.ranged !== this.what.value) this.proposeRange();
  }

  /** A select that acts at once and then stands for "choose one". */
  choice(title, by, options) {
    const node = this.select(title, [["", `${title}…`], ...options]);
    node.addEventListener("change", () => {
      if (node.value !== "") this.fetchSelection({ by, label: Number(node.value) });
      node.value = "";
    });
    return node;
  }

  select(title, options) {
    const node = el("select", { "aria-label": title });
    node.append(...options.map(([value, text]) => el("option", { value }, text)));
    return node;
  }

  proposeRange() {
    const what = this.what.value;
    this.ranged = what;
    this.ask("values", { what }, ({ quantiles }) => {
      this.low.value = number(quantiles[90]);
      this.high.value = number(quantiles[100]);
    });
  }

  selectRange() {
    const [low, high] = [this.low, this.high].map(({ value }) => Number(value.replace("\u2212", "-").replace(",", ".")));
    if (Number.isNaN(low) || Number.isNaN(high)) this.bench.say("A range needs two numbers.");
    else this.fetchSelection({ by: "range", what: this.what.value, low, high });
  }

  fetchSelection(body) {
    this.ask("select", body, ({ indices }) => {
      this.bench.desk.set({ selection: indices });
      if (!indices.length) this.bench.say("No image lies in that range.");
    });
  }

  ask(what, body, onAnswer) {
    this.bench.queries.ask(what, body).then(onAnswer, (error) => this.bench.say(error.message));
  }

  // -- what is selected ------------------------------------------------------------------------------------------

  selectionChanged() {
    clearTimeout(this.soon);
    const { selection } = this.bench.desk.state;
    if (!selection.length) this.showHint();
    else this.soon = setTimeout(() => this.ask("group", { indices: selection }, (group) => this.showGroup(group)), ASKED_MS);
  }

  showHint() {
    const hint = "Nothing is selected. Draw around points with the lasso or the box above the map, or choose here.";
    this.summary.replaceChildren(el("p", { class: "note" }, hint));
    delete this.summary.dataset.count;
  }

  showGroup(group) {
    const { count, labels, means, meanCode, meanPicture } = group;
    const nats = Object.entries(means).map(([name, value]) => `${name} ${number(value)} nats`);
    const seen = group.seen ? [`${group.seen} seen in training`] : [];
    const mean = el("button", { class: "thumb", title: "Load the mean of their codes", "aria-label": "Load the group's mean", onclick: () => this.bench.load(meanCode) });
    mean.append(el("img", { src: `data:image/png;base64,${meanPicture}`, alt: "" }));
    const head = el("div", { class: "group-head" }, el("figure", {}, mean, el("figcaption", {}, "mean")), this.facts(count, [...nats, ...seen]), this.bars(labels, count));
    this.summary.dataset.count = count;
    this.summary.replaceChildren(head, this.actions(), this.montage(group));
  }

  facts(count, lines) {
    const title = el("strong", {}, count === 1 ? "1 image" : `${count.toLocaleString("en")} images`);
    return el("div", { class: "facts" }, title, ...lines.map((line) => el("span", { class: "faint" }, line)));
  }

  bars(labels, count) {
    const rows = labels.slice(0, 6).map(([name, members]) =>
      el("div", { class: "bar" }, el("span", {}, name), el("i", { style: `width: ${(100 * members) / count}%` }), el("span", { class: "faint" }, String(members))),
    );
    const rest = labels.length > 6 ? [el("span", { class: "faint" }, `and ${labels.length - 6} more`)] : [];
    return el("div", { class: "bars" }, ...rows, ...rest);
  }

  actions() {
    const button = (text, title, act) => el("button", { class: "action small", title, onclick: act }, text);
    return el(
      "div",
      { class: "actions" },
      button("Keep as group", "Give it a name and keep it for directions", () => this.keep()),
      button("CSV", "Indices, labels, codes and places as a table", () => this.export("csv")),
      button("NPZ", "The same as NumPy arrays", () => this.export("npz")),
      button("Clear", "Select nothing", () => this.bench.desk.set({ selection: [] })),
    );
  }

  /** One picture of some members; a click loads the one that was hit. */
  montage({ montage, members, columns }) {
    const image = el("img", { class: "montage", src: `data:image/png;base64,${montage}`, alt: `${members.length} of the group's members`, title: "Click one to load it" });
    image.addEventListener("click", (event) => {
      const rows = Math.ceil(members.length / columns);
      const column = Math.floor((event.offsetX / image.clientWidth) * columns);
      const row = Math.floor((event.offsetY / image.clientHeight) * rows);
      const index = members[row * columns + column];
      if (index !== undefined) this.bench.loadReference(index);
    });
    return image;
  }

  export(format) {
    const { selection, groups } = this.bench.desk.state;
    const name = groups.find(({ indices }) => String(indices) === String(selection))?.name ?? "selection";
    const body = { name, indices: selection, format };
    this.bench.queries.save("export-group", body, `${this.model.name}-${name}.${format}`).catch((error) => this.bench.say(error.message));
  }

  keep() {
    const { groups, selection } = this.bench.desk.state;
    this.bench.desk.set({ groups: [...groups, { name: freeName("Group", groups), indices: selection }] });
  }

  // -- what was kept ---------------------------------------------------------------------------------------------

  showKept() {
    const { groups } = this.bench.desk.state;
    this.kept.replaceChildren(...groups.map((group, i) => this.keptRow(group, i)));
  }

  keptRow({ name, indices }, i) {
    const input = el("input", { class: "name", type: "text", maxlength: 60, value: name, "aria-label": `Name of group ${i + 1}` });
    input.addEventListener("change", () => this.rename(i, input.value.trim()));
    const count = el("span", { class: "faint" }, `${indices.length.toLocaleString("en")} images`);
    const show = el("button", { class: "action small", title: "Select its members on the map", onclick: () => this.bench.desk.set({ selection: indices }) }, "Show");
    const away = el("button", { class: "lock away", title: `Remove ${name}`, "aria-label": `Remove ${name}`, onclick: () => this.remove(i) }, "×");
    return el("div", { class: "kept-row" }, input, count, show, away);
  }

  rename(i, name) {
    const groups = this.bench.desk.state.groups.map((group, at) => (at === i && name ? { ...group, name } : group));
    this.bench.desk.set({ groups });
  }

  remove(i) {
    this.bench.desk.set({ groups: this.bench.desk.state.groups.toSpliced(i, 1) });
  }
}

function dimensions({ sliders }) {
  return sliders.toSorted((a, b) => a.dimension - b.dimension).map(({ dimension, name }) => [String(dimension), `z${dimension + 1}${name && ` · ${name}`}`]);
}
