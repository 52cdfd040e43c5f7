import assert from "node:assert/strict";
import { test } from "node:test";
import { FrameCache } from "../../../app/live/assets/playback/frame_cache.js";

const track = (codes, frames = []) => ({
  codes: Float32Array.from(codes.flat()),
  frames: Object.assign(new Array(codes.length), frames),
  places: codes.map((_, i) => (i in frames ? { x: i, y: -i } : undefined)),
});
const picture = (...values) => Uint8Array.of(...values);

test("a code that was decoded before brings its picture and its place along", () => {
  const before = track(
    [
      [1, 2],
      [3, 4],
      [5, 6],
    ],
    [picture(1), picture(2), picture(3)],
  );
  const after = track([
    [9, 9],
    [5, 6],
    [1, 2],
  ]);
  new FrameCache([before], 2).fill(after);
  assert.deepEqual([after.frames[0], ...after.frames.slice(1).map(([value]) => value)], [undefined, 3, 1]);
  assert.deepEqual(after.places, [undefined, { x: 2, y: -2 }, { x: 0, y: -0 }]);
});

test("pictures are copied: a view would keep all of the answer that brought it", () => {
  const before = track([[1, 2]], [picture(1)]);
  const after = track([[1, 2]]);
  new FrameCache([before], 2).fill(after);
  before.frames[0][0] = 99;
  assert.equal(after.frames[0][0], 1);
});

test("frames that have not come are not found", () => {
  const after = track([
    [1, 2],
    [3, 4],
  ]);
  new FrameCache(
    [
      track(
        [
          [1, 2],
          [3, 4],
        ],
        { 1: picture(4) },
      ),
    ],
    2,
  ).fill(after);
  assert.equal(after.frames[0], undefined);
  assert.deepEqual([...after.frames[1]], [4]);
});

test("codes of equal hashes are told apart by their words", () => {
  const before = track([[1, 2]], [picture(1)]);
  const cache = new FrameCache([before], 2);
  const [known] = cache.found.values();
  const after = track([[1, 3]]);
  cache.found = { get: () => known }; // as if both had one hash
  cache.fill(after);
  assert.equal(after.frames[0], undefined);
});

test("zero and minus zero are two codes, since their pictures were asked for as such", () => {
  const after = track([[-0, 1]]);
  new FrameCache([track([[0, 1]], [picture(1)])], 2).fill(after);
  assert.equal(after.frames[0], undefined);
});
