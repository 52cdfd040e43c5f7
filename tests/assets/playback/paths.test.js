import assert from "node:assert/strict";
import { beforeEach, test } from "node:test";
import { AnimationPaths, codeAt, lineAlong } from "../../../app/live/assets/playback/paths.js";

const MODEL = { latentDim: 1, variational: true };
const VIEW = { projection: "umap", x: 0, y: 1, colour: "label" };
const WAY = { keyframes: [[0], [1]], framesPerLeg: 4, easing: "linear", loop: false };
const base64 = (...values) => Buffer.from(Float32Array.from(values).buffer).toString("base64");

let news;
let asked;
let decoding;
let paths;

/** A trace whose codes are these. */
const answerOf = (kind, ...codes) => ({
  kinds: {
    [kind]: {
      codes: base64(...codes),
      norm: base64(...codes),
      logDensity: base64(...codes),
      percentile: base64(...codes),
    },
  },
  expectedNorm: 1.5,
  positions: [0, codes.length - 1],
  frames: codes.length,
});

const settle = () => new Promise((resolve) => setImmediate(resolve));

/** Answer the batch that was asked for last: each picture is ten times its code. */
const decode = () => {
  const { values, onAnswer } = decoding.at(-1);
  const places = Float32Array.from([...values].flatMap((value) => [value, -value]));
  onAnswer({ places, codes: values, frames: [...values].map((value) => Uint8Array.of(10 * value)) });
};

beforeEach(() => {
  news = [];
  asked = [];
  decoding = [];
  const queries = {
    ask: (what, body, slot) => new Promise((resolve, reject) => asked.push({ what, body, slot, resolve, reject })),
  };
  const live = {
    ask: (slot, _kind, view, values, onAnswer) =>
      decoding.push({ slot, view, values: Float32Array.from(values), onAnswer }),
  };
  paths = new AnimationPaths({
    onOutline: (outline) => news.push(["outline", outline.frames]),
    onTrack: () => news.push(["track"]),
    onFrames: (done, all) => news.push(["frames", done, all]),
    onProblem: (kind, text) => text && news.push(["problem", kind, text]),
    position: () => 0,
    pathCodes: 256,
  });
  paths.use(queries, live, MODEL);
  paths.setView(VIEW);
});

test("each kind of path is asked for once, and its pictures are decoded in one batch", async () => {
  paths.want({ ...WAY, kinds: ["linear", "spherical"] });
  assert.deepEqual(
    asked.map(({ what, slot, body }) => [what, slot, ...body.kinds]),
    [
      ["trace", "trace linear", "linear"],
      ["trace", "trace spherical", "spherical"],
    ],
  );
  asked[0].resolve(answerOf("linear", 0, 1, 2, 3));
  await settle();
  assert.deepEqual(
    paths.shown().map(({ kind }) => kind),
    ["linear"],
  );
  assert.deepEqual([...decoding[0].values], [0, 1, 2, 3]);
  decode();
  assert.ok(paths.isReady(3));
  assert.deepEqual(paths.shown()[0].places[2], { x: 2, y: -2 });
  assert.deepEqual(news.at(-1), ["frames", 4, 4]);
  paths.want({ ...WAY, kinds: ["linear", "spherical"] });
  assert.equal(asked.length, 2, "what is there is not asked for again");
});

test("old paths play on until the first new one has come, which takes over the pictures that it shares", async () => {
  paths.want({ ...WAY, kinds: ["linear"] });
  asked[0].resolve(answerOf("linear", 0, 1, 2));
  await settle();
  decode();
  paths.want({ ...WAY, keyframes: [[0], [5]], kinds: ["linear"] });
  assert.equal(paths.shown()[0].codes.length, 3);
  asked[1].resolve(answerOf("linear", 0, 2, 5, 6));
  await settle();
  const [track] = paths.shown();
  assert.deepEqual(
    [0, 1, 2, 3].map((i) => track.frames[i]?.[0]),
    [0, 20, undefined, undefined],
  );
  assert.deepEqual([...decoding.at(-1).values], [5, 6], "the rest alone is decoded");
});

