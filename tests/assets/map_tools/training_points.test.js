import assert from "node:assert/strict";
import { test } from "node:test";
import { TrainingPoints } from "../../../app/live/assets/map_tools/training_points.js";

const base64 = (array) => Buffer.from(array.buffer).toString("base64");

/** Three images of two dimensions; codes in half precision are (1, 2), (-1, 0), (0.5, -2). */
const points = new TrainingPoints(
  {
    umap: base64(Float32Array.of(0, 1, 2, 3, 4, 5)),
    pca: base64(Float32Array.of(10, 11, 12, 13, 14, 15)),
    labels: base64(Int32Array.of(1, 0, 1)),
    codes: base64(Uint16Array.of(0x3c00, 0x4000, 0xbc00, 0x0000, 0x3800, 0xc000)),
    trained: base64(Uint8Array.of(1, 1, 0)),
  },
  2,
);
const view = (projection, colour = "label", x = 0, y = 1) => ({ projection, colour, x, y });
const layersOf = (shown, own) => points.layersFor({ view: shown, refit: null }, own);
const places = (layer) => [...layer.x].map((x, i) => [x, layer.y[i]]);
const classes = ["0", "1"].map((legendgroup) => ({ trace: { legendgroup, marker: { color: `c${legendgroup}` } } }));

test("it knows each image's code and part", () => {
  assert.equal(points.length, 3);
  assert.deepEqual([...points.codeOf(2)], [0.5, -2]);
  assert.deepEqual([...points.trained], [1, 1, 0]);
});

test("by label each class lies under its own points, in their colour", () => {
  const [zero, one] = layersOf(view("umap"), classes);
  assert.deepEqual([zero.colour, zero.legendgroup, [...zero.indices], places(zero)], ["c0", "0", [-2], [[2, 3]]]);
  assert.deepEqual(
    [[...one.indices], places(one)],
    [
      [-1, -3],
      [
        [0, 1],
        [4, 5],
      ],
    ],
  );
});

test("on each map they lie where that places them; two equal axes are a line", () => {
  assert.deepEqual(places(layersOf(view("pca"), classes)[0]), [[12, 13]]);
  assert.deepEqual(places(layersOf(view("axes"), classes)[1]), [
    [1, 2],
    [0.5, -2],
  ]);
  assert.deepEqual(places(layersOf(view("axes", "label", 1, 1), classes)[1]), [
    [2, 0],
    [-2, 0],
  ]);
});

test("by a value they are shaded on the map's own scale, and what lies beyond takes its ends", () => {
  const marker = {
    colorscale: [
      [0, "low"],
      [1, "high"],
    ],
    cmin: 0,
    cmax: 1,
  };
  const layers = layersOf(view("umap", "0"), [{ trace: { marker } }]).filter(({ indices }) => indices.length);
  assert.deepEqual(
    layers.map(({ colour, indices }) => [colour, ...indices]),
    [
      ["low", -2], // -1
      ["high", -3], // 0.5: the shade just above the middle
      ["high", -1], // 1
    ],
  );
});

test("the norm is known, what only reference images have is not", () => {
  const values = points.valuesOf("norm");
  assert.ok(Math.abs(values[0] - Math.sqrt(5)) < 1e-6);
  assert.equal(points.valuesOf("kl"), null);
  const [layer] = layersOf(view("umap", "kl"), [{ trace: { marker: {} } }]);
  assert.deepEqual([...layer.indices], [-1, -2, -3]);
});

test("on a map that was fitted anew they have no places", () => {
  assert.deepEqual(points.layersFor({ view: view("umap"), refit: {} }, classes), []);
});
