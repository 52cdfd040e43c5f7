// The server as the one who answers.

import { floatsOf, wholeOf } from "../ui/base64.js";
import { loadPlotly } from "./plotly_script.js";
import { Queries } from "./queries.js";
import { outOfReach, refusalOf } from "./refusal.js";
import { LiveSocket } from "./socket.js";

/**
 * @typedef {import("./source.js").Source} Source
 * @typedef {import("./source.js").Figure} Figure
 * @typedef {import("./source.js").JobHandle} JobHandle
 */

const ASK_EVERY_MS = 300;
const PATIENCE = 10; // questions about a job in a row that the server may leave unanswered
const LATER = [502, 503, 504]; // busy, or started anew behind a proxy

/** What the server answers beside live questions; app/queries has all of them. */
export const QUESTIONS = [
  "card",
  "code",
  "density",
  "direction",
  "export",
  "export-group",
  "grid",
  "group",
  "neighbours",
  "place",
  "plane",
  "refit",
  "save-directions",
  "saved-directions",
  "select",
  "sheet",
  "trace",
  "training",
  "values",
];

/**
 * The server at an address.
 * @param {URL} root of the server, under whatever prefix it is mounted
 * @param {string} plotlyVersion
 * @returns {Source}
 */
export function remote(root, plotlyVersion) {
  return {
    can: new Set(QUESTIONS),
    live: (model, onState) => new LiveSocket(root, model, onState),
    asks: (model) => new Queries(root, model),
    figure: ({ name, maps }, view) => fetchFigure(figureAddress(root, name, maps, view)),
    job: (job) => new RemoteJob(root, job),
    plotly: () => loadPlotly(new URL(`live/plotly/${plotlyVersion}/plotly.min.js`, root)),
    addressOf: (path) => new URL(path, root).href,
  };
}

/**
 * @param {URL} root
 * @param {string} model
 * @param {string} maps
 * @param {import("./payloads.js").View} view
 */
function figureAddress(root, model, maps, { projection, x, y, colour }) {
  const query = new URLSearchParams({ projection, x: String(x), y: String(y), colour });
  return new URL(`live/models/${encodeURIComponent(model)}/${maps}/map?${query}`, root);
}

/**
 * A map as the server draws it.
 * @param {URL} url
 * @returns {Promise<Figure>}
 */
async function fetchFigure(url) {
  const response = await fetch(url).catch(() => {
    throw outOfReach();
  });
  if (!response.ok) throw await refusalOf(response);
  /** @type {{data: {x: {bdata: string}, y: {bdata: string}}[], layout: {meta: {indices: string[]}}}} */
  const { data, layout } = await response.json();
  const layers = data.map((trace, at) => ({ trace: unpacked(trace), indices: wholeOf(layout.meta.indices[at]) }));
  return { layers, layout };
}

/**
 * Plotly's JSON carries long arrays as {dtype: "f4", bdata: base64}; the map reads them too.
 * @param {{x: {bdata: string}, y: {bdata: string}}} trace
 */
function unpacked(trace) {
  return { ...trace, x: floatsOf(trace.x.bdata), y: floatsOf(trace.y.bdata) };
}

/**
 * Work that the server does in the background (see app/live/job_routes.py).
 * @implements {JobHandle}
 */
class RemoteJob {
  /**
   * @param {URL} root of the server
   * @param {string} job its id
   */
  constructor(root, job) {
    this.url = new URL(`live/jobs/${encodeURIComponent(job)}`, root);
  }

  async state() {
    return (await this.get(this.url)).json();
  }

  async result() {
    return this.get(`${this.url}/result`);
  }

  /**
   * @param {URL | string} url
   * @param {number} patience
   * @returns {Promise<Response>}
   */
  async get(url, patience = PATIENCE) {
    const answer = await fetch(url).catch(() => null);
    if (answer?.ok) return answer;
    if (answer && !LATER.includes(answer.status)) throw await refusalOf(answer);
    if (!patience) throw outOfReach();
    await new Promise((resolve) => setTimeout(resolve, ASK_EVERY_MS));
    return this.get(url, patience - 1);
  }

  /** The request goes out even when the page is left. */
  stop() {
    fetch(`${this.url}/stop`, { method: "POST", keepalive: true }).catch(() => {});
  }
}
