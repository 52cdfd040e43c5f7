// Arrays as base64 text, little endian (app/wire/packing.py is the other end).

/**
 * Values of uint8.
 * @param {string} base64
 */
export function bytesOf(base64) {
  return Uint8Array.from(atob(base64), (letter) => letter.charCodeAt(0));
}

/**
 * Values of float32.
 * @param {string} base64
 */
export function floatsOf(base64) {
  return new Float32Array(bytesOf(base64).buffer);
}

/**
 * Values of int32.
 * @param {string} base64
 */
export function wholeOf(base64) {
  return new Int32Array(bytesOf(base64).buffer);
}

/**
 * Values of float16 (IEEE 754 binary16), which not every browser reads by itself.
 * @param {string} base64
 */
export function halvesOf(base64) {
  return Float32Array.from(new Uint16Array(bytesOf(base64).buffer), (bits) => HALVES[bits]);
}

const HALVES = Float32Array.from({ length: 0x10000 }, (_, bits) => {
  const [sign, exponent, fraction] = [bits & 0x8000 ? -1 : 1, (bits >> 10) & 0x1f, bits & 0x3ff];
  if (exponent === 0x1f) return fraction ? NaN : sign * Infinity;
  return sign * (exponent ? 2 ** (exponent - 15) * (1 + fraction / 1024) : 2 ** -14 * (fraction / 1024));
});

/**
 * Indices, ascending: those of the bits that are set, the lowest bit first.
 * @param {string} base64
 */
export function membersOf(base64) {
  const bytes = bytesOf(base64);
  return Array.from({ length: 8 * bytes.length }, (_, index) => index).filter(
    (index) => (bytes[index >> 3] >> (index & 7)) & 1,
  );
}

/**
 * Base64 of indices, a bit for each one up to the largest.
 * @param {number[]} members
 */
export function base64OfMembers(members) {
  const length = members.reduce((most, index) => Math.max(most, index + 1), 0);
  const bytes = new Uint8Array(Math.ceil(length / 8));
  for (const index of members) bytes[index >> 3] |= 1 << (index & 7);
  return base64Of(bytes);
}

/**
 * Base64 of float32 values.
 * @param {ArrayLike<number>} values
 */
export function base64OfFloats(values) {
  return base64Of(new Uint8Array(Float32Array.from(values).buffer));
}

/**
 * Base64 of bytes.
 * @param {Uint8Array} bytes
 */
export function base64Of(bytes) {
  let text = "";
  for (let i = 0; i < bytes.length; i += 0x8000) text += String.fromCharCode(...bytes.subarray(i, i + 0x8000));
  return btoa(text);
}

/**
 * Base64 of a person's file, which may be large: read while the page goes on.
 * @param {Blob} file
 * @returns {Promise<string>}
 */
export function base64OfFile(file) {
  return new Promise((resolve, reject) => {
    const reader = new FileReader();
    reader.onload = () => {
      const address = String(reader.result); // data:...;base64,...
      resolve(address.slice(address.indexOf(",") + 1));
    };
    reader.onerror = () => reject(reader.error);
    reader.readAsDataURL(file);
  });
}
