// A latent map: Plotly draws the points; what moves lies over the plot (see marks.js).

import { el } from "../ui/dom.js";
import { Backdrop } from "./backdrop.js";
import { contourTraces } from "./contours.js";
import { MapFrame } from "./frame.js";
import { MapMarks } from "./marks.js";
import { morph } from "./morph.js";
import { adoptPlotlyStyles, extentOf, joinPoints, movedTo, pointsOf } from "./plotly.js";
import { MapPointer } from "./pointer.js";
import { MapSelection } from "./selection.js";

const SNAP_PX = 6; // nearer to a point than this means the point
const REST_MS = 250; // after which a map that was panned or zoomed has come to rest
const GONE_MS = 1000; // a node that is out of the page for this long does not come back

/**
 * @typedef {{x: number, y: number, index?: number, training?: number}} Place of a reference image, or of a training
 *   image, where it is the place of one
 * @typedef {{number: number, places: Float32Array}} Refit a UMAP fitted anew: its number, x and y of each reference image
 */

/**
 * @typedef {object} Hooks
 * @property {(place: Place, px: Place) => void} [onPeek] somebody looks at a place
 * @property {() => void} [onLeave] or looks away
 * @property {(place: Place) => void} [onLoad] somebody picks a place
 * @property {() => void} [onTakeBack] a pick was the first half of a double-click
 * @property {string} [verb] what picking does, "loads" by default
 * @property {(indices: number[]) => void} [onSelect] reference images were drawn around
 * @property {() => void} [onRange] another part of the map is shown
 * @property {() => void} [onGone] the map is gone
 */
export class LatentMap {
  /**
   * @param {import("../engine/source.js").Source} source
   * @param {Hooks} hooks
   * @param {typeof MapMarks} Marks what lies on its places
   */
  constructor(source, hooks = {}, Marks = MapMarks) {
    this.source = source;
    this.hooks = hooks;
    /** @type {any} */
    this.plot = el("div", { class: "plot" }); // to which Plotly gives more
    this.element = el("div", {
      class: "map",
      "data-testid": "latent-map",
      tabindex: 0,
      role: "application",
      "aria-label": `Latent map. Arrow keys move a crosshair, ${hooks.onLoad ? `Enter ${hooks.verb ?? "loads"} what lies there, ` : ""}Escape takes it away.`,
    });
    this.frame = new MapFrame(this.element);
    this.backdrop = new Backdrop(this.frame);
    this.marks = new Marks(this.frame);
    this.element.append(this.backdrop.element, this.plot, this.overlay);
    this.pointer = new MapPointer(this);
    this.selection = hooks.onSelect ? new MapSelection(this) : null;
    this.layers = [];
    this.points = joinPoints([]);
    this.under = null; // whose points lie under the map's own ones
    this.contours = null;
    new ResizeObserver(() => this.resized()).observe(this.element);
  }

  /** The element over the plot, where others may lay something too. */
  get overlay() {
    return this.marks.element;
  }

  /** What is shown at present, {x: [low, high], y: [low, high]}; null before the first map. */
  get range() {
    return this.frame.isSet ? { x: [...this.frame.x], y: [...this.frame.y] } : null;
  }

  /**
   * Fetch and draw a map unless it is there; resolves when it is painted. Only the newest call draws.
   * @param {import("../engine/payloads.js").Model} model
   * @param {import("../engine/payloads.js").View} view
   * @param {Refit | null} refit to show in place of the model's own UMAP
   */
  async show(model, view, refit = null) {
    const stored = `${model.name} ${model.maps} ${view.projection} ${view.x} ${view.y} ${view.colour}`;
    const shown = view.projection === "umap" ? refit : null;
    const wanted = `${stored} ${shown?.number}`;
    this.wanted = wanted;
    if (this.shown === wanted) return;
    const [Plotly, figure] = await Promise.all([
      this.source.plotly(),
      this.source.figure(model, view).catch((error) => this.wanted === wanted && Promise.reject(error)),
    ]);
    const draw = async () => {
      await this.pointer.idle();
      if (this.wanted !== wanted || this.shown === wanted || !this.element.isConnected) return;
      this.shown = null; // while its points are on their way
      await this.draw(Plotly, figure, { model, view, refit: shown, stored });
      this.shown = wanted;
    };
    this.drawing = Promise.allSettled([this.drawing]).then(draw); // one after the other
    await this.drawing;
  }

