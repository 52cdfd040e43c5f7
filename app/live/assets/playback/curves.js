// What lies along the paths as small charts, a line for each kind of path; a press on one scrubs.

import { el, svg } from "../ui/dom.js";
import { number } from "../ui/text.js";

const WIDTH = 1000; // of a chart's own units; it is stretched to the room there is
const HEIGHT = 100;
const AIR = 0.06; // of the height, left free above and below the lines
/**
 * @typedef {import("./paths.js").Track} Track
 * @typedef {"norm" | "logDensity" | "percentile"} Curve
 */

/**
 * @typedef {object} ChartSettings
 * @property {Curve} key
 * @property {string} title
 * @property {string} [name] for screen readers
 * @property {string} about
 * @property {[number, number]} [range]
 * @property {(value: number) => string} [text]
 * @property {string} [unit]
 */

/** @type {ChartSettings[]} */
const CHARTS = [
  {
    key: "norm",
    title: "Norm",
    about: "Norm of the code; dashed, for a model with a prior: the mean norm of draws from N(0, I)",
  },
  {
    key: "logDensity",
    title: "Log-density",
    about: "Log-density in nats under the Gaussian mixture fitted to the codes of training images",
  },
  {
    key: "percentile",
    title: "Farther out than", // so many percent of images
    name: "Distance to data in percent of images",
    about:
      "Distance to the nearest reference codes, as a percentile: how many percent of held-out images lie as near to their neighbours or nearer",
    range: [0, 100],
    text: (value) => `${Math.round(value)}%`,
    unit: " of images",
  },
];

export class Curves {
  /** @param {(share: number) => void} onScrub where on the way a press was, from 0 to 1 */
  constructor(onScrub) {
    this.onScrub = onScrub;
    this.charts = CHARTS.map((chart) => this.chart(chart));
    this.element = el(
      "div",
      { class: "curves", role: "group", "aria-label": "Along the paths" },
      ...this.charts.map(({ element }) => element),
    );
    /** @type {Track[]} */
    this.tracks = [];
  }

  /** @param {ChartSettings} settings */
  chart(settings) {
    const plot = svg("svg", { viewBox: `0 0 ${WIDTH} ${HEIGHT}`, preserveAspectRatio: "none", role: "img" });
    const playhead = el("i", { class: "playhead" });
    const high = el("span", { class: "high" });
    const low = el("span", { class: "low" });
    const values = el("span", { class: "values" });
    const room = el(
      "div",
      { class: "chart", "data-testid": `curve-${settings.key}`, title: settings.about },
      plot,
      playhead,
      high,
      low,
    );
    this.listen(room);
    const head = el("div", { class: "chart-head" }, el("span", { title: settings.about }, settings.title), values);
    return { ...settings, plot, playhead, high, low, values, element: el("div", { class: "curve" }, head, room) };
  }

  /** @param {HTMLElement} room */
  listen(room) {
    /** @param {PointerEvent} event */
    const scrub = ({ clientX }) => {
      const { left, width } = room.getBoundingClientRect();
      this.onScrub(Math.min(1, Math.max(0, (clientX - left) / width)));
    };
    room.addEventListener("pointerdown", (event) => {
      if (event.button !== 0) return;
      room.setPointerCapture(event.pointerId);
      scrub(event);
    });
    room.addEventListener("pointermove", (event) => room.hasPointerCapture(event.pointerId) && scrub(event));
  }

  /**
   * Draw the lines of these tracks, with marks where keyframes are.
   * @param {Track[]} tracks
   * @param {number[]} positions frames that are keyframes
   */
  draw(tracks, positions) {
    this.tracks = tracks;
    for (const chart of this.charts) {
      chart.values.replaceChildren(...tracks.map(({ kind }) => el("span", { "data-kind": kind })));
      if (tracks.length) this.drawChart(chart, positions);
      else chart.plot.replaceChildren();
    }
  }

