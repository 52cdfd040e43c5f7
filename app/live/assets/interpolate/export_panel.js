// A path as a file: GIF, WebP, MP4, a strip of pictures, or its codes. The server makes it, the browser saves it.

import { Job } from "../engine/jobs.js";
import { KINDS } from "../playback/path_kinds.js";
import { codeAt } from "../playback/paths.js";
import { base64OfFloats } from "../ui/base64.js";
import { el } from "../ui/dom.js";
import { saveFile } from "../ui/download.js";
import { fill, labelled, select, whole, wholeField } from "../ui/fields.js";

/**
 * @typedef {import("../engine/payloads.js").ExportSettings} ExportSettings
 * @typedef {import("../playback/paths.js").Track} Track
 */

/** @type {{key: string, title: string, ending: string, moves?: boolean, repeats?: boolean}[]} */
const FORMATS = [
  { key: "gif", title: "GIF", ending: "gif", moves: true, repeats: true },
  { key: "mp4", title: "MP4", ending: "mp4", moves: true },
  { key: "webp", title: "Animated WebP", ending: "webp", moves: true, repeats: true },
  { key: "strip", title: "PNG strip", ending: "png" },
  { key: "npz", title: "NPZ of codes", ending: "npz" },
];
const SCALES = [1, 2, 3, 4, 6, 8, 12, 16, 24, 32, 64];
const SCREEN_FPS = 60; // at speed 1

export class ExportPanel {
  key = "export";
  title = "Export";

  /** @param {import("./interpolate.js").Interpolate} interpolate */
  constructor(interpolate) {
    const { limits } = interpolate;
    this.interpolate = interpolate;
    /** @type {number[]} */
    this.scales = []; // that fit the model's pictures
    /** @type {Job | null} */
    this.job = null;
    this.kind = this.select("Kind of path", (kind) => ({ kind }));
    this.format = this.select(
      "Format",
      (format) => ({ format }),
      FORMATS.map(({ key, title }) => [key, title]),
    );
    this.fps = this.number("Frames per second", limits.fps, (fps) => ({ fps }));
    this.scale = this.select("Size", (scale) => ({ scale: Number(scale) }));
    this.pictures = this.number("Strip pictures", limits.frames, (pictures) => ({ pictures }));
    this.columns = this.number("Strip columns", limits.stripColumns, (columns) => ({ columns }));
    this.repeat = el("input", { type: "checkbox", onchange: () => this.wish({ repeat: this.repeat.checked }) });
    this.fields = {
      fps: labelled("Frames per second", this.fps),
      scale: labelled("Size", this.scale),
      pictures: labelled("Pictures", this.pictures),
      columns: labelled("Columns", this.columns),
      repeat: el("label", { title: "The file plays for ever" }, this.repeat, "Repeat"),
    };
    this.summary = el("span", { class: "faint" });
    this.go = el("button", { class: "action primary", onclick: () => this.start() }, "Export");
    this.cancel = el("button", { class: "action", hidden: true, onclick: () => this.stop() }, "Cancel");
    this.progress = el("progress", { max: 1, value: 0, hidden: true, "aria-label": "Export" });
    this.news = el("span", { class: "faint", role: "status", "data-testid": "export-news" });
    const fields = el("div", { class: "panel-head" }, this.kind, this.format, ...Object.values(this.fields));
    const row = el("div", { class: "panel-head" }, this.go, this.cancel, this.summary, this.progress, this.news);
    this.element = el("div", { class: "export-panel" }, fields, row);
    interpolate.store.on(["export", "kinds", "speed"], () => this.show());
  }

  /**
   * @param {string} label
   * @param {(value: string) => Partial<ExportSettings>} change
   * @param {import("../ui/fields.js").Option[]} options
   */
  select(label, change, options = []) {
    const node = select(label, options, { title: label, onchange: () => this.wish(change(node.value)) });
    return node;
  }

  /**
   * @param {string} label
   * @param {number} max
   * @param {(value: number) => Partial<ExportSettings>} change
   */
  number(label, max, change) {
    const node = wholeField(label, { min: 1, max, onchange: () => this.wish(change(whole(node, 1))) });
    return node;
  }

  /** @param {Partial<ExportSettings>} change */
  wish(change) {
    const { store } = this.interpolate;
    store.set({ export: { ...store.state.export, ...change } });
  }

  /** @param {{shape: number[]}} model */
  setModel({ shape: [, height, width] }) {
    if (!this.job) this.news.textContent = ""; // of files of the model before
    if (this.job && !this.job.handle) this.stop(); // it was to begin with the model before
    const fitting = SCALES.filter((scale) => scale * Math.max(height, width) <= this.interpolate.limits.exportSide);
    this.scales = fitting;
    fill(
      this.scale,
      fitting.map((scale) => [scale, `${width * scale} × ${height * scale}`]),
    );
  }

