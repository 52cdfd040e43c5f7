import assert from "node:assert/strict";
import { afterEach, beforeEach, mock, test } from "node:test";
import { remote } from "../../../app/live/assets/engine/remote.js";
import questions from "../../contracts/questions.json" with { type: "json" };

const ROOT = new URL("http://host/vae/");
const source = remote(ROOT, "3.0");
let requests;
let answers;

beforeEach(() => {
  requests = [];
  answers = [];
  globalThis.fetch = async (url, options = {}) => {
    requests.push({ url: String(url), ...options });
    const answer = answers.shift();
    if (answer instanceof Error) throw answer;
    return answer ?? new Response("{}");
  };
});

afterEach(() => mock.timers.reset());

test("it answers all that the server answers", () => {
  assert.deepEqual([...source.can].sort(), questions);
});

test("a picture's address lies below the server's root", () => {
  assert.equal(source.addressOf("live/models/a%20b/1/strip.png"), "http://host/vae/live/models/a%20b/1/strip.png");
});

test("a map is fetched by an address that changes with it, and its arrays are unpacked", async () => {
  const base64 = (array) => Buffer.from(array.buffer).toString("base64");
  const floats = (...values) => ({ dtype: "f4", bdata: base64(Float32Array.from(values)) });
  const trace = { name: "1", x: floats(1, 2), y: floats(3, 4) };
  answers = [Response.json({ data: [trace], layout: { meta: { indices: [base64(Int32Array.of(7, 9))] } } })];
  const view = { projection: "axes", x: 2, y: 1, colour: "label" };
  const { layers, layout } = await source.figure({ name: "a b", maps: "v1" }, view);
  assert.equal(requests[0].url, "http://host/vae/live/models/a%20b/v1/map?projection=axes&x=2&y=1&colour=label");
  assert.deepEqual(layers[0].trace, { name: "1", x: Float32Array.of(1, 2), y: Float32Array.of(3, 4) });
  assert.deepEqual([...layers[0].indices], [7, 9]);
  assert.equal(layout.meta.indices.length, 1);
});

test("a map that is refused, or whose server is gone, has a reason", async () => {
  const view = { projection: "umap", x: 0, y: 1, colour: "kl" };
  answers = [new Response('{"code": "input", "message": "no KL"}', { status: 400 }), new TypeError("Failed to fetch")];
  await assert.rejects(source.figure({ name: "a", maps: "v" }, view), { message: "no KL", code: "input" });
  await assert.rejects(source.figure({ name: "a", maps: "v" }, view), { message: /out of reach/ });
});

test("a job tells its state, its result, and is stopped even by a page that is left", async () => {
  const job = source.job("a/b");
  answers = [Response.json({ phase: "encoding", share: 0.5, message: "half" }), Response.json({ made: 1 })];
  assert.deepEqual(await job.state(), { phase: "encoding", share: 0.5, message: "half" });
  assert.deepEqual(await (await job.result()).json(), { made: 1 });
  job.stop();
  assert.deepEqual(
    requests.map(({ url }) => url.replace("http://host/vae/live/jobs/a%2Fb", "")),
    ["", "/result", "/stop"],
  );
  assert.deepEqual([requests[2].method, requests[2].keepalive], ["POST", true]);
});

test("a server that is away for a moment is asked again; one that says no is not", async () => {
  mock.timers.enable({ apis: ["setTimeout"] });
  answers = [new TypeError("away"), new Response("", { status: 503 }), Response.json({ phase: "done" })];
  const state = source.job("1").state();
  for (let i = 0; i < 20; i++) {
    await new Promise((resolve) => setImmediate(resolve));
    mock.timers.tick(300);
  }
  assert.equal((await state).phase, "done");
  assert.equal(requests.length, 3);
  answers = [new Response('{"code": "gone", "message": "forgotten"}', { status: 404 })];
  await assert.rejects(source.job("1").state(), { code: "gone" });
  assert.equal(requests.length, 4);
});

test("a server that stays away is given up", async () => {
  mock.timers.enable({ apis: ["setTimeout"] });
  answers = Array.from({ length: 20 }, () => new TypeError("away"));
  const state = source.job("1").state();
  const ends = assert.rejects(state, { message: /out of reach/ });
  for (let i = 0; i < 40; i++) {
    await new Promise((resolve) => setImmediate(resolve));
    mock.timers.tick(300);
  }
  await ends;
  assert.equal(requests.length, 11, "ten more tries");
});