  /**
   * @param {ReturnType<Curves["chart"]>} chart
   * @param {number[]} positions
   */
  drawChart(chart, positions) {
    const { key, title, name = title } = chart;
    const [low, high] = chart.range ?? rangeOf(this.tracks, key);
    const last = Math.max(1, this.tracks[0][key].length - 1);
    /** @param {number} index */
    const x = (index) => ((WIDTH * index) / last).toFixed(1);
    /** @param {number} value */
    const share = (value) => (high > low ? (value - low) / (high - low) : 0.5); // one that never changes: the middle
    /** @param {number} value */
    const y = (value) => (HEIGHT * (1 - AIR - (1 - 2 * AIR) * share(value))).toFixed(1);
    const marks = positions.map((at) => line(x(at), 0, x(at), HEIGHT, "at-keyframe"));
    const { expectedNorm } = this.tracks[0];
    const expected =
      key === "norm" && expectedNorm !== null ? [line(0, y(expectedNorm), WIDTH, y(expectedNorm), "expected")] : [];
    const curves = this.tracks.map((track) => curve(track, key, x, y));
    chart.plot.replaceChildren(...marks, ...expected, ...curves);
    chart.low.textContent = valueText(chart, low);
    chart.high.textContent = valueText(chart, high) + (chart.unit ?? "");
    const spans = this.tracks.map(
      (track) =>
        `${track.kind} ${valueText(chart, track[key].reduce(lower))} to ${valueText(chart, track[key].reduce(higher))}`,
    );
    chart.plot.setAttribute("aria-label", `${name} along the paths: ${spans.join(", ")}`);
  }

  /**
   * Move the playheads to a frame, and say the values there.
   * @param {number} index
   */
  show(index) {
    if (!this.tracks.length) return;
    for (const chart of this.charts) {
      const { key, values, playhead } = chart;
      playhead.style.transform = `translateX(${(100 * index) / Math.max(1, this.tracks[0][key].length - 1)}%)`; // of the chart
      this.tracks.forEach((track, i) => write(values.children[i], valueText(chart, track[key][index])));
    }
  }
}

/**
 * Lowest and highest finite value of all tracks; the norm's range takes in the expected one.
 * @param {Track[]} tracks
 * @param {Curve} key
 * @returns {[number, number]}
 */
export function rangeOf(tracks, key) {
  let [low, high] = [Infinity, -Infinity];
  /** @param {number} value */
  const take = (value) => {
    if (!Number.isFinite(value)) return;
    low = Math.min(low, value);
    high = Math.max(high, value);
  };
  for (const track of tracks) {
    track[key].forEach(take);
    if (key === "norm" && track.expectedNorm !== null) take(track.expectedNorm);
  }
  return low <= high ? [low, high] : [0, 1];
}

/**
 * @param {Track} track
 * @param {Curve} key
 * @param {(index: number) => string} x
 * @param {(value: number) => string} y
 */
function curve(track, key, x, y) {
  /** @type {string[]} */
  const points = [];
  track[key].forEach((value, index) => Number.isFinite(value) && points.push(`${x(index)},${y(value)}`));
  return svg("polyline", { points: points.join(" "), "data-kind": track.kind });
}

/**
 * @param {string | number} x1
 * @param {string | number} y1
 * @param {string | number} x2
 * @param {string | number} y2
 * @param {string} name
 */
function line(x1, y1, x2, y2, name) {
  return svg("line", { x1, y1, x2, y2, class: name });
}

/**
 * A text that is written anew is laid out anew, even when it says the same.
 * @param {Element} node
 * @param {string} text
 */
function write(node, text) {
  if (node.textContent !== text) node.textContent = text;
}

/**
 * @param {{text?: (value: number) => string}} chart
 * @param {number} value
 */
function valueText({ text = number }, value) {
  return Number.isFinite(value) ? text(value) : "–";
}

/**
 * @param {number} a
 * @param {number} b
 */
const lower = (a, b) => Math.min(a, b);
/**
 * @param {number} a
 * @param {number} b
 */
const higher = (a, b) => Math.max(a, b);
