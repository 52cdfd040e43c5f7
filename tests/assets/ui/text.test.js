import assert from "node:assert/strict";
import { test } from "node:test";
import {
  cleanName,
  dimensionOptions,
  dimensionTitle,
  fixed,
  freeName,
  number,
  parsed,
  sentence,
  unusedName,
} from "../../../app/live/assets/ui/text.js";
import limits from "../../contracts/limits.json" with { type: "json" };
import names from "../../contracts/names.json" with { type: "json" };

for (const { typed, kept } of names) {
  test(`${JSON.stringify(typed).slice(0, 30)} becomes a name by Python's rule`, () => {
    assert.equal(cleanName(typed, limits.nameLength), kept);
  });
}

test("a name that is taken gets a number, within its room", () => {
  const others = [{ name: "a" }, { name: "a (2)" }];
  assert.equal(unusedName("b", others, 60), "b");
  assert.equal(unusedName("a", others, 60), "a (3)");
  const long = "x".repeat(60);
  assert.equal(unusedName(long, [{ name: long }], 60), `${"x".repeat(55)} (2)`);
});

test("groups are numbered on, past those that were named so by hand", () => {
  assert.equal(freeName("Group", []), "Group 1");
  assert.equal(freeName("Group", [{ name: "Group 2" }]), "Group 3");
});

test("dimensions are told by number and name, in order", () => {
  assert.equal(dimensionTitle({ dimension: 0, name: "" }), "Dimension 1");
  assert.equal(dimensionTitle({ dimension: 2, name: "slant" }), "Dimension 3 · slant");
  const sliders = [2, 0, 1].map((dimension) => ({ dimension, name: dimension === 1 ? "width" : "" }));
  const expected = [
    ["0", "z1 · mine"],
    ["1", "z2 · width"],
    ["2", "z3"],
  ];
  assert.deepEqual(dimensionOptions({ sliders }, { 0: "mine", 2: "z3" }), expected);
});

test("a number is read with a comma, a point, or a true minus sign", () => {
  assert.equal(parsed("1,5"), 1.5);
  assert.equal(parsed(" \u22120.25 "), -0.25);
  assert.equal(parsed("-1e3"), -1000);
  for (const text of ["", "  ", "x", "1 2", "1,2,3"]) assert.ok(Number.isNaN(parsed(text)), text);
});

test("a number is written with as many digits as can be read at a glance, and no minus before zero", () => {
  assert.equal(number(1.234), "1.23");
  assert.equal(number(-12.34), "\u221212.3");
  assert.equal(number(123.4), "123");
  assert.equal(fixed(-0.001, 2), "0.00");
  assert.equal(fixed(-1, 0), "\u22121");
});

test("a reason becomes a sentence", () => {
  assert.equal(sentence("the server is busy."), "The server is busy.");
  assert.equal(sentence(""), "");
});
