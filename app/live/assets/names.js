// What dimensions are called, and how numbers are written.

/** @param {{dimension: number, name: string}} slider `dimension` counts from 0; `name` is empty where there is none */
export function dimensionTitle({ dimension, name }) {
  return `Dimension ${dimension + 1}${name ? ` · ${name}` : ""}`;
}

/** A number with a true minus sign, of as many digits as a person reads at a glance. */
export function number(value) {
  const digits = Math.abs(value) >= 100 ? 0 : Math.abs(value) >= 10 ? 1 : 2;
  return value.toFixed(digits).replace("-", "\u2212");
}
