// What the two kinds of random draws are called.

export const DATA_DRAW = {
  text: "Random (data)",
  title: "A draw from a Gaussian mixture fitted to the codes of training images",
};

/**
 * Text and title of a button that draws from N(0, I), which is a variational model's prior.
 * @param {{variational: boolean}} model
 */
export function priorDraw({ variational }) {
  if (variational) return { textContent: "Random (prior)", title: "A draw from the prior N(0, I)" };
  const title = "A draw from N(0, I), where this plain autoencoder was never taught to put its codes";
  return { textContent: "Random N(0, I)", title };
}

/**
 * n independent draws from N(0, 1), by Box and Muller (1958).
 * @param {number} n
 */
export function gaussian(n) {
  const draw = () => Math.sqrt(-2 * Math.log(1 - Math.random())) * Math.cos(2 * Math.PI * Math.random());
  return Float32Array.from({ length: n }, draw);
}
