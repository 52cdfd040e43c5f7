import assert from "node:assert/strict";
import { beforeEach, test } from "node:test";
import { keepDesk, restoredDesk } from "../../../app/live/assets/host/persistence.js";

const MODEL = { digest: "weights", referenceDigest: "images" };
const blank = () => ({
  names: {},
  groups: [],
  directions: [],
  locked: [],
  selection: "",
  origin: null,
  tab: "sliders",
});
const laidOut = () => ({
  ...blank(),
  names: { 0: "slant" },
  groups: [{ name: "a", indices: "AQ==" }],
  locked: [2],
  selection: "Bw==",
});

let kept;

/** A browser's storage with room for so many letters. */
const storageOf = (room = Infinity) => ({
  getItem: (key) => kept.get(key) ?? null,
  removeItem: (key) => kept.delete(key),
  setItem: (key, value) => {
    if (value.length > room) throw new DOMException("full", "QuotaExceededError");
    kept.set(key, value);
  },
});

beforeEach(() => {
  kept = new Map();
  globalThis.localStorage = storageOf();
});

test("what was laid out comes back where Python knows of nothing, but for the selection", () => {
  keepDesk(MODEL, laidOut());
  const restored = restoredDesk(MODEL, blank());
  assert.deepEqual(restored.names, { 0: "slant" });
  assert.deepEqual(restored.groups, [{ name: "a", indices: "AQ==" }]);
  assert.deepEqual([restored.locked, restored.selection, restored.tab], [[2], "", "sliders"]);
});

test("what Python knows counts", () => {
  keepDesk(MODEL, laidOut());
  const desk = { ...blank(), names: { 1: "mine" } };
  assert.equal(restoredDesk(MODEL, desk), desk);
});

test("a model that was trained anew starts afresh", () => {
  keepDesk(MODEL, laidOut());
  const desk = blank();
  assert.equal(restoredDesk({ ...MODEL, digest: "others" }, desk), desk);
});

test("groups of another reference set are left out, the rest comes back", () => {
  keepDesk(MODEL, laidOut());
  const restored = restoredDesk({ ...MODEL, referenceDigest: "others" }, blank());
  assert.deepEqual([restored.groups, restored.names], [[], { 0: "slant" }]);
});

test("who takes all away leaves nothing behind", () => {
  keepDesk(MODEL, laidOut());
  keepDesk(MODEL, blank());
  assert.equal(kept.size, 0);
});

test("a browser that is full, keeps nothing, or holds something else is left alone", () => {
  globalThis.localStorage = storageOf(3);
  keepDesk(MODEL, laidOut());
  const desk = blank();
  assert.equal(restoredDesk(MODEL, desk), desk);
  globalThis.localStorage = { getItem: () => "no JSON" };
  assert.equal(restoredDesk(MODEL, desk), desk);
  globalThis.localStorage = {
    getItem: () => {
      throw new DOMException("not allowed", "SecurityError");
    },
  };
  assert.equal(restoredDesk(MODEL, desk), desk);
});
