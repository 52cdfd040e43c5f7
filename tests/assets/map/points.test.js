import assert from "node:assert/strict";
import { test } from "node:test";
import { contourTraces } from "../../../app/live/assets/map/contours.js";
import { extentOf, joinPoints, movedTo, pointsOf } from "../../../app/live/assets/map/plotly.js";
import { starsOf } from "../../../app/live/assets/map/stars.js";

const layer = (x, y, indices) => ({
  trace: { name: "a", x: Float32Array.from(x), y: Float32Array.from(y) },
  indices: Int32Array.from(indices),
});

test("points of several layers become one list", () => {
  const { x, y, indices } = pointsOf([layer([1], [2], [7]), layer([3, 4], [5, 6], [8, 9])]);
  assert.deepEqual(
    [[...x], [...y], [...indices]],
    [
      [1, 3, 4],
      [2, 5, 6],
      [7, 8, 9],
    ],
  );
  assert.equal(joinPoints([]).x.length, 0);
});

test("points move to where their images lie on another map", () => {
  const places = Float32Array.from([0, 1, 10, 11, 20, 21]);
  const [moved] = movedTo(places, [layer([5, 6], [5, 6], [2, 0])]);
  assert.deepEqual([[...moved.trace.x], [...moved.trace.y], moved.trace.name], [[20, 0], [21, 1], "a"]);
});

test("the extent is the lowest and highest of each axis", () => {
  assert.deepEqual(extentOf({ x: Float32Array.of(2, -1, 3), y: Float32Array.of(5) }), { x: [-1, 3], y: [5, 5] });
});

test("stars lie where the shown map has the pictures, on two dimensions where their codes are", () => {
  const picture = { id: "p", name: "mine", image: "", mean: [1, 2, 3], places: { umap: [7, 8] } };
  const place = (view) => starsOf([picture], view, "p")[0].place;
  assert.deepEqual(place({ projection: "umap", x: 0, y: 1 }), { x: 7, y: 8 });
  assert.deepEqual(place({ projection: "axes", x: 2, y: 0 }), { x: 3, y: 1 });
  assert.equal(starsOf([picture], { projection: "umap" }, "p")[0].chosen, true);
  assert.equal(starsOf([picture], { projection: "umap" }, null)[0].chosen, false);
});

test("each share of the points has a line, the smaller ones stronger", () => {
  const field = { x: Float32Array.of(0, 1, 2), y: Float32Array.of(0, 1), density: Float32Array.of(1, 2, 3, 4, 5, 6) };
  const levels = [
    [0.25, 5],
    [0.5, 2],
  ];
  const [first, second] = contourTraces({ ...field, levels }, "black");
  assert.deepEqual(first.z, [
    [1, 2, 3],
    [4, 5, 6],
  ]);
  assert.deepEqual([first.contours.value, second.contours.value], [5, 2]);
  assert.ok(first.opacity > second.opacity);
  assert.equal(first.name, "25%");
});
