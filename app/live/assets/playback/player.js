// Playing an animation: the clock, and the controls that move it. It knows frames by their numbers alone.

import { el } from "../ui/dom.js";
import { select } from "../ui/fields.js";

const FRAMES_PER_MS = 60 / 1000; // at speed 1
const LONGEST_MS = 1000; // between two frames: a page that was hidden for longer goes on where it was
const SPEEDS = [0.25, 0.5, 1, 1.5, 2, 4];
const USES_ARROWS = "input, select, textarea, [role=tab], [role=application]"; // parts with a use of their own for arrow keys
const USES_SPACE = "input:not([type=range]), select, textarea, button, [role=button], [role=application], summary";

/** @typedef {import("./paths.js").Outline} Outline */

export class Player {
  /**
   * @param {object} hooks
   * @param {(index: number) => void} hooks.onFrame show this frame
   * @param {(index: number) => boolean} hooks.isReady whether its pictures have come
   * @param {(change: {loop?: boolean, speed?: number}) => void} hooks.onSettings
   */
  constructor(hooks) {
    this.hooks = hooks;
    this.position = 0; // in frames, with the share of the next one
    this.count = 0;
    /** @type {Outline | null} */
    this.outline = null;
    this.next = 0; // animation frame that was asked for
    /** @type {number | null} */
    this.lastTick = null;
    this.speed = 1;
    this.playing = false;
    this.waits = false; // whether it goes on once it is shown again
    this.element = this.build();
  }

  build() {
    /**
     * @param {string} text
     * @param {string} label
     * @param {() => void} act
     */
    const button = (text, label, act) =>
      el("button", { class: "action small", title: label, "aria-label": label, onclick: act }, text);
    this.playButton = el(
      "button",
      { class: "action primary play", onclick: () => this.setPlaying(!this.playing) },
      "Play",
    );
    this.scrub = el("input", { type: "range", min: 0, max: 0, step: 1, "aria-label": "Position" });
    this.scrub.addEventListener("input", () => this.scrubTo(Number(this.scrub.value)));
    this.scrub.addEventListener("pointerdown", () => this.setPlaying(false)); // a thumb that is held does not move on
    this.readout = el("output", { class: "position", "data-testid": "position", "aria-live": "off" }); // it changes at every frame
    this.loop = el("input", { type: "checkbox", onchange: () => this.hooks.onSettings({ loop: this.loop.checked }) });
    const loop = el(
      "label",
      { title: "After the last keyframe go on to the first, and so for ever" },
      this.loop,
      "Loop",
    );
    const change = () => this.hooks.onSettings({ speed: Number(this.speeds.value) });
    this.speeds = select(
      "Speed",
      SPEEDS.map((speed) => [speed, `${speed}×`]),
      { title: "Speed", onchange: change },
    );
    this.loaded = el("progress", { "aria-label": "Decoded pictures", max: 1, value: 0 });
    const bar = el("div", { class: "scrub" }, this.scrub, this.loaded);
    const back = button("‹", "One frame back", () => this.step(-1));
    const forward = button("›", "One frame on", () => this.step(1));
    return el("div", { class: "controls" }, this.playButton, back, forward, bar, this.readout, loop, this.speeds);
  }

  /**
   * Take over settings.
   * @param {{loop: boolean, speed: number}} settings
   */
  set({ loop, speed }) {
    this.loop.checked = loop;
    this.speed = speed;
    this.speeds.value = String(speed);
  }

  /**
   * New frames: the playing position stays at the same share of the same leg, where there still is such a leg.
   * @param {Outline} outline
   */
  setOutline(outline) {
    const before = this.outline;
    const steps = outline.framesPerLeg - 1;
    if (before) this.position *= steps / (before.framesPerLeg - 1);
    this.outline = outline;
    this.count = outline.frames;
    this.scrub.max = String(this.count - 1);
    this.position = Math.min(this.position, this.count - 1);
    this.show();
  }

