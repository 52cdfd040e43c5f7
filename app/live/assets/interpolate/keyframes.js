// The strip of keyframes: each can be gone to, moved and removed, with the mouse and with the keyboard.

import { el } from "../ui/dom.js";
import { button } from "../ui/fields.js";
import { paint, sizeCanvas } from "../ui/pixels.js";

const HELP = "Go there; Shift with an arrow key moves it, Delete removes it, arrow keys go to the next one";

/**
 * @typedef {import("../engine/payloads.js").Keyframe} Keyframe
 * @typedef {{element: HTMLElement, go: HTMLElement, canvas: HTMLCanvasElement, keyframe: Keyframe}} Card
 * @typedef {{place: number, part: string}} Focus what of which card has the focus
 */

export class KeyframeStrip {
  /**
   * @param {object} hooks
   * @param {(keyframes: Keyframe[]) => void} hooks.onChange they were put in another order, or one was removed
   * @param {(place: number) => void} hooks.onGo go to the keyframe at this place
   * @param {number} hooks.fewest keyframes that have to stay
   */
  constructor(hooks) {
    this.hooks = hooks;
    /** @type {Keyframe[]} */
    this.keyframes = [];
    /** @type {Card[]} */
    this.cards = [];
    /** @type {WeakMap<Keyframe, Uint8Array>} */
    this.pictures = new WeakMap();
    /** @type {Focus | null} */
    this.wantedFocus = null;
    /** @type {number | null} */
    this.current = null; // place of the card that is marked
    this.passed = -1; // place of the keyframe that was passed last
    /** @type {number | undefined} */
    this.dragged = undefined; // place of the card
    this.list = el("ol", { class: "keyframes", "aria-label": "Keyframes" });
    this.list.addEventListener("dragover", (event) => this.draggedOver(event));
    this.list.addEventListener("dragleave", () => this.markDrop(null));
    this.list.addEventListener("drop", (event) => this.dropped(event));
    const reverse = button("Reverse", "The keyframes in reverse order", () =>
      hooks.onChange(this.keyframes.toReversed()),
    );
    this.actions = el("div", { class: "strip-actions" }, reverse);
    this.element = el("div", { class: "strip-row" }, this.list, this.actions);
  }

  /** @param {{shape: number[]}} model */
  setModel({ shape }) {
    this.shape = shape;
    this.pictures = new WeakMap();
  }

  /** @param {Keyframe[]} keyframes the same objects as before stand for the same keyframes */
  show(keyframes) {
    const grown = keyframes.length > this.keyframes.length && this.keyframes.length > 0;
    this.keyframes = keyframes;
    const focus = this.wantedFocus ?? this.focused();
    this.wantedFocus = null;
    this.cards = keyframes.map((keyframe, place) => this.card(keyframe, place));
    this.list.replaceChildren(...this.cards.map(({ element }) => element));
    this.current = null;
    if (focus) this.focusOn(focus);
    if (grown) this.list.scrollLeft = this.list.scrollWidth; // new ones come last
  }

  /**
   * @param {Keyframe} keyframe
   * @param {number} place
   * @returns {Card}
   */
  card(keyframe, place) {
    const called = `keyframe ${place + 1}`;
    const canvas = el("canvas", { class: "frame", "data-testid": "keyframe" });
    sizeCanvas(canvas, this.shape);
    const picture = this.pictures.get(keyframe);
    if (picture) paint(canvas, picture, this.shape);
    // No button: Firefox drags no element that a press on a button begins.
    const go = el("div", {
      class: "keyframe-go",
      role: "button",
      tabindex: 0,
      "data-part": "go",
      title: HELP,
      "aria-label": `Keyframe ${place + 1}: ${keyframe.name}`,
    });
    go.append(el("span", { class: "canvas-room" }, canvas, el("span", { class: "keyframe-number" }, `${place + 1}`)));
    go.append(el("span", { class: "end-name", title: keyframe.name }, keyframe.name));
    go.addEventListener("click", () => this.hooks.onGo(place));
    /**
     * @param {string} part
     * @param {string} sign
     * @param {string} label
     * @param {() => void} act
     * @param {boolean} disabled
     */
    const tool = (part, sign, label, act, disabled) =>
      el(
        "button",
        { class: "tool", "data-part": part, title: label, "aria-label": label, onclick: act, disabled },
        sign,
      );
    const last = this.keyframes.length - 1;
    const tools = el(
      "span",
      { class: "keyframe-tools" },
      tool("earlier", "‹", `Move ${called} earlier`, () => this.move(place, place - 1, "earlier"), place === 0),
      tool("remove", "×", `Remove ${called}`, () => this.remove(place), last < this.hooks.fewest),
      tool("later", "›", `Move ${called} later`, () => this.move(place, place + 1, "later"), place === last),
    );
    const element = el("li", { class: "keyframe", draggable: "true" }, go, tools);
    element.addEventListener("dragstart", (event) => this.dragStarted(event, place));
    element.addEventListener("dragend", () => this.dragEnded());
    element.addEventListener("keydown", (event) => this.keyed(event, place));
    return { element, go, canvas, keyframe };
  }

