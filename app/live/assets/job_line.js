// Work in the background as a line on the page: how far it is, and a button that ends it.

import { el } from "./dom.js";
import { Job } from "./jobs.js";

export class JobLine {
  /**
   * @param {string} what the work is called
   */
  constructor(what) {
    this.bar = el("progress", { max: 1, value: 0, "aria-label": what });
    this.news = el("span", { class: "note", role: "status" });
    const stop = el("button", { class: "action small", onclick: () => this.stop() }, "Stop");
    this.element = el("span", { class: "job-line", hidden: true }, this.bar, this.news, stop);
  }

  /**
   * Do some work; see Job.
   * @returns {Promise<Response | null>} what it made; null where it was stopped
   * @throws {Error} with the reason why there is nothing
   */
  async run(root, begin) {
    const job = (this.job = new Job(root, begin));
    this.tell({ share: 0, message: "starting" });
    this.element.hidden = false;
    try {
      return await job.follow((state) => job === this.job && this.tell(state));
    } catch (error) {
      if (error.stopped) return null;
      throw error;
    } finally {
      if (job === this.job) this.forget();
    }
  }

  tell({ share, message }) {
    this.bar.value = share;
    this.news.textContent = message;
  }

  stop() {
    this.job?.stop();
    this.tell({ share: this.bar.value, message: "stopping" });
  }

  /** End the work and forget it: another model is shown. Says whether there was any. */
  drop() {
    const { job } = this;
    this.stop();
    this.forget();
    return Boolean(job);
  }

  forget() {
    this.job = null;
    this.element.hidden = true;
  }
}