  /** Draw a map; from the same one before a refit its points move over. */
  async draw(Plotly, figure, map) {
    const [before, first] = [this.map, !this.frame.isSet];
    this.Plotly = Plotly;
    this.layout = figure.layout;
    const own = map.refit ? movedTo(map.refit.places, figure.layers) : figure.layers;
    if (before?.stored === map.stored) await morph(this, own);
    this.map = map;
    this.layers = own;
    this.frame.margin = figure.layout.margin;
    this.own = pointsOf(own);
    this.frame.extent = extentOf(this.own);
    this.snaps = !figure.layout.xaxis.visible; // a map without axes is known by its points
    if (this.drawn !== nameOf(map)) {
      this.contours = null; // of another map
      this.element.removeAttribute("data-contoured");
      this.frame.showWhole();
    }
    this.drawn = nameOf(map);
    this.frame.measure();
    await this.compose();
    if (first) this.afterFirstDraw();
    this.element.dataset.painted = this.drawn;
  }

  /** Draw points and contours. */
  async compose() {
    this.selection?.dress(this.layers);
    const traces = [...this.layers.map(({ trace }) => trace), ...(this.contours ?? [])];
    await this.Plotly.react(this.plot, traces, this.dressed(this.layout), this.config());
    this.showUnder();
    this.replace();
  }

  /**
   * Points under the map's own ones; null takes them away.
   * @param {{layersFor: (map: object, own: import("./plotly.js").Layer[]) => import("./backdrop.js").BackdropLayer[]} | null} under
   */
  setUnder(under) {
    this.under = under;
    if (this.map) this.showUnder();
  }

  showUnder() {
    this.beneath = this.under?.layersFor(this.map, this.layers) ?? [];
    this.notePoints();
  }

  /** The points that can be looked at: those that the legend does not hide. */
  notePoints() {
    const shown = this.layers.filter(({ trace: { visible } }) => visible !== "legendonly" && visible !== false);
    const groups = new Set(shown.map(({ trace }) => trace.legendgroup));
    const beneath = this.beneath.filter(({ legendgroup }) => legendgroup === undefined || groups.has(legendgroup));
    this.points = joinPoints([...beneath, ...shown.map(({ trace: { x, y }, indices }) => ({ x, y, indices }))]);
    this.backdrop.show(beneath);
  }

  /** The layout with the page's colours and our range, so that one drawing is enough. */
  dressed(layout) {
    const colours = this.themeColours();
    this.worn = JSON.stringify(colours);
    const changes = {
      ...colours,
      ...this.frame.change(),
      uirevision: this.drawn,
      dragmode: this.plot.layout?.dragmode ?? "pan",
    };
    for (const [path, value] of Object.entries(changes)) {
      const steps = path.split(".");
      const last = steps.pop();
      steps.reduce((part, step) => (part[step] ??= {}), layout)[last] = value;
    }
    return layout;
  }

  config() {
    const home = {
      name: "home",
      title: "Show the whole map",
      icon: this.Plotly.Icons.home,
      click: () => this.fit(),
    };
    return {
      displaylogo: false,
      displayModeBar: true,
      scrollZoom: true,
      doubleClick: false,
      showTips: false, // they would cover the model picker
      modeBarButtons: [
        ...(this.selection ? [["lasso2d", "select2d"]] : []),
        ["pan2d", "zoom2d", "zoomIn2d", "zoomOut2d", home],
      ],
    };
  }

  afterFirstDraw() {
    adoptPlotlyStyles(this.plot.getRootNode());
    this.plot.on("plotly_relayouting", (change) => this.follow(change));
    this.plot.on("plotly_relayout", (change) => this.moved(change));
    this.plot.on("plotly_doubleclick", () => this.doubleClicked());
    this.plot.on("plotly_restyle", ([change]) => "visible" in change && this.notePoints()); // what is selected is no matter
    this.selection?.listen();
  }

  /** Clear what is selected while selecting; else show the whole map. */
  doubleClicked() {
    const selecting = ["lasso", "select"].includes(this.plot.layout.dragmode);
    if (selecting && this.selection) this.selection.clear();
    else this.fit();
  }

  resized() {
    if (!this.element.isConnected) setTimeout(() => this.element.isConnected || this.leave(), GONE_MS);
    else if (this.frame.isOutgrown) this.refill();
  }

  refill() {
    this.frame.refill();
    this.Plotly.Plots.resize(this.plot).then(() => this.applyRange());
  }

  /** The page was left: give back what the browser would keep otherwise, such as its few WebGL contexts. */
  leave() {
    this.pointer.close();
    for (const canvas of this.plot.querySelectorAll("canvas")) {
      canvas.getContext("webgl")?.getExtension("WEBGL_lose_context")?.loseContext();
    }
    this.Plotly?.purge(this.plot);
    this.hooks.onGone?.();
  }

