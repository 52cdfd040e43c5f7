import assert from "node:assert/strict";
import { test } from "node:test";
import { numberOf, pack, unpack } from "../../../app/live/assets/engine/protocol.js";
import { DECODE, DRAW, PATH, PEEK } from "../../../app/live/assets/engine/source.js";
import messages from "../../contracts/messages.json" with { type: "json" };

const KINDS = { DECODE, PEEK, PATH, DRAW };
const hex = (buffer) => Buffer.from(buffer).toString("hex");
const bytes = (text) => Uint8Array.from(Buffer.from(text, "hex")).buffer;

for (const { kind, code, view, number, values, bytes: expected } of messages.questions) {
  test(`${kind} on ${view.projection} is written as Python reads it`, () => {
    assert.equal(KINDS[kind], code);
    assert.equal(hex(pack({ kind: KINDS[kind], view, values: Float32Array.from(values) }, number)), expected);
  });
}

for (const { number, latentDim, shape, places, codes, frames, bytes: written } of messages.answers) {
  test(`an answer of ${codes.length} codes is read as Python writes it`, () => {
    const answer = unpack(bytes(written), { latentDim, shape });
    assert.equal(numberOf(bytes(written)), number);
    assert.deepEqual([...answer.places], places.flat());
    assert.deepEqual([...answer.codes], codes.flat());
    assert.deepEqual(
      answer.frames.map((frame) => [...frame]),
      frames,
    );
  });
}
