// Work in the background that goes on when its page is left for another one; closing the tab ends it.

import { Job } from "./jobs.js";

/**
 * @typedef {import("./source.js").JobState} JobState
 * @typedef {import("./source.js").JobResult} JobResult
 * @typedef {{job: Job, state: Pick<JobState, "share" | "message">, done: Promise<void>, onNews: ((state: JobState) => void) | null}} Work
 */

/** @type {Map<string, Work>} */
const underway = new Map();
let listens = false; // for the tab's end

/**
 * Work that was begun under a key and has not ended yet.
 * @param {string} key
 * @returns {Work | undefined}
 */
export function workOf(key) {
  return underway.get(key);
}

/**
 * Begin some work; its `done` resolves when what it made is kept, and rejects as Job.follow does.
 * @param {string} key under which it is found again
 * @param {import("./source.js").Source} source
 * @param {() => Promise<{job: string}>} begin asks for the beginning
 * @param {(made: JobResult) => Promise<void>} keep takes over what was made, whoever looks on by then
 * @returns {Work}
 */
export function beginWork(key, source, begin, keep) {
  stopAllAtTheEnd();
  const job = new Job(source, begin);
  /** @param {JobState} state */
  const onState = (state) => {
    work.state = state;
    work.onNews?.(state);
  };
  const ended = () => {
    if (underway.get(key) === work) underway.delete(key);
  };
  /** @type {Work} */
  const work = {
    job,
    state: { share: 0, message: "starting" },
    onNews: null,
    done: job.follow((state) => onState(state)).then(keep),
  };
  work.done = work.done.finally(ended);
  work.done.catch(() => {}); // whoever looks on hears of it
  underway.set(key, work);
  return work;
}

function stopAllAtTheEnd() {
  if (listens) return;
  listens = true;
  window.addEventListener("pagehide", () => {
    for (const { job } of underway.values()) job.stop();
  });
}