  themeColours() {
    const style = getComputedStyle(this.element);
    const text = style.getPropertyValue("--st-text-color").trim() || style.color;
    const faint = style.getPropertyValue("--st-border-color").trim() || "rgba(128,128,128,.3)";
    const clear = "rgba(0,0,0,0)";
    return {
      paper_bgcolor: clear,
      plot_bgcolor: clear,
      "font.color": text,
      "font.family": style.fontFamily,
      "xaxis.gridcolor": faint,
      "yaxis.gridcolor": faint,
      "modebar.bgcolor": clear,
      "modebar.color": faint,
      "modebar.activecolor": text,
    };
  }

  /** Take the page's colours again, after a change of theme. */
  applyTheme() {
    const colours = this.themeColours();
    if (!this.frame.isSet || JSON.stringify(colours) === this.worn) return; // each relayout draws all points again
    this.worn = JSON.stringify(colours);
    this.Plotly.relayout(this.plot, colours);
  }

  /** Show all points. */
  async fit() {
    this.frame.showWhole();
    await this.applyRange();
  }

  async applyRange() {
    await this.Plotly.relayout(this.plot, this.frame.change());
    this.replace();
  }

  /** Plotly has another range, or something else of its layout; who asked to hear of a range does so once it rests. */
  moved(change) {
    this.follow(change);
    if (!Object.keys(change).some((name) => /^[xy]axis\.range/.test(name))) return;
    clearTimeout(this.resting);
    this.resting = setTimeout(() => this.element.isConnected && this.hooks.onRange?.(), REST_MS);
  }

  follow(change) {
    this.frame.follow(change);
    this.replace();
  }

  toPixel(place) {
    return this.frame.toPixel(place);
  }

  /** How far a place lies from the nearest reference image, hidden ones too, as a share of the map's diagonal. */
  gapAt(place) {
    const { x, y } = this.own;
    let least = Infinity;
    for (let i = 0; i < x.length; i++) least = Math.min(least, (x[i] - place.x) ** 2 + (y[i] - place.y) ** 2);
    const [width, height] = [this.frame.extent.x, this.frame.extent.y].map(([low, high]) => high - low);
    return Math.sqrt(least) / Math.hypot(width, height);
  }

  /** The place meant by a pixel: on a map known by its points, a point that lies very near. */
  meant(px) {
    const place = this.frame.toPlace(px);
    if (!this.snaps) return place;
    const { x, y, indices } = this.points;
    let best = -1;
    let least = (SNAP_PX * this.frame.unit) ** 2;
    for (let i = x.length - 1; i >= 0; i--) {
      // from the top layer down
      const distance = (x[i] - place.x) ** 2 + (y[i] - place.y) ** 2;
      if (distance < least) [best, least] = [i, distance];
    }
    if (best < 0) return place;
    const image = indices[best] < 0 ? { training: -1 - indices[best] } : { index: indices[best] };
    return { x: x[best], y: y[best], ...image };
  }

  /**
   * Lines within which given shares of the points lie; null takes them away.
   * @param {{x: Float32Array, y: Float32Array, density: Float32Array, levels: [number, number][]} | null} field
   */
  async setContours(field) {
    this.contours = field && contourTraces(field, this.themeColours()["font.color"]);
    this.element.toggleAttribute("data-contoured", Boolean(field)); // the points lie over them and would hide them
    await this.compose();
  }

  /** A ring around a reference image's point, or around any place; null takes it away. */
  ring(target) {
    this.marks.ring(typeof target === "number" ? this.placeOf(target) : target);
  }

  placeOf(index) {
    const at = this.points.indices.indexOf(index);
    return at < 0 ? null : { x: this.points.x[at], y: this.points.y[at] };
  }

  /** Show some reference images as selected. */
  setSelected(indices) {
    this.selection?.show(indices);
  }

  /** A picture under the points, {source, x: [low, high], y: [low, high]}; null takes it away. */
  setUnderlay(underlay) {
    const image = underlay && {
      source: underlay.source,
      xref: "x",
      yref: "y",
      x: underlay.x[0],
      y: underlay.y[1],
      sizex: underlay.x[1] - underlay.x[0],
      sizey: underlay.y[1] - underlay.y[0],
      sizing: "stretch",
      layer: "below",
    };
    return this.Plotly.relayout(this.plot, { images: image ? [image] : [] });
  }

  /** Have everything beside Plotly's own points follow the range that is shown. */
  replace() {
    if (!this.frame.isSet) return;
    this.pointer.putCrosshair();
    this.backdrop.follow();
    this.marks.follow();
  }
}

/** Says whether two maps show the same places, whatever colours their points. */
function nameOf({ model, view, refit }) {
  return `${model.maps} ${view.projection} ${view.x} ${view.y}${refit ? ` ${refit.number}` : ""}`;
}
