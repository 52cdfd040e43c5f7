// Work in the background as a line on the page: how far it is, and a button that ends it.

import { el } from "./dom.js";

/** @typedef {{share: number, message: string}} Progress */

/**
 * @typedef {object} ShownWork
 * @property {{stop: () => void}} job
 * @property {Progress} state how far it is
 * @property {Promise<void>} done rejects with the reason why there is nothing, `stopped` true where somebody stopped it
 * @property {((state: any) => void) | null} onNews
 */

export class JobLine {
  /**
   * @param {string} what the work is called
   */
  constructor(what) {
    this.bar = el("progress", { max: 1, value: 0, "aria-label": what });
    this.news = el("span", { class: "note", role: "status" });
    const stop = el("button", { class: "action small", onclick: () => this.stop() }, "Stop");
    this.element = el("span", { class: "job-line", hidden: true }, this.bar, this.news, stop);
    /** @type {ShownWork | null} */
    this.work = null;
    /** @type {((state: Progress) => void) | null} */
    this.listener = null;
  }

  /**
   * Show some work until it has ended, or the line shows something else.
   * @param {ShownWork} work
   * @returns {Promise<"done" | "stopped" | "left">}
   * @throws {Error} with the reason why there is nothing
   */
  async show(work) {
    this.leave();
    this.work = work;
    this.listener = (state) => this.showState(state);
    work.onNews = this.listener;
    this.showState(work.state);
    this.element.hidden = false;
    try {
      await work.done;
      return work === this.work ? "done" : "left";
    } catch (error) {
      if (work !== this.work) return "left";
      if (/** @type {{stopped?: boolean}} */ (error).stopped) return "stopped";
      throw error;
    } finally {
      if (work === this.work) this.leave();
    }
  }

  /** @param {Progress} state */
  showState({ share, message }) {
    this.bar.value = share;
    this.news.textContent = message;
  }

  stop() {
    this.work?.job.stop();
    this.showState({ share: this.bar.value, message: "stopping" });
  }

  /** Look at it no more; it goes on. */
  leave() {
    if (this.work && this.work.onNews === this.listener) this.work.onNews = null; // else the next page's line looks on
    this.work = null;
    this.element.hidden = true;
  }
}
