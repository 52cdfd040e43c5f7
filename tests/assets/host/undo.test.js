import assert from "node:assert/strict";
import { before, test } from "node:test";
import { Undo } from "../../../app/live/assets/host/undo.js";

/** An element of no page: what Undo asks of its buttons and of what keys are pressed on. */
const element = (type = "") => ({
  append: () => {},
  setAttribute: () => {},
  addEventListener: () => {},
  matches: (selector) => selector.includes(`[type=${type}]`),
});

const pressed = (key, keys = {}, target = element()) => ({
  key,
  ctrlKey: true,
  shiftKey: false,
  metaKey: false,
  ...keys,
  composedPath: () => [target],
  preventDefault() {
    this.taken = true;
  },
});

before(() => {
  globalThis.document = { createElement: () => element() };
});

test("buttons say where one can go", () => {
  const undo = new Undo(() => {});
  undo.switchModel({ digest: "buttons" });
  undo.remember(Float32Array.of(1));
  assert.deepEqual([undo.undoButton.disabled, undo.redoButton.disabled], [true, true]);
  undo.remember(Float32Array.of(2));
  assert.deepEqual([undo.undoButton.disabled, undo.redoButton.disabled], [false, true]);
  assert.deepEqual([...undo.step(-1, Float32Array.of(2))], [1]);
});

test("what has not settled yet is a step as well", () => {
  const undo = new Undo(() => {});
  undo.switchModel({ digest: "unsettled" });
  undo.remember(Float32Array.of(1));
  undo.remember(Float32Array.of(2));
  assert.deepEqual([...undo.step(-1, Float32Array.of(3))], [2]);
});

test("Ctrl+Z goes back, Ctrl+Y and Ctrl+Shift+Z go on", () => {
  const steps = [];
  const undo = new Undo((direction) => steps.push(direction));
  for (const event of [
    pressed("z"),
    pressed("y"),
    pressed("Z", { shiftKey: true }),
    pressed("z", { ctrlKey: false }),
  ]) {
    undo.keyed(event);
  }
  undo.keyed(pressed("z", { ctrlKey: false, metaKey: true }));
  undo.keyed(pressed("a"));
  assert.deepEqual(steps, [-1, 1, 1, -1]);
});

test("where something is typed the keys undo that", () => {
  const steps = [];
  const undo = new Undo((direction) => steps.push(direction));
  for (const type of ["text", "search", "number"]) undo.keyed(pressed("z", {}, element(type)));
  assert.deepEqual(steps, []);
  const event = pressed("z", {}, element("range"));
  undo.keyed(event);
  assert.deepEqual(steps, [-1]);
  assert.ok(event.taken);
});
