// The reference images whose codes lie nearest to the present one.

import { el } from "./dom.js";
import { number } from "./names.js";

const WAIT_MS = 150;

export class NeighbourPanel {
  key = "neighbours";
  title = "Neighbours";

  /** @param {object} bench load(z), queries, map, data, say(text) */
  constructor(bench) {
    this.bench = bench;
    this.count = el("input", { class: "number", type: "number", min: 1, max: 60, value: 12, "aria-label": "How many neighbours" });
    this.metric = el(
      "select",
      { "aria-label": "Distance" },
      el("option", { value: "deviations", title: "A step along a dimension counts in its posterior deviations" }, "In posterior deviations"),
      el("option", { value: "euclidean" }, "Euclidean"),
      el("option", { value: "cosine" }, "Cosine"),
    );
    for (const input of [this.count, this.metric]) input.addEventListener("change", () => this.refresh());
    this.list = el("div", { class: "cards", role: "list" });
    const head = el("div", { class: "panel-head" }, el("label", {}, this.count, "nearest"), this.metric);
    this.element = el("div", { class: "neighbours" }, head, this.list);
  }

  switchModel() {
    this.list.replaceChildren();
  }

  shown() {
    this.refresh();
  }

  codeSettled() {
    if (this.element.offsetParent) this.refresh();
  }

  refresh() {
    clearTimeout(this.soon);
    this.soon = setTimeout(() => this.fetch(), WAIT_MS);
  }

  fetch() {
    const k = Math.min(60, Math.max(1, Math.round(Number(this.count.value)) || 12));
    const body = { z: Array.from(this.bench.z), k, metric: this.metric.value };
    this.bench.queries.ask("neighbours", body).then(
      ({ neighbours }) => this.list.replaceChildren(...neighbours.map((each) => this.card(each))),
      (error) => this.bench.say(error.message),
    );
  }

  card({ index, label, distance, seen, image }) {
    const title = `Load ${label}, number ${index}, at a distance of ${number(distance)}${seen ? ", seen in training" : ""}`;
    const node = el("button", { class: "card", role: "listitem", title, "aria-label": title, onclick: () => this.bench.loadReference(index) });
    node.append(el("img", { src: `data:image/png;base64,${image}`, alt: "" }), el("span", {}, label), el("span", { class: "faint" }, number(distance)));
    node.addEventListener("pointerenter", () => this.bench.map.ring(index));
    node.addEventListener("pointerleave", () => this.bench.map.ring(null));
    return node;
  }
}
