// Arrays as base64 text, little endian (app/packing.py is the other end).

/** Values of uint8. */
export function bytesOf(base64) {
  return Uint8Array.from(atob(base64), (letter) => letter.charCodeAt(0));
}

/** Values of float32. */
export function floatsOf(base64) {
  return new Float32Array(bytesOf(base64).buffer);
}

/** Values of int32. */
export function wholeOf(base64) {
  return new Int32Array(bytesOf(base64).buffer);
}

/** Values of float16 (IEEE 754 binary16), which not every browser reads by itself. */
export function halvesOf(base64) {
  return Float32Array.from(new Uint16Array(bytesOf(base64).buffer), (bits) => HALVES[bits]);
}

const HALVES = Float32Array.from({ length: 0x10000 }, (_, bits) => {
  const [sign, exponent, fraction] = [bits & 0x8000 ? -1 : 1, (bits >> 10) & 0x1f, bits & 0x3ff];
  if (exponent === 0x1f) return fraction ? NaN : sign * Infinity;
  return sign * (exponent ? 2 ** (exponent - 15) * (1 + fraction / 1024) : 2 ** -14 * (fraction / 1024));
});

/** Base64 of float32 values. */
export function base64Of(values) {
  const bytes = new Uint8Array(Float32Array.from(values).buffer);
  let text = "";
  for (let i = 0; i < bytes.length; i += 0x8000) text += String.fromCharCode(...bytes.subarray(i, i + 0x8000));
  return btoa(text);
}
