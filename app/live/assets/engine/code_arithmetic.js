// Arithmetic on codes and directions, as vae_core/latent/directions.py does it; tests/contracts/directions.json holds both.

const LEAST_SHARE = 0.01; // of a direction's square, which dimensions that are not locked must hold to move along it
const PARALLEL = 1e-6; // of the product of two squares: below it both directions point the same way

/**
 * How many steps along a direction a code lies from the origin, by least squares.
 * @param {ArrayLike<number>} z
 * @param {ArrayLike<number>} vector
 */
export function along(z, vector) {
  let product = 0;
  let square = 0;
  for (let i = 0; i < z.length; i++) {
    product += z[i] * vector[i];
    square += vector[i] ** 2;
  }
  return product / square;
}

/**
 * A code brought to a place along a direction, as along() counts it; locked dimensions stay, the others make up for
 * them. It stays as it is where next to nothing of the direction is left to move.
 * @param {ArrayLike<number>} z
 * @param {number[]} vector
 * @param {number} value
 * @param {number[]} locked dimensions
 */
export function movedAlong(z, vector, value, locked) {
  const free = vector.map((part, i) => (locked.includes(i) ? 0 : part));
  const share = along(free, vector);
  const step = share < LEAST_SHARE ? 0 : (value - along(z, vector)) / share;
  return Float32Array.from(z, (each, i) => each + step * free[i]);
}

/**
 * A code moved some steps along a direction.
 * @param {ArrayLike<number>} z
 * @param {number[]} vector
 * @param {number} steps
 */
export function stepped(z, vector, steps) {
  return vector.map((part, i) => z[i] + steps * part);
}

/**
 * The cosine of a direction's angle with each axis.
 * @param {number[]} vector
 */
export function overlaps(vector) {
  const length = Math.hypot(...vector);
  return vector.map((part) => part / length);
}

/**
 * A - B + C: what makes A differ from B, put on C.
 * @param {number[]} a
 * @param {number[]} b
 * @param {number[]} c
 */
export function combined(a, b, c) {
  return a.map((value, i) => value - b[i] + c[i]);
}

/**
 * A code without its part in the plane of two directions, so that amounts along them are counted from the origin.
 * @param {ArrayLike<number>} z
 * @param {number[]} u
 * @param {number[]} v
 */
export function withoutPlane(z, u, v) {
  const [uu, uv, vv] = [dot(u, u), dot(u, v), dot(v, v)];
  const [zu, zv] = [dot(z, u), dot(z, v)];
  const span = uu * vv - uv * uv;
  const isLine = span < PARALLEL * uu * vv;
  const [a, b] = isLine ? [zu / uu, 0] : [(zu * vv - zv * uv) / span, (zv * uu - zu * uv) / span];
  return Array.from(z, (value, i) => value - a * u[i] - b * v[i]);
}

/**
 * One step along an axis.
 * @param {number} index from 0
 * @param {number} latentDim
 */
export function axis(index, latentDim) {
  return Array.from({ length: latentDim }, (_, i) => Number(i === index));
}

/**
 * @param {ArrayLike<number>} a
 * @param {ArrayLike<number>} b
 */
function dot(a, b) {
  let sum = 0;
  for (let i = 0; i < a.length; i++) sum += a[i] * b[i];
  return sum;
}
