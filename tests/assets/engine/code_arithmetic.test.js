import assert from "node:assert/strict";
import { test } from "node:test";
import {
  along,
  axis,
  combined,
  movedAlong,
  overlaps,
  stepped,
  withoutPlane,
} from "../../../app/live/assets/engine/code_arithmetic.js";
import formulas from "../../contracts/directions.json" with { type: "json" };

const near = (actual, expected) => {
  assert.equal(actual.length, expected.length);
  actual.forEach((value, i) => assert.ok(Math.abs(value - expected[i]) < 1e-6, `${actual} is not ${expected}`));
};

test("the formulas of directions are Python's", () => {
  for (const { z, vector, steps, moved } of formulas.apply) near(stepped(z, vector, steps), moved);
  for (const { z, vector, steps } of formulas.project) near([along(z, vector)], [steps]);
  for (const { vector, cosines } of formulas.overlaps) near(overlaps(vector), cosines);
  for (const { a, b, c, result } of formulas.arithmetic) near(combined(a, b, c), result);
});

test("a code is brought to a place along a direction, and nowhere else", () => {
  const moved = movedAlong([1, 2, 3], [0, 2, 0], 5, []);
  near(moved, [1, 10, 3]);
  assert.equal(along(moved, [0, 2, 0]), 5);
});

test("locked dimensions stay and the others make up for them", () => {
  const moved = movedAlong([0, 0], [1, 1], 3, [0]);
  assert.equal(moved[0], 0);
  near([along(moved, [1, 1])], [3]);
  near(moved, [0, 6]);
});

test("a code stays where locked dimensions leave next to nothing of the direction", () => {
  near(movedAlong([1, 2], [10, 0.5], 7, [0]), [1, 2]); // 0.0025 of the square is free
  near(movedAlong([1, 2], [3, 4], 7, [0, 1]), [1, 2]);
  assert.ok(movedAlong([1, 2], [9, 1], 7, [0]).every(Number.isFinite)); // 0.012 of it
});

test("without its part in a plane a code is orthogonal to both directions", () => {
  near(withoutPlane([1, 2, 3], [1, 0, 0], [0, 2, 0]), [0, 0, 3]);
  const [u, v] = [
    [1, 1, 0],
    [0, 1, 1],
  ];
  const rest = withoutPlane([4, -1, 2], u, v);
  near([along(rest, u), along(rest, v)], [0, 0]);
  near(withoutPlane(rest, u, v), rest);
});

test("of two directions that point the same way one is taken away", () => {
  near(withoutPlane([3, 5], [1, 0], [-2, 0]), [0, 5]);
});

test("an axis is one step of one dimension", () => {
  assert.deepEqual(axis(1, 3), [0, 1, 0]);
});
