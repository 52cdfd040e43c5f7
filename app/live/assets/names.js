// What dimensions are called.

/** @param {{dimension: number, name: string}} slider `dimension` counts from 0; `name` is empty where there is none */
export function dimensionTitle({ dimension, name }) {
  return `Dimension ${dimension + 1}${name ? ` · ${name}` : ""}`;
}
