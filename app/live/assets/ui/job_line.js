// Work in the background as a line on the page: how far it is, and a button that ends it.

import { el } from "./dom.js";

export class JobLine {
  /**
   * @param {string} what the work is called
   */
  constructor(what) {
    this.bar = el("progress", { max: 1, value: 0, "aria-label": what });
    this.news = el("span", { class: "note", role: "status" });
    const stop = el("button", { class: "action small", onclick: () => this.stop() }, "Stop");
    this.element = el("span", { class: "job-line", hidden: true }, this.bar, this.news, stop);
    this.work = null;
  }

  /**
   * Show some work until it has ended, or the line shows something else.
   * @param {import("../engine/background_work.js").Work} work
   * @returns {Promise<"done" | "stopped" | "left">}
   * @throws {Error} with the reason why there is nothing
   */
  async show(work) {
    this.leave();
    this.work = work;
    this.listener = work.onNews = (state) => this.showState(state);
    this.showState(work.state);
    this.element.hidden = false;
    try {
      await work.done;
      return work === this.work ? "done" : "left";
    } catch (error) {
      if (work !== this.work) return "left";
      if (error.stopped) return "stopped";
      throw error;
    } finally {
      if (work === this.work) this.leave();
    }
  }

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
    if (this.work && this.work.onNews === this.listener) this.work.onNews = null; // else the next page's line follows it already
    this.work = null;
    this.element.hidden = true;
  }
}
