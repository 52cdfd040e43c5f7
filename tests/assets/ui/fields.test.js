import assert from "node:assert/strict";
import { test } from "node:test";
import { whole } from "../../../app/live/assets/ui/fields.js";

const read = (value, otherwise = 5) => {
  const field = { value, min: "2", max: "60" };
  return [whole(field, otherwise), field.value];
};

test("a whole number is read within its bounds, and the field shows it from then on", () => {
  assert.deepEqual(read("7"), [7, "7"]);
  assert.deepEqual(read("7.6"), [8, "8"]);
  assert.deepEqual(read("1"), [2, "2"]);
  assert.deepEqual(read("1e9"), [60, "60"]);
  assert.deepEqual(read(""), [5, "5"]);
  assert.deepEqual(read("many", 99), [60, "60"]);
});
