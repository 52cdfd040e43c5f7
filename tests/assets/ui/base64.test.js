import assert from "node:assert/strict";
import { test } from "node:test";
import {
  base64Of,
  base64OfFloats,
  base64OfMembers,
  bytesOf,
  floatsOf,
  halvesOf,
  membersOf,
  wholeOf,
} from "../../../app/live/assets/ui/base64.js";
import members from "../../contracts/members.json" with { type: "json" };

const base64 = (...bytes) => Buffer.from(bytes).toString("base64");

test("numbers are little endian", () => {
  assert.deepEqual([...bytesOf(base64(0, 127, 255))], [0, 127, 255]);
  assert.deepEqual([...floatsOf(base64(0, 0, 0x80, 0x3f, 0, 0, 0x20, 0xc0))], [1, -2.5]);
  assert.deepEqual([...wholeOf(base64(1, 0, 0, 0, 0xfe, 0xff, 0xff, 0xff))], [1, -2]);
});

test("half precision: ones, halves, the smallest, infinity and what is no number", () => {
  const bits = [0x3c00, 0xc100, 0x0000, 0x8000, 0x0001, 0x03ff, 0x0400, 0x7bff, 0x7c00, 0xfc00, 0x7e00];
  const values = halvesOf(base64(...bits.flatMap((each) => [each & 0xff, each >> 8])));
  const expected = [1, -2.5, 0, -0, 2 ** -24, 2 ** -14 * (1023 / 1024), 2 ** -14, 65504, Infinity, -Infinity, NaN];
  assert.deepEqual([...values], expected);
});

test("every number of half precision is read as the platform reads it", () => {
  const bits = Uint16Array.from({ length: 0x10000 }, (_, i) => i);
  const values = halvesOf(base64Of(new Uint8Array(bits.buffer)));
  const expected = new globalThis.Float16Array(bits.buffer);
  assert.deepEqual(
    bits.filter((i) => !Object.is(values[i], expected[i])),
    new Uint16Array(0),
  );
});

test("floats come back from base64, however many", () => {
  const values = Float32Array.from({ length: 50_000 }, (_, i) => Math.fround(i / 7) - 1000);
  assert.deepEqual(floatsOf(base64OfFloats(values)), values);
  assert.equal(base64Of(new Uint8Array(0)), "");
});

for (const { indices, packed } of members) {
  test(`${indices.length} members are packed as in Python`, () => {
    assert.equal(base64OfMembers(indices.toReversed()), packed);
    assert.deepEqual(membersOf(packed), indices);
  });
}