test("an answer to what is not wanted any more is left aside", async () => {
  paths.want({ ...WAY, kinds: ["linear"] });
  paths.want({ ...WAY, easing: "cubic", kinds: ["linear"] });
  asked[0].resolve(answerOf("linear", 7, 8));
  await settle();
  assert.deepEqual(paths.shown(), []);
  asked[1].resolve(answerOf("linear", 1, 2));
  await settle();
  assert.deepEqual([...paths.shown()[0].codes], [1, 2]);
});

test("what keeps a kind away is said, and it is asked for again", async () => {
  paths.want({ ...WAY, kinds: ["data"] });
  asked[0].reject(new Error("the graph is too small."));
  await settle();
  assert.deepEqual(news, [["problem", "data", "The graph is too small."]]);
  paths.want({ ...WAY, kinds: ["data"] });
  assert.equal(asked.length, 2);
});

test("another map has other places, and its pictures stay", async () => {
  paths.want({ ...WAY, kinds: ["linear"] });
  asked[0].resolve(answerOf("linear", 0, 1));
  await settle();
  decode();
  paths.setView({ ...VIEW, projection: "pca" });
  assert.ok(paths.isReady(1), "what is shown goes on");
  assert.deepEqual(paths.shown()[0].places, new Array(2));
  assert.equal(decoding.at(-1).view.projection, "pca");
  decode();
  assert.deepEqual(paths.shown()[0].places[1], { x: 1, y: -1 });
});

test("an answer for the map before is left aside", async () => {
  paths.want({ ...WAY, kinds: ["linear"] });
  asked[0].resolve(answerOf("linear", 0, 1));
  await settle();
  const [late] = decoding;
  paths.setView({ ...VIEW, projection: "pca" });
  late.onAnswer({ places: Float32Array.of(9, 9, 9, 9), frames: [Uint8Array.of(9), Uint8Array.of(9)] });
  assert.equal(paths.isReady(0), false);
});

test("batches begin where the animation plays, small at first, and never hold more codes than a question may", async () => {
  paths.hooks.position = () => 590;
  paths.want({ ...WAY, kinds: ["linear"] });
  asked[0].resolve(answerOf("linear", ...Array.from({ length: 600 }, (_, i) => i % 25)));
  await settle();
  assert.deepEqual([...decoding[0].values].slice(0, 11), [15, 16, 17, 18, 19, 20, 21, 22, 23, 24, 0]);
  assert.equal(decoding[0].values.length, 48);
  while (paths.loading) decode();
  assert.deepEqual(
    decoding.map(({ values }) => values.length),
    [48, 256, 256, 40],
  );
  assert.ok(paths.isReady(599));
});

test("a plain autoencoder's codes have no expected norm", async () => {
  paths.use(paths.queries, paths.live, { ...MODEL, variational: false });
  paths.want({ ...WAY, kinds: ["linear"] });
  asked[0].resolve(answerOf("linear", 0, 1));
  await settle();
  assert.equal(paths.shown()[0].expectedNorm, null);
});

test("the code of a frame", () => {
  assert.deepEqual([...codeAt({ codes: Float32Array.of(1, 2, 3, 4) }, 1, 2)], [3, 4]);
});

test("a path's line goes through the places that have come; a loop is closed, but not between two keyframes", () => {
  const [a, b, c, d] = [0, 1, 2, 3].map((x) => ({ x, y: 0 }));
  assert.deepEqual(lineAlong([a, undefined, c, d], { loop: false, positions: [0, 1, 3] }), [a, c, d]);
  assert.deepEqual(lineAlong([a, b, c, d], { loop: true, positions: [0, 1, 3] }), [a, b, c, d, a]);
  assert.deepEqual(lineAlong([a, b, c, d], { loop: true, positions: [0, 2] }), [a, b, c]);
});
