import assert from "node:assert/strict";
import { beforeEach, test } from "node:test";
import { MapFrame } from "../../../app/live/assets/map/frame.js";

let element;
let frame;

beforeEach(() => {
  element = { clientWidth: 220, clientHeight: 110 };
  frame = new MapFrame(element);
  frame.margin = { l: 10, r: 10, t: 5, b: 5 }; // leaves 200 by 100 pixels
  frame.extent = { x: [0, 10], y: [0, 10] };
});

test("the whole map has a unit as long on both axes, with room around its points", () => {
  assert.equal(frame.isSet, false);
  frame.showWhole();
  assert.ok(frame.isSet && frame.isWhole);
  const unit = (10 / 100) * 1.08; // the height decides
  assert.ok(Math.abs(frame.unit - unit) < 1e-12);
  assert.deepEqual([frame.x[0] + frame.x[1], frame.y[0] + frame.y[1]], [10, 10]);
  assert.ok(Math.abs(frame.y[1] - frame.y[0] - 100 * unit) < 1e-12);
});

test("a map of one point has a size too", () => {
  frame.extent = { x: [3, 3], y: [4, 4] };
  frame.showWhole();
  assert.equal(frame.unit, 1 / 200);
  assert.deepEqual(frame.toPixel({ x: 3, y: 4 }), { x: 110, y: 55 });
});

test("places and pixels lead to each other; upwards is less", () => {
  Object.assign(frame, { x: [0, 10], y: [0, 5] });
  assert.deepEqual(frame.toPixel({ x: 0, y: 5 }), { x: 10, y: 5 });
  assert.deepEqual(frame.toPixel({ x: 10, y: 0 }), { x: 210, y: 105 });
  assert.deepEqual(frame.toPlace({ x: 110, y: 55 }), { x: 5, y: 2.5 });
  const { x, y } = frame.toPlace(frame.toPixel({ x: 1.25, y: 3.5 }));
  assert.ok(Math.abs(x - 1.25) < 1e-12 && Math.abs(y - 3.5) < 1e-12);
});

test("a pixel lies on the plot, or a little beside it", () => {
  assert.ok(frame.holds({ x: 10, y: 5 }));
  assert.ok(!frame.holds({ x: 9, y: 5 }));
  assert.ok(frame.holds({ x: 9, y: 5 }, 1));
  assert.ok(!frame.holds({ x: 210, y: 106 }));
});

test("it follows a pan, which ends showing the whole, and our own changes, which do not", () => {
  frame.showWhole();
  frame.follow({ "xaxis.range": [0, 4], "yaxis.range": [1, 3] });
  assert.deepEqual([frame.x, frame.y, frame.isWhole], [[0, 4], [1, 3], true]);
  frame.follow({ "xaxis.range[0]": 1, "xaxis.range[1]": 5 });
  assert.deepEqual([frame.x, frame.y, frame.isWhole], [[1, 5], [1, 3], false]);
  assert.deepEqual(frame.change(), { "xaxis.range": [1, 5], "yaxis.range": [1, 3] });
});

test("in another size it keeps its middle and its scale, or shows the whole", () => {
  frame.showWhole();
  frame.measure();
  frame.follow({ "xaxis.range[0]": 0, "xaxis.range[1]": 10, "yaxis.range[0]": 0, "yaxis.range[1]": 5 });
  assert.equal(frame.isOutgrown, false);
  element.clientWidth = 120; // half the plot
  assert.equal(frame.isOutgrown, true);
  frame.refill();
  assert.deepEqual(
    [frame.x, frame.y],
    [
      [2.5, 7.5],
      [0, 5],
    ],
  );
  frame.showWhole();
  element.clientHeight = 60; // half the plot
  frame.refill();
  assert.ok(Math.abs(frame.unit - 2 * 0.108) < 1e-12);
});

test("an element that is not shown is no size to fill", () => {
  frame.showWhole();
  frame.measure();
  element.clientWidth = 0;
  assert.equal(frame.isOutgrown, false);
});
