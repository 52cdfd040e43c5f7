// The frames of each kind of path: asked for when keyframes or settings change, decoded in batches, kept for playing.

import { PATH } from "../engine/source.js";
import { floatsOf } from "../ui/base64.js";
import { sentence } from "../ui/text.js";
import { FrameCache } from "./frame_cache.js";

const FIRST_BATCH = 48; // so that something shows at once
const FIGURES = ["norm", "logDensity", "percentile"];

/**
 * @typedef {import("../engine/payloads.js").Model} Model
 * @typedef {import("../engine/payloads.js").View} View
 * @typedef {import("../engine/source.js").Asks} Asks
 * @typedef {import("../engine/source.js").Live} Live
 * @typedef {import("../engine/source.js").LiveAnswer} LiveAnswer
 * @typedef {{frames: number, positions: number[], framesPerLeg: number, loop: boolean}} Outline of the frames of each kind
 * @typedef {{keyframes: number[][], framesPerLeg: number, easing: string, loop: boolean}} Way
 */

/**
 * One kind of path. Pictures are views on the answers that brought them.
 * @typedef {{kind: string, codes: Float32Array, frames: Uint8Array[], places: {x: number, y: number}[],
 *   norm: Float32Array, logDensity: Float32Array, percentile: Float32Array, expectedNorm: number | null}} Track
 */

export class AnimationPaths {
  /**
   * @param {object} hooks
   * @param {(outline: Outline) => void} hooks.onOutline
   *   the first kind of new paths has come; those before are forgotten
   * @param {() => void} hooks.onTrack another kind has come, or one is shown or hidden
   * @param {(done: number, all: number) => void} hooks.onFrames pictures have come, or others are wanted
   * @param {(kind: string, text: string) => void} hooks.onProblem what keeps a kind away; empty when nothing does
   * @param {() => number} hooks.position the frame around which pictures are wanted first
   * @param {number} hooks.pathCodes codes in one question
   */
  constructor(hooks) {
    this.hooks = hooks;
    /** @type {Map<string, Track>} */
    this.tracks = new Map();
    /** @type {Asks | null} */
    this.queries = null;
    /** @type {Live | null} */
    this.live = null;
    /** @type {Model | null} */
    this.model = null;
  }

  /**
   * Begin anew with a model.
   * @param {Asks} queries
   * @param {Live} live
   * @param {Model} model
   */
  use(queries, live, model) {
    this.queries = queries;
    this.live = live;
    this.model = model;
    this.tracks = new Map();
    this.count = 0; // frames of each kind
    /** @type {string[]} */
    this.kinds = [];
    /** @type {View | null} */
    this.view = null;
    this.loading = null;
    /** @type {FrameCache | null} */
    this.cache = null;
    this.startOver(null);
  }

  /**
   * Have these paths; what is there already is not asked for again.
   * @param {Way & {kinds: string[]}} wish
   */
  want({ kinds, ...body }) {
    const key = JSON.stringify(body);
    if (key !== this.key) this.startOver(key);
    this.kinds = kinds;
    for (const kind of kinds) if (!this.asked.has(kind)) this.ask(kind, body);
    if (!this.stale) this.changed();
  }

  /** @param {string | null} key */
  startOver(key) {
    this.key = key;
    /** @type {Set<string>} */
    this.asked = new Set(); // kinds
    this.stale = true; // until the first new one comes the old ones play on
    this.turn = {}; // identity of the batches that are still wanted
  }

  /**
   * @param {string} kind
   * @param {Way} body
   */
  async ask(kind, body) {
    const { key, queries } = this;
    this.asked.add(kind);
    try {
      const answer = await queries.ask("trace", { ...body, kinds: [kind] }, `trace ${kind}`);
      if (key === this.key && queries === this.queries) this.take(kind, answer, body);
    } catch (error) {
      if (key !== this.key || queries !== this.queries) return;
      this.asked.delete(kind);
      this.hooks.onProblem(kind, sentence(error.message));
    }
  }

