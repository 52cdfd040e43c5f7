// The model picker: a button that shows the model in use, and a list of all with strips of what they decode.
//
// A select-only combobox as WAI-ARIA describes it: the focus stays on the button while the arrow keys move through
// the list. The list lies in the browser's top layer, so that no column cuts it off.

import { el, renew } from "../ui/dom.js";
import { mounting } from "./component.js";

/** @typedef {import("../engine/payloads.js").ModelPickerData} ModelPickerData */
/** @typedef {import("../engine/payloads.js").ListedModel} ListedModel */

const MARGIN = 8; // pixels that the list keeps from the window's edges
const GAP = 4; // between button and list
const TYPING_MS = 700; // letters that follow each other faster belong to one word

class ModelPicker {
  /** @param {import("./component.js").Context} context */
  constructor({ shadow, source, host }) {
    this.shadow = shadow;
    this.source = source;
    this.host = host;
    /** @type {ModelPickerData | null} */
    this.data = null;
    this.typed = "";
  }

  build() {
    this.list = el("div", { class: "models", id: "models", role: "listbox", "aria-label": "Models", popover: "auto" });
    this.button = el("button", {
      class: "picker",
      role: "combobox",
      "aria-label": "Model",
      "aria-haspopup": "listbox",
      "aria-expanded": false,
      "aria-controls": "models",
      onkeydown: (/** @type {KeyboardEvent} */ event) => this.keyed(event),
      onblur: () => this.close(),
    });
    this.button.popoverTargetElement = this.list; // the browser closes it by Escape and by a press elsewhere
    this.list.addEventListener("toggle", ({ newState }) => this.toggled(newState === "open"));
    this.list.addEventListener("mousedown", (event) => event.preventDefault()); // the focus stays on the button
    this.shadow.append(el("div", { class: "picking" }, this.button, this.list));
  }

  /** @param {ModelPickerData} data */
  update({ groups, current }) {
    this.models = groups.flatMap((group) => group.models);
    const chosen = this.models.find(({ name }) => name === current);
    showInAddress(current);
    renew(this.button, chosen, () => this.face(chosen));
    renew(this.list, groups, () => groups.map((group) => this.group(group)));
    /** @type {NodeListOf<HTMLElement>} */
    const options = this.list.querySelectorAll('[role="option"]');
    this.options = [...options];
    this.options.forEach((option, i) => option.setAttribute("aria-selected", String(this.models[i].name === current)));
    this.current = this.models.indexOf(chosen);
    this.mark(this.current);
  }

  // -- what it looks like --------------------------------------------------------------------------------------

  /** @param {ListedModel} model */
  face(model) {
    const text = el("span", { class: "model-text" }, el("strong", {}, model.name), el("span", {}, model.dimensions));
    return [this.strip(model), text, el("span", { class: "caret", "aria-hidden": true })];
  }

  /** @param {{title: string, models: ListedModel[]}} group */
  group({ title, models }) {
    const heading = el("div", { class: "models-title", "aria-hidden": true }, title);
    return el("div", { role: "group", "aria-label": title }, heading, ...models.map((model) => this.option(model)));
  }

  /** @param {ListedModel} model */
  option(model) {
    const about = [model.dimensions, model.data].filter(Boolean).join(" · ");
    const text = el("span", { class: "model-text" }, el("strong", {}, model.name), el("span", {}, about));
    const option = el("div", { class: "model", role: "option", id: `model-${model.name}` }, this.strip(model), text);
    option.addEventListener("click", () => this.choose(option));
    option.addEventListener("pointermove", () => this.mark(this.options.indexOf(option)));
    return option;
  }

  /**
   * Fetched when it comes into sight: only then does the server have to load the model.
   * @param {ListedModel} model
   */
  strip({ strip }) {
    const image = el("img", { class: "model-strip", loading: "lazy", alt: "", src: this.source.addressOf(strip) });
    image.addEventListener("error", () => image.replaceWith(el("span", { class: "model-strip" }, "no pictures")));
    return image;
  }

