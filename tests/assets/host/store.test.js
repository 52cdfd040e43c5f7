import assert from "node:assert/strict";
import { afterEach, beforeEach, mock, test } from "node:test";
import { packed, Store, unpacked } from "../../../app/live/assets/host/store.js";

let reports;
let store;

beforeEach(() => {
  mock.timers.enable({ apis: ["setTimeout"] });
  reports = [];
  store = new Store((state) => reports.push(structuredClone(state)));
  store.load({ names: {}, selection: [], origin: null });
});

afterEach(() => mock.timers.reset());

test("what changes often is reported once it has settled", () => {
  store.set({ names: { 1: "a" } });
  mock.timers.tick(300);
  store.set({ names: { 1: "ab" } });
  mock.timers.tick(399);
  assert.deepEqual(reports, []);
  mock.timers.tick(1);
  assert.deepEqual(reports, [{ names: { 1: "ab" }, selection: [], origin: null }]);
});

test("it is reported at once where that is asked for, and not twice", () => {
  store.settle();
  assert.equal(reports.length, 0, "nothing has changed");
  store.set({ names: {} });
  store.settle();
  mock.timers.tick(1000);
  assert.equal(reports.length, 1);
});

test("those hear of a change who asked for one of its parts, and everybody of a load", () => {
  const heard = [];
  store.on(["names"], () => heard.push("names"));
  store.on(["selection", "origin"], (state) => heard.push(state.selection.length));
  store.set({ names: {} });
  store.set({ selection: [1, 2] });
  store.load({ names: {}, selection: [3], origin: null });
  assert.deepEqual(heard, ["names", 2, "names", 1]);
});

test("a load is nobody's change, and is a copy", () => {
  const kept = { names: { 0: "a" }, selection: [], origin: null };
  store.set({ names: {} });
  store.load(kept);
  mock.timers.tick(1000);
  assert.deepEqual(reports, []);
  store.state.names[0] = "b";
  assert.equal(kept.names[0], "a");
});

test("a selection that does not say otherwise was drawn on the map", () => {
  store.set({ selection: [1] });
  assert.equal(store.state.origin, "map");
  store.set({ selection: [1], origin: "label" });
  assert.equal(store.state.origin, "label");
});

test("members are packed for Python, and come back", () => {
  const desk = { selection: [3, 8], origin: null, groups: [{ name: "a", indices: [0] }], names: {}, tab: "groups" };
  const sent = packed(desk);
  assert.deepEqual([sent.selection, sent.groups[0].indices], ["CAE=", "AQ=="]);
  assert.deepEqual(unpacked(sent), desk);
});
