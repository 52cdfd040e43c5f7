// Work in the background: how far it is, its end, and what it made.

const ASK_EVERY_MS = 300;
const ENDS = ["done", "failed", "stopped"];

/** Why there is nothing at the end of work: somebody stopped it, or the message says what happened. */
export class UndoneError extends Error {
  /**
   * @param {string} message
   * @param {boolean} stopped
   */
  constructor(message, stopped) {
    super(message);
    this.stopped = stopped;
  }
}

export class Job {
  /**
   * @param {import("./source.js").Source} source
   * @param {() => Promise<{job: string}>} begin asks for the beginning
   */
  constructor(source, begin) {
    this.source = source;
    this.begin = begin;
    this.stopped = false;
    /** @type {import("./source.js").JobHandle | null} */
    this.handle = null; // once it has begun
  }

  /**
   * Begin, and tell how far it is until it has ended.
   * @param {(state: import("./source.js").JobState) => void} onNews
   * @returns {Promise<import("./source.js").JobResult>} what it made
   * @throws {UndoneError} when there is nothing
   */
  async follow(onNews) {
    const { job } = await this.begin();
    const handle = this.source.job(job);
    this.handle = handle;
    if (this.stopped) handle.stop(); // meanwhile
    let state = await handle.state();
    while (!ENDS.includes(state.phase)) {
      onNews(state);
      await new Promise((resolve) => setTimeout(resolve, ASK_EVERY_MS));
      state = await handle.state();
    }
    if (state.phase !== "done") throw new UndoneError(state.message, state.phase === "stopped");
    return handle.result();
  }

  /** End it, even when the page is left just then. */
  stop() {
    this.stopped = true;
    this.handle?.stop();
  }
}
