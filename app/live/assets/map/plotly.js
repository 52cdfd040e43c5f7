// The points of a map's layers, and what a shadow root needs of Plotly's style.

/** Plotly puts its style sheet into the document, where a shadow root does not see it. */
export function adoptPlotlyStyles(shadow) {
  /** @type {NodeListOf<HTMLStyleElement>} */
  const styles = document.querySelectorAll('style[id^="plotly.js-style-"]');
  const rules = [...styles].flatMap((style) => [...style.sheet.cssRules].map((rule) => rule.cssText));
  const sheet = new CSSStyleSheet();
  sheet.replaceSync(rules.join("\n"));
  shadow.adoptedStyleSheets = [...shadow.adoptedStyleSheets, sheet];
}

/** @typedef {import("../engine/source.js").Layer} Layer */

/**
 * Points of several parts in one list: where they lie, and which image each is.
 * @param {{x: Float32Array, y: Float32Array, indices: Int32Array}[]} parts
 * @returns {{x: Float32Array, y: Float32Array, indices: Int32Array}}
 */
export function joinPoints(parts) {
  const count = parts.reduce((sum, { indices }) => sum + indices.length, 0);
  const points = { x: new Float32Array(count), y: new Float32Array(count), indices: new Int32Array(count) };
  let start = 0;
  for (const part of parts) {
    for (const name of ["x", "y", "indices"]) points[name].set(part[name], start);
    start += part.indices.length;
  }
  return points;
}

/** The points of all layers in one list. */
export function pointsOf(layers) {
  return joinPoints(layers.map(({ trace: { x, y }, indices }) => ({ x, y, indices })));
}

/** Layers with each point where its reference image lies on another map: `places` holds x and y of each image. */
export function movedTo(places, layers) {
  return layers.map(({ trace, indices }) => {
    const [x, y] = [0, 1].map((axis) => Float32Array.from(indices, (index) => places[2 * index + axis]));
    return { trace: { ...trace, x, y }, indices };
  });
}

/** Lowest and highest of each axis. */
export function extentOf({ x, y }) {
  const span = (values) =>
    values.reduce(([low, high], v) => [Math.min(low, v), Math.max(high, v)], [Infinity, -Infinity]);
  return { x: span(x), y: span(y) };
}
