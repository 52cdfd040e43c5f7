// A path as a file: GIF, WebP, MP4, a strip of pictures, or its codes. The server makes it, the browser saves it.

import { Job } from "../engine/jobs.js";
import { saveFile } from "../engine/queries.js";
import { KINDS } from "../playback/path_kinds.js";
import { codeAt, MAX_FRAMES } from "../playback/paths.js";
import { base64OfFloats } from "../ui/base64.js";
import { el } from "../ui/dom.js";
import { fill, labelled, select, whole, wholeField } from "../ui/fields.js";

const FORMATS = [
  { key: "gif", title: "GIF", ending: "gif", moves: true, repeats: true },
  { key: "mp4", title: "MP4", ending: "mp4", moves: true },
  { key: "webp", title: "Animated WebP", ending: "webp", moves: true, repeats: true },
  { key: "strip", title: "PNG strip", ending: "png" },
  { key: "npz", title: "NPZ of codes", ending: "npz" },
];
const SCALES = [1, 2, 3, 4, 6, 8, 12, 16, 24, 32, 64];
const MAX_SIDE = 2048; // pixels, as vae_core.images.animation takes
const MAX_FPS = 60;
const MAX_COLUMNS = 1000; // of a strip, as app/queries/interpolate.py takes
const SCREEN_FPS = 60; // at speed 1
const GIF_DELAYS = [2, 100]; // hundredths of a second

export class ExportPanel {
  key = "export";
  title = "Export";

  /** @param {object} interpolate store, paths, queries, root, player, data */
  constructor(interpolate) {
    this.interpolate = interpolate;
    this.kind = this.select("Kind of path", (kind) => ({ kind }));
    this.format = this.select(
      "Format",
      (format) => ({ format }),
      FORMATS.map(({ key, title }) => [key, title]),
    );
    this.fps = this.number("Frames per second", MAX_FPS, (fps) => ({ fps }));
    this.scale = this.select("Size", (scale) => ({ scale: Number(scale) }));
    this.pictures = this.number("Strip pictures", MAX_FRAMES, (pictures) => ({ pictures }));
    this.columns = this.number("Strip columns", MAX_COLUMNS, (columns) => ({ columns }));
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

  select(label, change, options = []) {
    const node = select(label, options, { title: label, onchange: () => this.wish(change(node.value)) });
    return node;
  }

  number(label, max, change) {
    const node = wholeField(label, { min: 1, max, onchange: () => this.wish(change(whole(node, 1))) });
    return node;
  }

  wish(change) {
    const { store } = this.interpolate;
    store.set({ export: { ...store.state.export, ...change } });
  }

  setModel({ shape: [, height, width] }) {
    if (!this.job) this.news.textContent = ""; // of files of the model before
    if (this.job && !this.job.url) this.stop(); // it was to begin with the model before
    const fitting = SCALES.filter((scale) => scale * Math.max(height, width) <= MAX_SIDE);
    this.scales = fitting;
    fill(
      this.scale,
      fitting.map((scale) => [scale, `${width * scale} × ${height * scale}`]),
    );
  }

  /** Settings or paths changed. */
  show() {
    if (!this.scales) return;
    const { export: wish, kinds } = this.interpolate.store.state;
    fill(
      this.kind,
      KINDS.filter(({ key }) => kinds.includes(key)).map(({ key, title }) => [key, title]),
    );
    this.kind.value = this.exported();
    this.format.value = wish.format;
    this.fps.value = wish.fps;
    this.scale.value = this.fittingScale();
    this.pictures.value = wish.pictures;
    this.columns.value = wish.columns;
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
    const fps = key === "gif" ? gifRate(wish.fps) : wish.fps;
    const exact = fps === wish.fps ? "" : `; a GIF has whole hundredths of a second: ${fps.toFixed(1)} a second`;
    return `${frames} frames, ${seconds(frames, fps)} s (${seconds(frames, SCREEN_FPS * speed)} s on screen${exact})`;
  }

  /** Frames spread evenly over the path, its ends included. */
  stripFrames(frames) {
    const count = Math.min(this.interpolate.store.state.export.pictures, frames);
    return Array.from({ length: count }, (_, i) => Math.round((i * (frames - 1)) / Math.max(1, count - 1)));
  }

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
    const job = new Job(this.interpolate.root, () => this.interpolate.queries.begin("export", order));
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

  begin(job) {
    this.job = job;
    this.go.disabled = true;
    this.cancel.hidden = this.progress.hidden = false;
    this.summary.hidden = true;
    this.news.textContent = "";
  }

  showProgress(job, { share, message }) {
    if (this.job !== job) return;
    this.progress.value = share;
    this.news.textContent = message;
  }

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

function seconds(frames, fps) {
  return (frames / fps).toFixed(1);
}

/** The rate at which a GIF plays what is asked for (vae_core.images.animation.gif_fps). */
function gifRate(fps) {
  const [low, high] = GIF_DELAYS;
  const delays = Array.from({ length: high - low + 1 }, (_, i) => low + i);
  return (
    100 / delays.reduce((best, delay) => (Math.abs(100 / delay - fps) < Math.abs(100 / best - fps) ? delay : best))
  );
}
