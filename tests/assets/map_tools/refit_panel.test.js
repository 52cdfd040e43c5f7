import assert from "node:assert/strict";
import { test } from "node:test";
import { isWithin, rangeOf } from "../../../app/live/assets/map_tools/refit_panel.js";
import limits from "../../contracts/limits.json" with { type: "json" };

const field = (value, [min, max], step) => ({ value, min: String(min), max: String(max), step: String(step) });

test("settings are taken within what the server takes", () => {
  const { neighbors, minDist, seed } = limits.refit;
  for (const value of ["2", "200", "15"]) assert.ok(isWithin(field(value, neighbors, 1)), value);
  for (const value of ["1", "201", "15.5", "", "x"]) assert.ok(!isWithin(field(value, neighbors, 1)), value);
  for (const value of ["0", "0,99", "0.125"]) assert.ok(isWithin(field(value, minDist, 0.05)), value);
  for (const value of ["-0.01", "1"]) assert.ok(!isWithin(field(value, minDist, 0.05)), value);
  assert.ok(isWithin(field("4294967295", seed, 1)));
  assert.ok(!isWithin(field("4294967296", seed, 1)));
});

test("what a setting takes is said", () => {
  assert.equal(rangeOf(field("", limits.refit.seed, 1)), "a whole number from 0 to 4,294,967,295");
  assert.equal(rangeOf(field("", limits.refit.minDist, 0.05)), "a number from 0 to 0.99");
});
