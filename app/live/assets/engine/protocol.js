// The live channel's messages as bytes; app/wire/protocol.py is the other end.

/**
 * @typedef {import("./source.js").Placing} Placing
 * @typedef {import("./source.js").LiveAnswer} LiveAnswer
 */

/** @type {Record<string, number>} */
const PROJECTIONS = { umap: 0, pca: 1, axes: 2, refit: 3 };
const HEADER_BYTES = 8;

/**
 * A question as bytes.
 * @param {{kind: number, view: Placing, values: Float32Array}} question
 * @param {number} number comes back with the answer
 */
export function pack({ kind, view, values }, number) {
  const buffer = new ArrayBuffer(HEADER_BYTES + 4 * values.length);
  const head = new DataView(buffer);
  head.setUint8(0, kind);
  head.setUint8(1, PROJECTIONS[view.projection]);
  head.setUint8(2, view.x);
  head.setUint8(3, view.y);
  head.setUint32(4, number, true);
  new Float32Array(buffer, HEADER_BYTES).set(values);
  return buffer;
}

/**
 * The number of the question that an answer is for.
 * @param {ArrayBuffer} buffer
 */
export function numberOf(buffer) {
  return new DataView(buffer).getUint32(0, true);
}

/**
 * What an answer says, as views on its bytes.
 * @param {ArrayBuffer} buffer
 * @param {{latentDim: number, shape: number[]}} model
 * @returns {LiveAnswer}
 */
export function unpack(buffer, { latentDim, shape }) {
  const count = new DataView(buffer).getUint32(4, true);
  const places = new Float32Array(buffer, HEADER_BYTES, 2 * count);
  const codesAt = HEADER_BYTES + places.byteLength;
  const codes = new Float32Array(buffer, codesAt, latentDim * count);
  const size = shape[0] * shape[1] * shape[2];
  const firstFrame = codesAt + codes.byteLength;
  const frames = Array.from({ length: count }, (_, i) => new Uint8Array(buffer, firstFrame + i * size, size));
  return { places, codes, frames };
}
