import assert from "node:assert/strict";
import { test } from "node:test";
import { rangeOf } from "../../../app/live/assets/playback/curves.js";

const track = (expectedNorm, ...values) => ({
  norm: Float32Array.from(values),
  logDensity: Float32Array.from(values),
  expectedNorm,
});

test("a chart's range holds the finite values of all paths", () => {
  const tracks = [track(null, 1, 4), track(null, -2, Infinity, NaN)];
  assert.deepEqual(rangeOf(tracks, "norm"), [-2, 4]);
});

test("the norm's range takes in the norm that is expected, no other chart's does", () => {
  assert.deepEqual(rangeOf([track(9, 1, 4)], "norm"), [1, 9]);
  assert.deepEqual(rangeOf([track(9, 1, 4)], "logDensity"), [1, 4]);
});

test("where nothing is finite there is a range still", () => {
  assert.deepEqual(rangeOf([track(null, NaN, -Infinity)], "norm"), [0, 1]);
});
