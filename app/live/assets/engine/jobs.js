// Work that the server does in the background: how far it is, its end, and what it made (see app/live/job_routes.py).

import { refusalOf } from "./refusal.js";

const ASK_EVERY_MS = 300;
const PATIENCE = 10; // questions in a row that the server may leave unanswered
const LATER = [502, 503, 504]; // busy, or started anew behind a proxy

export class Job {
  /**
   * @param {URL} root of the server
   * @param {() => Promise<{job: string}>} begin asks the server to begin
   */
  constructor(root, begin) {
    this.root = root;
    this.begin = begin;
    this.stopped = false;
  }

  /**
   * Begin, and tell how far it is until it has ended.
   * @param {(state: {phase: string, share: number, message: string}) => void} onNews
   * @returns {Promise<Response>} what it made
   * @throws {Error} with the reason why there is nothing, `stopped` true when somebody stopped it
   */
  async follow(onNews) {
    const { job } = await this.begin();
    this.url = new URL(`live/jobs/${encodeURIComponent(job)}`, this.root);
    if (this.stopped) this.stop(); // meanwhile
    let state = await this.ask();
    while (!["done", "failed", "stopped"].includes(state.phase)) {
      onNews(state);
      await new Promise((resolve) => setTimeout(resolve, ASK_EVERY_MS));
      state = await this.ask();
    }
    if (state.phase !== "done") throw Object.assign(new Error(state.message), { stopped: state.phase === "stopped" });
    return this.get(`${this.url}/result`);
  }

  async ask() {
    return (await this.get(this.url)).json();
  }

  async get(url, patience = PATIENCE) {
    const answer = await fetch(url).catch(() => null);
    if (answer?.ok) return answer;
    if (answer && !LATER.includes(answer.status)) throw await refusalOf(answer);
    if (!patience) throw new Error("the server is out of reach; try again shortly");
    await new Promise((resolve) => setTimeout(resolve, ASK_EVERY_MS));
    return this.get(url, patience - 1);
  }

  /** End it; the request goes out even when the page is left. */
  stop() {
    this.stopped = true;
    if (this.url) fetch(`${this.url}/stop`, { method: "POST", keepalive: true }).catch(() => {});
  }
}