  /** Settings or paths changed. */
  show() {
    if (!this.scales.length) return; // no model yet
    const { export: wish, kinds } = this.interpolate.store.state;
    fill(
      this.kind,
      KINDS.filter(({ key }) => kinds.includes(key)).map(({ key, title }) => [key, title]),
    );
    this.kind.value = this.exported();
    this.format.value = wish.format;
    this.fps.value = String(wish.fps);
    this.scale.value = String(this.fittingScale());
    this.pictures.value = String(wish.pictures);
    this.columns.value = String(wish.columns);
    this.repeat.checked = wish.repeat;
    const { moves, repeats, key } = this.chosen();
    this.fields.fps.hidden = !moves && key !== "npz";
    this.fields.scale.hidden = key === "npz";
    this.fields.pictures.hidden = this.fields.columns.hidden = key !== "strip";
    this.fields.repeat.hidden = !repeats;
    this.summary.textContent = this.summarise();
    this.go.disabled = !this.track() || Boolean(this.job);
  }

  chosen() {
    return FORMATS.find(({ key }) => key === this.interpolate.store.state.export.format);
  }

  /** The kind that is exported: the wished one, or the first where that is not shown. */
  exported() {
    const { export: wish, kinds } = this.interpolate.store.state;
    return kinds.includes(wish.kind) ? wish.kind : kinds[0];
  }

  /** The largest scale up to the wished one that the model's pictures allow. */
  fittingScale() {
    return this.scales.findLast((scale) => scale <= this.interpolate.store.state.export.scale) ?? this.scales[0];
  }

  track() {
    const { paths } = this.interpolate;
    return paths.stale ? null : paths.tracks.get(this.exported());
  }

  summarise() {
    const track = this.track();
    if (!track) return "";
    const { export: wish, speed } = this.interpolate.store.state;
    const { key, moves } = this.chosen();
    const frames = track.frames.length;
    if (key === "strip") return `${this.stripFrames(frames).length} of ${frames} frames`;
    if (!moves) return `${frames} codes`;
    const fps = key === "gif" ? gifRate(wish.fps, this.interpolate.limits.gifDelays) : wish.fps;
    const exact = fps === wish.fps ? "" : `; a GIF has whole hundredths of a second: ${fps.toFixed(1)} a second`;
    return `${frames} frames, ${seconds(frames, fps)} s (${seconds(frames, SCREEN_FPS * speed)} s on screen${exact})`;
  }

  /**
   * Frames spread evenly over the path, its ends included.
   * @param {number} frames
   */
  stripFrames(frames) {
    const count = Math.min(this.interpolate.store.state.export.pictures, frames);
    return Array.from({ length: count }, (_, i) => Math.round((i * (frames - 1)) / Math.max(1, count - 1)));
  }

  /** @param {Track} track */
  order(track) {
    const { store, data, player } = this.interpolate;
    const { export: wish } = store.state;
    const { latentDim, name } = data.model;
    const { key, repeats } = this.chosen();
    const chosen =
      key === "strip"
        ? this.stripFrames(track.frames.length).map((index) => codeAt(track, index, latentDim))
        : [track.codes];
    return {
      codes: base64OfFloats(chosen.flatMap((codes) => Array.from(codes))),
      format: key,
      fps: wish.fps,
      scale: this.fittingScale(),
      loop: Boolean(repeats) && wish.repeat,
      name: `${name}-${track.kind}`,
      positions: key === "npz" ? player.outline.positions : [],
      columns: key === "strip" ? wish.columns : null,
    };
  }

  async start() {
    const track = this.track();
    if (!track || this.job) return;
    const order = this.order(track);
    const fileName = `${order.name}.${this.chosen().ending}`;
    const job = new Job(this.interpolate.source, () => this.interpolate.queries.begin("export", order));
    this.begin(job);
    try {
      const result = await job.follow((state) => this.showProgress(job, state));
      saveFile(await result.blob(), fileName);
      this.end(job, `Saved ${fileName}`);
    } catch (error) {
      this.end(job, error.stopped ? "Cancelled" : `Not exported: ${error.message}`);
    }
  }

  stop() {
    this.job?.stop();
    this.end(this.job, "Cancelled");
  }

  /** @param {Job} job */
  begin(job) {
    this.job = job;
    this.go.disabled = true;
    this.cancel.hidden = this.progress.hidden = false;
    this.summary.hidden = true;
    this.news.textContent = "";
  }

  /**
   * @param {Job} job
   * @param {import("../engine/source.js").JobState} state
   */
  showProgress(job, { share, message }) {
    if (this.job !== job) return;
    this.progress.value = share;
    this.news.textContent = message;
  }

  /**
   * @param {Job | null} job
   * @param {string} text
   */
  end(job, text) {
    if (this.job !== job) return;
    this.job = null;
    this.cancel.hidden = this.progress.hidden = true;
    this.progress.value = 0;
    this.summary.hidden = false;
    this.news.textContent = text;
    this.show();
  }
}

/**
 * @param {number} frames
 * @param {number} fps
 */
function seconds(frames, fps) {
  return (frames / fps).toFixed(1);
}

/**
 * The rate at which a GIF plays what is asked for, as vae_core.images.animation.gif_fps has it.
 * @param {number} fps
 * @param {number[]} delays the shortest and the longest, hundredths of a second
 */
export function gifRate(fps, [shortest, longest]) {
  const rates = Array.from({ length: longest - shortest + 1 }, (_, i) => 100 / (shortest + i));
  return rates.reduce((best, rate) => (Math.abs(rate - fps) < Math.abs(best - fps) ? rate : best));
}
