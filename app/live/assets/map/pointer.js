// What a person does on a map with the pointer and the keyboard: look, pick, and move a crosshair.

import { el } from "../ui/dom.js";

const CLICK_PX = 4; // a press that moves less is a click
const DOUBLE_MS = 400; // two clicks within this time on one place are a double-click
const SELECTED_MS = 150; // after a release Plotly has told of a lasso
const KEY_STEP = 0.02; // of the view's width

export class MapPointer {
  /** @param {import("./latent_map.js").LatentMap} map */
  constructor(map) {
    this.map = map;
    this.pressed = null;
    this.waiting = []; // for the button to be up
    this.place = null; // of the crosshair
    this.crosshair = el("div", { class: "crosshair", hidden: true });
    map.overlay.append(this.crosshair);
    const node = map.element;
    node.addEventListener("pointermove", (event) => this.pointed(event));
    node.addEventListener("pointerleave", () => map.hooks.onLeave?.());
    node.addEventListener(
      "pointerdown",
      (event) => (this.pressed = event.button === 0 ? this.inPlot(event) : null),
      true,
    );
    node.addEventListener("keydown", (event) => this.keyed(event));
    node.addEventListener("blur", () => this.leaveCrosshair());
    // Plotly covers the page while a button is down, so that the release is heard on the window alone.
    this.listening = new AbortController();
    const { signal } = this.listening;
    window.addEventListener("pointermove", (event) => this.dragged(event), { capture: true, signal });
    window.addEventListener("pointerup", (event) => this.released(event), { capture: true, signal });
    window.addEventListener("pointercancel", () => this.letGo(), { capture: true, signal });
  }

  close() {
    this.listening.abort();
  }

  /** Resolves once no button is down on the plot: to draw it anew would end a lasso that is under way. */
  async idle() {
    if (!this.pressed) return;
    await new Promise((resolve) => this.waiting.push(resolve));
    await new Promise((resolve) => setTimeout(resolve, SELECTED_MS));
  }

  /** The button is up again. */
  letGo() {
    this.pressed = null;
    for (const resolve of this.waiting.splice(0)) resolve();
  }

  /** The pointer's pixel when it lies on the plot itself, not on its buttons or legend; else null. */
  inPlot(event) {
    const inner = event.composedPath()[0];
    if (!this.map.frame.isSet || inner.closest?.(".modebar, .legend, .star, .map-jobs")) return null;
    const px = this.pixelOf(event);
    return this.map.frame.holds(px) ? px : null;
  }

  /** Where a pointer is, in the element's pixels. */
  pixelOf(event) {
    const box = this.map.element.getBoundingClientRect();
    return { x: event.clientX - box.left, y: event.clientY - box.top };
  }

  pointed(event) {
    const px = event.buttons ? null : this.inPlot(event);
    if (px) this.map.hooks.onPeek?.(this.map.meant(px), px);
    else this.map.hooks.onLeave?.();
  }

  /** A press that moves away is no click, even when it comes back, as a lasso does. */
  dragged(event) {
    if (!this.pressed) return;
    if (event.buttons === 0 && event.type === "pointermove") return this.letGo(); // the release was heard elsewhere
    const { x, y } = this.pixelOf(event);
    if (Math.hypot(x - this.pressed.x, y - this.pressed.y) >= CLICK_PX) this.pressed.moved = true;
  }

  released(event) {
    this.dragged(event);
    const start = this.pressed;
    this.letGo();
    if (start && !start.moved && event.button === 0) this.clicked(event);
  }

  /** The second half of a double-click, which Plotly hears of as such, picks nothing and takes the first half back. */
  clicked(event) {
    const px = this.pixelOf(event);
    const { x, y, at } = this.click ?? {};
    const isSecond = event.timeStamp - at < DOUBLE_MS && Math.hypot(px.x - x, px.y - y) < CLICK_PX;
    this.click = isSecond ? null : { ...px, at: event.timeStamp };
    if (isSecond) this.map.hooks.onTakeBack?.();
    else this.map.hooks.onLoad?.(this.map.meant(px));
  }

  keyed(event) {
    const { frame, element, hooks } = this.map;
    if (!frame.isSet || event.target !== element || event.altKey || event.ctrlKey || event.metaKey) return;
    const step = KEY_STEP * (frame.x[1] - frame.x[0]) * (event.shiftKey ? 0.2 : 1);
    const moves = { ArrowLeft: [-step, 0], ArrowRight: [step, 0], ArrowUp: [0, step], ArrowDown: [0, -step] };
    if (moves[event.key]) this.moveCrosshair(...moves[event.key]);
    else if (event.key === "Enter" && this.place) hooks.onLoad?.(this.place);
    else if (event.key === "Escape") this.leaveCrosshair();
    else return;
    event.preventDefault();
  }

  moveCrosshair(dx, dy) {
    const { frame, marks, hooks } = this.map;
    const middle = { x: (frame.x[0] + frame.x[1]) / 2, y: (frame.y[0] + frame.y[1]) / 2 };
    const from = this.place ?? marks.markerPlace ?? middle;
    const within = (value, [low, high]) => Math.min(high, Math.max(low, value));
    this.place = { x: within(from.x + dx, frame.x), y: within(from.y + dy, frame.y) };
    this.putCrosshair();
    hooks.onPeek?.(this.place, frame.toPixel(this.place));
  }

  /** Keep the crosshair on its place. */
  putCrosshair() {
    if (this.place) this.map.marks.put(this.crosshair, this.place);
  }

  leaveCrosshair() {
    if (!this.place) return;
    this.place = null;
    this.crosshair.hidden = true;
    this.map.hooks.onLeave?.();
  }
}
