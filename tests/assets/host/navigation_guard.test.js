import assert from "node:assert/strict";
import { test } from "node:test";
import { isSame } from "../../../app/live/assets/host/navigation_guard.js";

test("values of JSON are alike in whatever order their keys stand", () => {
  assert.ok(isSame({ a: 1, b: [1, { c: null }] }, { b: [1, { c: null }], a: 1 }));
  assert.ok(isSame([], []));
  assert.ok(isSame(null, null));
});

test("values that differ in a part, or have more, are not alike", () => {
  for (const [a, b] of [
    [{ a: 1 }, { a: 2 }],
    [{ a: 1 }, { b: 1 }],
    [{ a: 1 }, { a: 1, b: undefined }],
    [[1, 2], [1]],
    [null, {}],
    [1, "1"],
    [undefined, { a: 1 }],
  ]) {
    assert.ok(!isSame(a, b), JSON.stringify([a, b]));
    assert.ok(!isSame(b, a), JSON.stringify([b, a]));
  }
});
