import assert from "node:assert/strict";
import { test } from "node:test";
import { History, historyOf } from "../../../app/live/assets/host/history.js";

const remembering = (...codes) => {
  const history = new History();
  for (const code of codes) history.remember(Float32Array.of(...code));
  return history;
};

test("one goes back and on again, as far as there is something", () => {
  const history = remembering([1], [2], [3]);
  assert.deepEqual([history.canUndo, history.canRedo], [true, false]);
  assert.deepEqual([...history.step(-1)], [2]);
  assert.deepEqual([...history.step(-1)], [1]);
  assert.deepEqual([...history.step(-1)], [1]);
  assert.deepEqual([history.canUndo, history.canRedo], [false, true]);
  assert.deepEqual([...history.step(1)], [2]);
});

test("a new code takes the place of what was undone", () => {
  const history = remembering([1], [2], [3]);
  history.step(-1);
  history.step(-1);
  history.remember(Float32Array.of(4));
  assert.equal(history.canRedo, false);
  assert.deepEqual([...history.step(-1)], [1]);
});

test("the same code twice is one step", () => {
  const history = remembering([1, 2], [1, 2]);
  assert.equal(history.canUndo, false);
});

test("a code is copied", () => {
  const history = new History();
  const z = Float32Array.of(1);
  history.remember(z);
  z[0] = 5;
  history.remember(z);
  assert.deepEqual([...history.step(-1)], [1]);
});

test("200 codes can be gone back to", () => {
  const history = remembering(...Array.from({ length: 250 }, (_, i) => [i]));
  for (let i = 0; i < 300; i++) history.step(-1);
  assert.deepEqual([...history.step(0)], [50]);
});

test("each model has its own, for as long as the browser's page lives", () => {
  assert.equal(historyOf("a"), historyOf("a"));
  assert.notEqual(historyOf("a"), historyOf("b"));
});
