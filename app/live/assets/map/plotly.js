// Plotly and its figures: fetching both from the server, and what a shadow root needs of Plotly's style.

import { refusalOf } from "../engine/refusal.js";
import { floatsOf, wholeOf } from "../ui/base64.js";
import { el } from "../ui/dom.js";

let plotlyScript = null;

/**
 * Start fetching plotly.js from the server, once. Streamlit sets window.Plotly to its own version later, so the
 * reference is kept.
 */
export function loadPlotly(root, version) {
  plotlyScript ??= new Promise((resolve, reject) => {
    const src = new URL(`live/plotly/${version}/plotly.min.js`, root);
    const failed = () => reject(new Error("plotly.js could not be fetched"));
    document.head.append(el("script", { src, onload: () => resolve(window.Plotly), onerror: failed }));
  });
  plotlyScript.catch(() => (plotlyScript = null)); // the next call tries again
  return plotlyScript;
}

/** Plotly puts its style sheet into the document, where a shadow root does not see it. */
export function adoptPlotlyStyles(shadow) {
  const rules = [...document.querySelectorAll('style[id^="plotly.js-style-"]')].flatMap((style) =>
    [...style.sheet.cssRules].map((rule) => rule.cssText),
  );
  const sheet = new CSSStyleSheet();
  sheet.replaceSync(rules.join("\n"));
  shadow.adoptedStyleSheets = [...shadow.adoptedStyleSheets, sheet];
}

/**
 * @typedef {{trace: object, indices: Int32Array}} Layer a trace of points, and which reference image each of them is;
 *   elsewhere `indices` may hold training images as well, each as -1 - its number
 */

/**
 * A map as the server draws it.
 * @returns {Promise<{layers: Layer[], layout: object}>} with each trace's x and y as Float32Arrays
 */
export async function fetchFigure(url) {
  const response = await fetch(url);
  if (!response.ok) throw await refusalOf(response);
  const { data, layout } = await response.json();
  const layers = data.map((trace, at) => ({ trace: unpacked(trace), indices: wholeOf(layout.meta.indices[at]) }));
  return { layers, layout };
}

/** Plotly's JSON carries long arrays as {dtype: "f4", bdata: base64}; the map reads them too. */
function unpacked(trace) {
  return { ...trace, x: floatsOf(trace.x.bdata), y: floatsOf(trace.y.bdata) };
}

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
