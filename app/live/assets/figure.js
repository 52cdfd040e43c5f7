// Plotly and its figures: fetching both from the server, and what a shadow root needs of Plotly's style.

import { el } from "./dom.js";

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

/** A map as a Plotly figure whose x and y are Float32Arrays. */
export async function fetchFigure(url) {
  const response = await fetch(url);
  if (!response.ok) throw new Error(await response.text());
  return unpackArrays(await response.json());
}

/** Plotly's JSON carries long arrays as {dtype: "f4", bdata: base64}; the map reads them too. */
function unpackArrays(figure) {
  for (const trace of figure.data) {
    for (const axis of ["x", "y"]) {
      const bytes = Uint8Array.from(atob(trace[axis].bdata), (letter) => letter.charCodeAt(0));
      trace[axis] = new Float32Array(bytes.buffer);
    }
  }
  return figure;
}

/**
 * The points of all traces of a map: where they lie, which reference image each is, and which trace it belongs to.
 * @returns {{x: Float64Array, y: Float64Array, indices: number[], traces: number[]}}
 */
export function joinPoints({ data, layout }) {
  const points = { x: [], y: [], indices: [], traces: [] };
  data.forEach((trace, at) => {
    const own = indicesOf(layout, at);
    for (let i = 0; i < trace.x.length; i++) {
      points.x.push(trace.x[i]);
      points.y.push(trace.y[i]);
      points.indices.push(own[i]);
      points.traces.push(at);
    }
  });
  return { ...points, x: Float64Array.from(points.x), y: Float64Array.from(points.y) };
}

/** The reference images that a trace's points are. */
function indicesOf(layout, trace) {
  const bytes = Uint8Array.from(atob(layout.meta.indices[trace]), (letter) => letter.charCodeAt(0));
  return new Int32Array(bytes.buffer);
}

/** Lowest and highest of each axis. */
export function extentOf({ x, y }) {
  const span = (values) => values.reduce(([low, high], v) => [Math.min(low, v), Math.max(high, v)], [Infinity, -Infinity]);
  return { x: span(x), y: span(y) };
}
