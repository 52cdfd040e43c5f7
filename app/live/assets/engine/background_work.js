// Work in the background that goes on when its page is left for another one; closing the tab ends it.

import { Job } from "./jobs.js";

const underway = new Map(); // key -> Work

/** @typedef {{job: Job, state: {share: number, message: string}, done: Promise<void>, onNews: Function | null}} Work */

/**
 * Work that was begun under a key and has not ended yet.
 * @returns {Work | undefined}
 */
export function workOf(key) {
  return underway.get(key);
}

/**
 * Begin some work; its `done` resolves when what it made is kept, and rejects as Job.follow does.
 * @param {string} key under which it is found again
 * @param {URL} root of the server
 * @param {() => Promise<{job: string}>} begin asks the server to begin
 * @param {(made: Response) => Promise<void>} keep takes over what was made, whoever looks on by then
 * @returns {Work}
 */
export function beginWork(key, root, begin, keep) {
  const work = { job: new Job(root, begin), state: { share: 0, message: "starting" }, onNews: null };
  const onState = (state) => {
    work.state = state;
    work.onNews?.(state);
  };
  const ended = () => underway.get(key) === work && underway.delete(key);
  work.done = work.job.follow(onState).then(keep).finally(ended);
  work.done.catch(() => {}); // whoever looks on hears of it
  underway.set(key, work);
  return work;
}

window.addEventListener("pagehide", () => underway.forEach(({ job }) => job.stop()));
