// The reference images whose codes lie nearest to the present one.

import { el } from "../ui/dom.js";
import { whole, wholeField } from "../ui/fields.js";
import { number, sentence } from "../ui/text.js";

const FEW = 12; // neighbours at first
const WAIT_MS = 150;

/** @typedef {{index: number, label: string, distance: number, seen: boolean, image: string}} Neighbour */

export class NeighbourPanel {
  key = "neighbours";
  title = "Neighbours";

  /** @param {import("./page.js").ExplorePage} explore */
  constructor(explore) {
    this.explore = explore;
    this.count = wholeField("How many neighbours", { min: 1, max: explore.limits.neighbours, value: FEW });
    this.metric = el(
      "select",
      { "aria-label": "Distance" },
      el(
        "option",
        { value: "deviations", title: "Euclidean, each step counted in the dimension's posterior deviations (1/σ)" },
        "In posterior deviations",
      ),
      el("option", { value: "euclidean" }, "Euclidean"),
      el("option", { value: "cosine" }, "Cosine"),
    );
    for (const input of [this.count, this.metric]) input.addEventListener("change", () => this.refresh());
    this.list = el("div", { class: "cards", role: "list", "aria-label": "Neighbours" });
    const head = el("div", { class: "panel-head" }, el("label", {}, this.count, "nearest"), this.metric);
    this.element = el("div", { class: "neighbours" }, head, this.list);
  }

  /** @param {import("../engine/payloads.js").Model} model */
  switchModel({ variational }) {
    this.list.replaceChildren();
    this.metric.options[0].hidden = !variational; // a plain autoencoder has no deviations
    if (!variational && this.metric.value === "deviations") this.metric.value = "euclidean";
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
    const body = { z: Array.from(this.explore.z), k: whole(this.count, FEW), metric: this.metric.value };
    this.explore.queries.ask("neighbours", body).then(
      ({ neighbours }) => this.show(neighbours),
      (error) => {
        this.list.replaceChildren(el("p", { class: "note" }, sentence(error.message)));
      },
    );
  }

  /** @param {Neighbour[]} neighbours */
  show(neighbours) {
    const root = /** @type {ShadowRoot} */ (this.list.getRootNode());
    const hadFocus = this.list.contains(root.activeElement);
    this.list.replaceChildren(...neighbours.map((each) => this.card(each)));
    if (hadFocus) this.list.querySelector("button")?.focus(); // the one that was loaded is now the nearest
  }

  /** @param {Neighbour} neighbour */
  card({ index, label, distance, seen, image }) {
    const title = `Load ${label}, number ${index}, at a distance of ${number(distance)}${seen ? ", seen in training" : ""}`;
    const node = el("button", {
      class: "card",
      title,
      "aria-label": title,
      onclick: () => this.explore.loadReference(index),
    });
    node.append(
      el("img", { src: `data:image/png;base64,${image}`, alt: "" }),
      el("span", {}, label),
      el("span", { class: "faint" }, number(distance)),
    );
    for (const type of ["pointerenter", "focus"]) node.addEventListener(type, () => this.explore.map.ring(index));
    for (const type of ["pointerleave", "blur"]) node.addEventListener(type, () => this.explore.map.ring(null));
    return el("div", { role: "listitem" }, node); // of its own: a button in that role would be none for a screen reader
  }
}