  /**
   * Thumbnails in the order of the keyframes.
   * @param {Keyframe[]} keyframes
   * @param {Uint8Array[]} frames
   */
  setPictures(keyframes, frames) {
    keyframes.forEach((keyframe, i) => this.pictures.set(keyframe, frames[i]));
    for (const { canvas, keyframe } of this.cards) {
      const picture = this.pictures.get(keyframe);
      if (picture) paint(canvas, picture, this.shape);
    }
  }

  /**
   * Mark the keyframe that was passed last, and follow it where it is another one.
   * @param {number} place
   */
  markCurrent(place) {
    if (place === this.current) return;
    this.current = place;
    if (place !== this.passed) this.bringIntoView(place);
    this.passed = place;
    this.cards.forEach(({ go }, i) =>
      i === place ? go.setAttribute("aria-current", "step") : go.removeAttribute("aria-current"),
    );
  }

  /**
   * Scroll the strip alone, and only while nobody is busy with it.
   * @param {number} place
   */
  bringIntoView(place) {
    const { list } = this;
    const card = this.cards[place]?.element;
    if (!card || this.dragged !== undefined || list.matches(":hover, :focus-within")) return;
    const [strip, { left, right }] = [list.getBoundingClientRect(), card.getBoundingClientRect()];
    list.scrollLeft += Math.min(0, left - strip.left) + Math.max(0, right - strip.right);
  }

  // -- changes -------------------------------------------------------------------------------------------------

  /**
   * @param {number} from
   * @param {number} to
   * @param {string} part of the card that gets the focus
   */
  move(from, to, part = "go") {
    if (to < 0 || to >= this.keyframes.length || to === from) return;
    const others = this.keyframes.filter((_, place) => place !== from);
    this.wantedFocus = { place: to, part };
    this.hooks.onChange([...others.slice(0, to), this.keyframes[from], ...others.slice(to)]);
  }

  /** @param {number} place */
  remove(place) {
    if (this.keyframes.length <= this.hooks.fewest) return;
    this.wantedFocus = { place: Math.min(place, this.keyframes.length - 2), part: "go" };
    this.hooks.onChange(this.keyframes.filter((_, at) => at !== place));
  }

  /**
   * @param {KeyboardEvent} event
   * @param {number} place
   */
  keyed(event, place) {
    const step = { ArrowLeft: -1, ArrowRight: 1 }[event.key];
    if (step && event.shiftKey) this.move(place, place + step);
    else if (step) this.focusOn({ place: place + step, part: "go" });
    else if (["Delete", "Backspace"].includes(event.key)) this.remove(place);
    else if (["Enter", " "].includes(event.key) && /** @type {HTMLElement} */ (event.target).dataset.part === "go")
      this.hooks.onGo(place);
    else return;
    event.preventDefault();
    event.stopPropagation(); // arrow keys elsewhere on the page go from frame to frame
  }

  /** @returns {Focus | null} */
  focused() {
    const root = /** @type {ShadowRoot} */ (this.list.getRootNode());
    const active = /** @type {HTMLElement | null} */ (root.activeElement);
    const place = this.cards.findIndex(({ element }) => element.contains(active));
    return place < 0 ? null : { place, part: active.dataset.part };
  }

  /** @param {Focus} focus */
  focusOn({ place, part }) {
    const card = this.cards[place];
    /** @type {HTMLElement | null | undefined} */
    const wanted = card?.element.querySelector(`[data-part="${part}"]:not(:disabled)`);
    (wanted ?? card?.go)?.focus();
  }

  // -- dragging ------------------------------------------------------------------------------------------------

  /**
   * @param {DragEvent} event
   * @param {number} place
   */
  dragStarted(event, place) {
    this.dragged = place;
    event.dataTransfer.effectAllowed = "move";
    event.dataTransfer.setData("text/plain", this.keyframes[place].name); // else Firefox does not drag
  }

  /** @param {DragEvent} event */
  draggedOver(event) {
    if (this.dragged === undefined) return; // files, which go elsewhere
    event.preventDefault();
    this.markDrop(this.gapAt(event.clientX));
  }

  /**
   * The gap between cards that is nearest to a pixel: 0 is before the first card.
   * @param {number} clientX
   */
  gapAt(clientX) {
    const before = this.cards.filter(({ element }) => {
      const { left, width } = element.getBoundingClientRect();
      return clientX > left + width / 2;
    });
    return before.length;
  }

  /** @param {number | null} gap */
  markDrop(gap) {
    this.cards.forEach(({ element }, place) => {
      element.classList.toggle("drop-before", place === gap);
      element.classList.toggle("drop-after", gap === this.cards.length && place === gap - 1);
    });
  }

  /** @param {DragEvent} event */
  dropped(event) {
    if (this.dragged === undefined) return;
    event.preventDefault();
    const [from, gap] = [this.dragged, this.gapAt(event.clientX)];
    this.dragEnded();
    this.move(from, gap > from ? gap - 1 : gap);
  }

  dragEnded() {
    this.dragged = undefined;
    this.markDrop(null);
  }
}
