// plotly.js from the server.

import { el } from "../ui/dom.js";

/** @type {Promise<any> | null} */
let script = null;

/**
 * Start fetching plotly.js, once. Streamlit sets window.Plotly to its own version later, so the reference is kept.
 * @param {URL} src
 */
export function loadPlotly(src) {
  script ??= new Promise((resolve, reject) => {
    const loaded = () => resolve(/** @type {any} */ (window).Plotly);
    const failed = () => reject(new Error("plotly.js could not be fetched"));
    document.head.append(el("script", { src, onload: loaded, onerror: failed }));
  });
  script.catch(() => {
    script = null; // the next call tries again
  });
  return script;
}