  // -- opening and closing ---------------------------------------------------------------------------------------

  get isOpen() {
    return this.list.matches(":popover-open");
  }

  open() {
    if (!this.isOpen) this.list.showPopover();
  }

  close() {
    if (this.isOpen) this.list.hidePopover();
  }

  /** @param {boolean} open */
  toggled(open) {
    this.button.setAttribute("aria-expanded", String(open));
    this.watching?.abort();
    if (!open) return;
    this.watching = new AbortController();
    const { signal } = this.watching;
    addEventListener("resize", () => this.place(), { signal });
    document.addEventListener("scroll", () => this.place(), { signal, capture: true, passive: true });
    this.place();
    this.mark(this.current);
  }

  /** Below the button, its right edge under the button's where there is room to the left. */
  place() {
    const { right, bottom } = this.button.getBoundingClientRect();
    this.list.style.top = `${bottom + GAP}px`;
    this.list.style.maxHeight = `${innerHeight - bottom - GAP - MARGIN}px`;
    this.list.style.left = `${Math.max(MARGIN, right - this.list.offsetWidth)}px`;
  }

  // -- choosing ----------------------------------------------------------------------------------------------------

  /**
   * Make an option the one that Enter chooses.
   * @param {number} index
   */
  mark(index) {
    this.marked = index;
    this.options.forEach((option, i) => (option.dataset.marked = String(i === index)));
    const option = this.options[index];
    if (!option || !this.isOpen) return this.button.removeAttribute("aria-activedescendant");
    this.button.setAttribute("aria-activedescendant", option.id);
    option.scrollIntoView({ block: "nearest" });
  }

  /** @param {HTMLElement} option */
  choose(option) {
    this.close();
    const { name } = this.models[this.options.indexOf(option)];
    if (name !== this.data.current) this.host.report("picked", name);
  }

  /** @param {KeyboardEvent} event */
  keyed(event) {
    if (event.altKey || event.ctrlKey || event.metaKey) return;
    if (event.key === "Tab") return this.close();
    if (event.key.length === 1 && event.key !== " ") return this.type(event.key.toLowerCase());
    const last = this.options.length - 1;
    /** @type {Record<string, number>} */
    const targets = { ArrowDown: this.marked + 1, ArrowUp: this.marked - 1, Home: 0, End: last };
    if (event.key in targets) {
      event.preventDefault();
      const from = this.isOpen ? targets[event.key] : this.current;
      this.open();
      this.mark(Math.min(last, Math.max(0, from)));
    } else if ((event.key === "Enter" || event.key === " ") && this.isOpen && this.options[this.marked]) {
      event.preventDefault(); // else the button would close the list
      this.choose(this.options[this.marked]);
    }
  }

  /**
   * Go to the next model whose name starts with what is typed.
   * @param {string} letter
   */
  type(letter) {
    const now = performance.now();
    this.typed = now - (this.typedAt ?? -Infinity) < TYPING_MS ? this.typed + letter : letter;
    this.typedAt = now;
    this.open();
    const step = this.typed.length === 1 ? 1 : 0; // a single letter goes on to the next
    const order = this.models.map((_, i) => (this.marked + step + i + this.models.length) % this.models.length);
    const found = order.find((i) => this.models[i].name.startsWith(this.typed));
    if (found !== undefined) this.mark(found);
  }
}

/**
 * Name the model in the page's address, so that it can be bookmarked. The address is replaced: with an entry of its own
 * in the history, "back" would lead to the same page.
 * @param {string} model
 */
function showInAddress(model) {
  const url = new URL(location.href);
  if (url.searchParams.get("model") === model) return;
  url.searchParams.set("model", model);
  history.replaceState(history.state, "", url);
}

export const mount = mounting(ModelPicker, ["host"]);
