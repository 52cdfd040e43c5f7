import assert from "node:assert/strict";
import { afterEach, beforeEach, mock, test } from "node:test";
import { beginWork, workOf } from "../../../app/live/assets/engine/background_work.js";
import { Job } from "../../../app/live/assets/engine/jobs.js";

/** A source whose jobs go through these states. */
const sourceOf = (...states) => {
  const asked = { states: 0, stopped: 0 };
  const handle = {
    state: async () => states[Math.min(asked.states++, states.length - 1)],
    result: async () => ({ json: async () => "made" }),
    stop: () => asked.stopped++,
  };
  return { asked, job: () => handle };
};
const state = (phase, share = 0, message = phase) => ({ phase, share, message });

/** Let all that waits for a moment go on. */
const settle = async (turns = 30) => {
  for (let i = 0; i < turns; i++) {
    await new Promise((resolve) => setImmediate(resolve));
    mock.timers.tick(300);
  }
};

beforeEach(() => mock.timers.enable({ apis: ["setTimeout"] }));
afterEach(() => mock.timers.reset());

test("a job is followed to its end and gives what it made", async () => {
  const news = [];
  const source = sourceOf(state("waiting"), state("encoding", 0.5), state("done", 1));
  const job = new Job(source, async () => ({ job: "1" }));
  assert.equal(job.handle, null);
  const made = job.follow((each) => news.push(each.phase));
  await settle();
  assert.equal(await (await made).json(), "made");
  assert.deepEqual(news, ["waiting", "encoding"]);
  assert.notEqual(job.handle, null);
});

test("a job that failed says why, one that was stopped that it was", async () => {
  const failed = new Job(sourceOf(state("failed", 0, "no room")), async () => ({ job: "1" }));
  await assert.rejects(
    failed.follow(() => {}),
    { message: "no room", stopped: false },
  );
  const stopped = new Job(sourceOf(state("stopped")), async () => ({ job: "1" }));
  await assert.rejects(
    stopped.follow(() => {}),
    { stopped: true },
  );
});

test("a job that is stopped while it begins is stopped once it has a name", async () => {
  let begun;
  const source = sourceOf(state("stopped"));
  const job = new Job(source, () => new Promise((resolve) => (begun = resolve)));
  const end = assert.rejects(job.follow(() => {}));
  job.stop();
  assert.equal(source.asked.stopped, 0);
  begun({ job: "1" });
  await end;
  assert.equal(source.asked.stopped, 1);
});

test("a job that is refused before it begins says so", async () => {
  const job = new Job(sourceOf(), async () => {
    throw new Error("the queue is full");
  });
  await assert.rejects(
    job.follow(() => {}),
    { message: "the queue is full" },
  );
});

test("work goes on under its key until it has ended, whoever looks on, and ends with the tab", async () => {
  const listeners = [];
  globalThis.window = { addEventListener: (type, act) => listeners.push([type, act]) };
  const kept = [];
  const source = sourceOf(state("encoding", 0.25), state("encoding", 0.75), state("done"));
  const keep = async (made) => kept.push(await made.json());
  const work = beginWork("key", source, async () => ({ job: "1" }), keep);
  assert.equal(workOf("key"), work);
  await new Promise((resolve) => setImmediate(resolve));
  const news = [];
  work.onNews = ({ share }) => news.push(share);
  assert.equal(work.state.share, 0.25);
  await settle();
  await work.done;
  assert.deepEqual(kept, ["made"]);
  assert.deepEqual(news, [0.75]);
  assert.equal(workOf("key"), undefined);

  const other = sourceOf(state("encoding"));
  beginWork("other", other, async () => ({ job: "2" }), keep);
  await settle(2);
  assert.deepEqual(
    listeners.map(([type]) => type),
    ["pagehide"],
    "one listener for all work",
  );
  listeners[0][1]();
  assert.equal(other.asked.stopped, 1);
});