  /**
   * @param {string} kind
   * @param {{kinds: Record<string, any>, expectedNorm: number, positions: number[], frames: number}} answer to the question "trace"
   * @param {Way} way
   */
  take(kind, { kinds, expectedNorm, positions, frames }, { framesPerLeg, loop }) {
    const answer = kinds[kind];
    /** @type {any} */
    const figures = Object.fromEntries(FIGURES.map((name) => [name, floatsOf(answer[name])]));
    const expected = this.model.variational ? expectedNorm : null; // a plain autoencoder's codes follow no N(0, I)
    const track = {
      kind,
      codes: floatsOf(answer.codes),
      frames: new Array(frames),
      places: new Array(frames),
      expectedNorm: expected,
      ...figures,
    };
    if (this.stale) {
      this.stale = false;
      this.cache = new FrameCache(this.tracks.values(), this.model.latentDim);
      this.tracks = new Map();
      this.count = frames;
      this.first = true;
      this.hooks.onOutline({ frames, positions, framesPerLeg, loop });
    }
    this.cache?.fill(track);
    this.tracks.set(kind, track);
    if (this.kinds.every((each) => this.tracks.has(each))) this.cache = null; // which keeps the old ones in memory
    this.hooks.onProblem(kind, "");
    this.changed();
  }

  changed() {
    this.hooks.onTrack();
    this.reportProgress();
    this.load();
  }

  reportProgress() {
    const tracks = this.shown();
    /** @param {Track} track */
    const there = (track) => track.frames.reduce((count, _, index) => count + (track.places[index] ? 1 : 0), 0);
    this.hooks.onFrames(
      tracks.reduce((sum, track) => sum + there(track), 0),
      tracks.length * this.count,
    );
  }

  /** Those that are shown and have come, in the order of KINDS. */
  shown() {
    return this.kinds.filter((kind) => this.tracks.has(kind)).map((kind) => this.tracks.get(kind));
  }

  /**
   * Whether every kind that has come has this frame's picture.
   * @param {number} index
   */
  isReady(index) {
    const tracks = this.shown();
    return tracks.length > 0 && tracks.every(({ frames }) => frames[index]);
  }

  /**
   * Another map is shown: places are asked for again, with their pictures, of which those that are there stay.
   * @param {View} view
   */
  setView(view) {
    this.view = view;
    this.cache = null; // its places are those of the map before
    for (const track of this.tracks.values()) track.places = new Array(this.count);
    this.turn = {};
    if (this.count) this.reportProgress();
    this.load();
  }

  load() {
    if (this.stale || !this.view || this.loading === this.turn) return;
    const batch = this.nextBatch();
    if (!batch.length) return;
    const { turn } = this;
    this.loading = turn;
    const values = new Float32Array(batch.length * this.model.latentDim);
    batch.forEach(({ track, index }, i) =>
      values.set(codeAt(track, index, this.model.latentDim), i * this.model.latentDim),
    );
    this.live.ask("path", PATH, this.view, values, (answer) => {
      if (turn !== this.turn) return;
      this.loading = null;
      this.keep(batch, answer);
      this.load();
    });
  }

  /** What is missing, from the playing position on. */
  nextBatch() {
    const tracks = this.shown();
    const most = (this.first ? FIRST_BATCH : this.hooks.pathCodes) - tracks.length;
    const from = this.hooks.position();
    /** @type {{track: Track, index: number}[]} */
    const batch = [];
    for (let step = 0; step < this.count && batch.length <= most; step++) {
      const index = (from + step) % this.count;
      for (const track of tracks) if (!track.frames[index] || !track.places[index]) batch.push({ track, index });
    }
    return batch;
  }

  /**
   * @param {{track: Track, index: number}[]} batch
   * @param {LiveAnswer} answer
   */
  keep(batch, { places, frames }) {
    this.first = false;
    batch.forEach(({ track, index }, i) => {
      track.frames[index] ??= frames[i];
      track.places[index] = { x: places[2 * i], y: places[2 * i + 1] };
    });
    this.reportProgress();
  }
}

/**
 * The code of a frame.
 * @param {{codes: Float32Array}} track
 * @param {number} index
 * @param {number} latentDim
 */
export function codeAt({ codes }, index, latentDim) {
  return codes.subarray(index * latentDim, (index + 1) * latentDim);
}

/**
 * The places that a path's line on the map goes through, of those that have come.
 * @param {{x: number, y: number}[]} places
 * @param {{loop: boolean, positions: number[]}} outline
 */
export function lineAlong(places, { loop, positions }) {
  const [, second] = positions;
  const open = positions.length === 2 ? places.slice(0, second + 1) : places; // the way back would fill the gaps of dashes
  return (loop && positions.length > 2 ? [...open, places[0]] : open).filter(Boolean);
}