  get index() {
    return Math.round(this.position) % Math.max(1, this.count); // past the last frame of a loop comes the first
  }

  /** @param {number} share of the pictures that have come */
  setLoaded(share) {
    this.loaded.value = share;
    this.loaded.hidden = share >= 1;
    this.show(); // what is shown may have come
  }

  /** @param {number} position */
  goTo(position) {
    this.position = Math.min(Math.max(0, this.count - 1), Math.max(0, position));
    this.show();
  }

  /**
   * Go somewhere by hand, which ends playing.
   * @param {number} position
   */
  scrubTo(position) {
    this.setPlaying(false);
    this.goTo(position);
  }

  /**
   * A frame on or back; in a loop also past its ends.
   * @param {number} by 1 or -1
   */
  step(by) {
    const next = this.index + by;
    this.scrubTo(this.outline?.loop ? (next + this.count) % this.count : next);
  }

  /**
   * The keyframe before or after the present position.
   * @param {number} by -1 or 1
   */
  jump(by) {
    const positions = this.outline?.positions ?? []; // of paths that have not come yet
    const next = by > 0 ? positions.find((at) => at > this.index) : positions.findLast((at) => at < this.index);
    if (next !== undefined) this.scrubTo(next);
  }

  show() {
    if (!this.count) return;
    const { index } = this;
    this.scrub.value = String(index);
    this.scrub.style.setProperty("--filled", `${(100 * index) / Math.max(1, this.count - 1)}%`);
    const text = `${index + 1} / ${this.count}`;
    this.readout.textContent = text;
    this.scrub.setAttribute("aria-valuetext", `Frame ${text}`);
    this.hooks.onFrame(index);
  }

  /**
   * Whether there are pictures to look at; what plays waits while there are none.
   * @param {boolean} shown
   */
  setShown(shown) {
    if (shown === !this.element.hidden) return;
    this.element.hidden = !shown;
    const plays = shown ? this.waits : this.playing;
    this.setPlaying(shown && plays);
    this.waits = !shown && plays;
  }

  /**
   * A key that was pressed on a part of the page: Space plays, arrow keys go on, where the part does not use them.
   * @param {KeyboardEvent} event
   * @param {Element} target
   */
  keyed(event, target) {
    if (this.element.hidden || target.closest?.(event.key === " " ? USES_SPACE : USES_ARROWS)) return;
    const step = { ArrowLeft: -1, ArrowRight: 1 }[event.key];
    if (step) event.shiftKey ? this.jump(step) : this.step(step);
    else if (event.key === " ") this.setPlaying(!this.playing);
    else return;
    event.preventDefault();
  }

  /** @param {boolean} playing */
  setPlaying(playing) {
    this.waits = false;
    if (playing && !this.outline?.loop && this.index >= this.count - 1) this.position = 0;
    this.playButton.textContent = playing ? "Pause" : "Play";
    if (playing === this.playing) return;
    this.playing = playing;
    this.lastTick = null;
    cancelAnimationFrame(this.next);
    if (playing) this.tick();
  }

  /** @param {number} [now] of the frame; not at the first call */
  tick(now) {
    this.next = requestAnimationFrame((next) => this.tick(next));
    if (now !== undefined && this.count > 1) this.advance(Math.min(LONGEST_MS, now - (this.lastTick ?? now)));
    this.lastTick = now;
  }

  /** @param {number} elapsedMs */
  advance(elapsedMs) {
    let next = this.position + elapsedMs * FRAMES_PER_MS * this.speed;
    if (this.outline.loop) next %= this.count;
    else next = Math.min(next, this.count - 1);
    if (!this.hooks.isReady(Math.round(next) % this.count)) return; // wait for the pictures
    this.position = next;
    this.show();
    if (!this.outline.loop && next >= this.count - 1) this.setPlaying(false);
  }

  /** The page was left. */
  stop() {
    this.setPlaying(false);
  }
}
