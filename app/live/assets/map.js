// A latent map: Plotly draws the points, and everything that moves (the marker, stars, a path, the peek card) is
// an element over the plot, because redrawing a trace for each mouse move is ten times too slow.

import { el, renew } from "./dom.js";
import { adoptPlotlyStyles, extentOf, fetchFigure, joinPoints, loadPlotly } from "./figure.js";
import { MapSelection } from "./map_selection.js";
import { starButton } from "./stars.js";

const PAD = 0.04; // of the data's extent, left free around it
const CLICK_PX = 4; // a press that moves less is a click
const SNAP_PX = 6; // nearer to a point than this means the point
const KEY_STEP = 0.02; // of the view's width
const GONE_MS = 1000; // a node that is out of the page for this long does not come back
const SVG = "http://www.w3.org/2000/svg";

/**
 * @typedef {{x: number, y: number}} Place
 * @typedef {{onPeek?: (place: Place, px: Place) => void, onLeave?: () => void, onLoad?: (place: Place) => void,
 *   onSelect?: (indices: number[]) => void, onRange?: () => void, onGone?: () => void}} Hooks
 */
export class LatentMap {
  /**
   * @param {URL} root
   * @param {string} plotlyVersion
   * @param {Hooks} hooks what to do when somebody looks at, leaves or picks a place, and when the map is gone
   */
  constructor(root, plotlyVersion, hooks = {}) {
    this.root = root;
    this.plotlyVersion = plotlyVersion;
    this.hooks = hooks;
    this.plot = el("div", { class: "plot" });
    this.trail = document.createElementNS(SVG, "svg");
    this.trail.classList.add("trail");
    this.marker = el("div", { class: "marker", hidden: true, title: "You are here" });
    this.crosshair = el("div", { class: "crosshair", hidden: true });
    this.stars = el("div", { class: "stars" });
    this.halo = el("div", { class: "halo", hidden: true });
    this.overlay = el("div", { class: "overlay" }, this.trail, this.halo, this.stars, this.marker, this.crosshair);
    this.element = el(
      "div",
      {
        class: "map",
        "data-testid": "latent-map",
        tabindex: 0,
        role: "application",
        "aria-label": "Latent map. Arrow keys move a crosshair, Enter loads what lies there, Escape leaves.",
      },
      this.plot,
      this.overlay,
    );
    this.selection = hooks.onSelect ? new MapSelection(this) : null;
    this.marks = []; // {node, place}
    this.paths = [];
    this.points = { x: [], y: [] };
    this.listen();
  }

  /** Fetch and draw a map unless it is there; resolves when it is painted. Only the newest call draws. */
  async show(model, view) {
    const query = new URLSearchParams({ projection: view.projection, x: view.x, y: view.y, colour: view.colour });
    const url = new URL(`live/models/${encodeURIComponent(model.name)}/${model.maps}/map?${query}`, this.root);
    this.wanted = url.href;
    if (this.shown === url.href) return;
    const [Plotly, figure] = await Promise.all([
      loadPlotly(this.root, this.plotlyVersion),
      fetchFigure(url).catch((error) => this.wanted === url.href && Promise.reject(error)),
    ]);
    if (this.wanted !== url.href || !this.element.isConnected) return;
    const name = `${model.maps} ${view.projection} ${view.x} ${view.y}`;
    const sameMap = this.drawn === name;
    this.drawn = name;
    await this.draw(Plotly, figure, sameMap);
    this.shown = url.href;
  }

  async draw(Plotly, figure, keepRange) {
    const first = !this.range;
    this.Plotly = Plotly;
    this.margin = figure.layout.margin;
    this.points = joinPoints(figure);
    this.extent = extentOf(this.points);
    this.snaps = !figure.layout.xaxis.visible; // a map without axes is known by its points
    if (first || !keepRange) this.showWhole();
    this.filled = this.area();
    this.size = this.measure();
    this.selection?.dress(figure.data);
    this.contours = null; // of another map
    await Plotly.react(this.plot, figure.data, this.dressed(figure.layout), this.config());
    if (first) this.afterFirstDraw();
    this.replace();
    this.element.dataset.painted = this.drawn;
  }

  /** The layout with the page's colours and our range, so that one drawing is enough. */
  dressed(layout) {
    const colours = this.themeColours();
    this.worn = JSON.stringify(colours);
    const changes = { ...colours, ...this.rangeChange(), uirevision: this.drawn, dragmode: this.dragMode ?? "pan" };
    for (const [path, value] of Object.entries(changes)) {
      const steps = path.split(".");
      const last = steps.pop();
      steps.reduce((part, step) => (part[step] ??= {}), layout)[last] = value;
    }
    return layout;
  }

  rangeChange() {
    return { "xaxis.range": [...this.range.x], "yaxis.range": [...this.range.y] };
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
      modeBarButtons: [...(this.selection ? [["lasso2d", "select2d"]] : []), ["pan2d", "zoom2d", "zoomIn2d", "zoomOut2d", home]],
    };
  }

  afterFirstDraw() {
    adoptPlotlyStyles(this.plot.getRootNode());
    this.plot.on("plotly_relayouting", (change) => this.follow(change));
    this.plot.on("plotly_relayout", (change) => this.follow(change));
    this.plot.on("plotly_doubleclick", () => this.doubleClicked());
    this.plot.on("plotly_restyle", () => this.noteHidden());
    this.selection?.listen();
  }

  /** Clear what is selected while selecting; else show the whole map. */
  doubleClicked() {
    const selecting = ["lasso", "select"].includes(this.plot.layout.dragmode);
    if (selecting && this.selection) this.selection.clear();
    else this.fit();
  }

  /** Points of classes that the legend hides are not looked at. */
  noteHidden() {
    const hidden = this.pointTraces().map(({ visible }) => visible === "legendonly" || visible === false);
    this.points.hidden = this.points.traces.map((trace) => hidden[trace]);
  }

  resized() {
    if (!this.element.isConnected) setTimeout(() => this.element.isConnected || this.leave(), GONE_MS);
    else if (this.range && this.element.clientWidth > 0 && this.measure() !== this.size) this.refill();
  }

  measure() {
    return `${this.element.clientWidth} ${this.element.clientHeight}`;
  }

  /** Fill the new size: with the whole map if that was shown, else with the same middle and scale. */
  refill() {
    const { width, height } = this.area();
    this.size = this.measure();
    const around = ([low, high], before, pixels) => {
      const [middle, unit] = [(low + high) / 2, (high - low) / before];
      return [middle - (unit * pixels) / 2, middle + (unit * pixels) / 2];
    };
    const { x, y } = this.range;
    if (this.isWhole) this.range = this.wholeRange();
    else this.range = { x: around(x, this.filled.width, width), y: around(y, this.filled.height, height) };
    this.filled = { width, height };
    this.Plotly.Plots.resize(this.plot).then(() => this.applyRange());
  }

  /** The page was left: give back what the browser would keep otherwise, such as its few WebGL contexts. */
  leave() {
    this.listening.abort();
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
    if (!this.range || JSON.stringify(colours) === this.worn) return; // each relayout draws all points again
    this.worn = JSON.stringify(colours);
    this.Plotly.relayout(this.plot, colours);
  }

  /** The range that shows all points, one unit as long on both axes. */
  wholeRange() {
    const { width, height } = this.area();
    const { x, y } = this.extent;
    const unit = Math.max((x[1] - x[0]) / width, (y[1] - y[0]) / height) * (1 + 2 * PAD) || 1 / width;
    const around = ([low, high], pixels) => {
      const middle = (low + high) / 2;
      return [middle - (unit * pixels) / 2, middle + (unit * pixels) / 2];
    };
    return { x: around(x, width), y: around(y, height) };
  }

  /** Show all points. */
  async fit() {
    this.showWhole();
    await this.applyRange();
  }

  showWhole() {
    this.range = this.wholeRange();
    this.isWhole = true; // until the person pans or zooms
  }

  async applyRange() {
    await this.Plotly.relayout(this.plot, this.rangeChange());
    this.replace();
    this.hooks.onRange?.();
  }

  /** Keep to Plotly's range while and after it pans or zooms; its layout is stale during a pan. */
  follow(change) {
    if (change.dragmode) this.dragMode = change.dragmode;
    for (const axis of ["x", "y"]) {
      const whole = change[`${axis}axis.range`];
      const low = change[`${axis}axis.range[0]`] ?? whole?.[0];
      const high = change[`${axis}axis.range[1]`] ?? whole?.[1];
      if (low !== undefined) this.range[axis] = [low, high];
      if (`${axis}axis.range[0]` in change) this.isWhole = false; // our own changes name the whole range
    }
    this.replace();
  }

  /** The plot's area in the element's pixels. */
  area() {
    const { l, r, t, b } = this.margin;
    return {
      left: l,
      top: t,
      width: Math.max(1, this.element.clientWidth - l - r),
      height: Math.max(1, this.element.clientHeight - t - b),
    };
  }

  toPixel({ x, y }) {
    const { left, top, width, height } = this.area();
    const { x: [x0, x1], y: [y0, y1] } = this.range;
    return { x: left + ((x - x0) / (x1 - x0)) * width, y: top + ((y1 - y) / (y1 - y0)) * height };
  }

  toPlace({ x, y }) {
    const { left, top, width, height } = this.area();
    const { x: [x0, x1], y: [y0, y1] } = this.range;
    return { x: x0 + ((x - left) / width) * (x1 - x0), y: y1 - ((y - top) / height) * (y1 - y0) };
  }

  /** The place meant by a pixel: on a map known by its points, a point that lies very near. */
  meant(px) {
    const place = this.toPlace(px);
    if (!this.snaps) return place;
    const unit = (this.range.x[1] - this.range.x[0]) / this.area().width;
    const { x, y, hidden } = this.points;
    let best = -1;
    let least = (SNAP_PX * unit) ** 2;
    for (let i = 0; i < x.length; i++) {
      if (hidden?.[i]) continue;
      const distance = (x[i] - place.x) ** 2 + (y[i] - place.y) ** 2;
      if (distance < least) [best, least] = [i, distance];
    }
    return best < 0 ? place : { x: x[best], y: y[best], index: this.points.indices[best] };
  }

  /** The traces of points; contours come after them. */
  pointTraces() {
    return this.plot.data.filter(({ type }) => type === "scattergl");
  }

  /**
   * Lines within which given shares of the points lie; null takes them away.
   * @param {{x: Float32Array, y: Float32Array, density: Float32Array, levels: [number, number][]} | null} field
   */
  async setContours(field) {
    if (this.contours) await this.Plotly.deleteTraces(this.plot, this.contours.map((_, i) => -1 - i));
    this.contours = field && contourTraces(field, this.themeColours()["font.color"]);
    if (this.contours) await this.Plotly.addTraces(this.plot, this.contours);
  }

  /** A ring around a reference image's point; null takes it away. */
  ring(index) {
    const at = index === null ? -1 : this.points.indices.indexOf(index);
    this.haloPlace = at < 0 ? null : { x: this.points.x[at], y: this.points.y[at] };
    this.halo.hidden = true;
    if (this.haloPlace) this.put(this.halo, this.haloPlace);
  }

  /** Show some reference images as selected. */
  setSelected(indices) {
    this.selection?.show(indices);
  }

  /** What is shown at present: {x: [low, high], y: [low, high]}. */
  visibleRange() {
    return structuredClone(this.range);
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

  moveMarker(place) {
    this.markerPlace = place;
    if (this.range) this.put(this.marker, place);
  }

  /**
   * Stars for a person's own pictures.
   * @param {{id: string, name: string, place: Place, chosen: boolean}[]} stars
   * @param {{verb?: string, onPick: (id: string) => void, onShow?: (id: string, place: Place) => void,
   *   onHide?: () => void}} hooks what picking one does and is called, and what to show for the one pointed at
   */
  setStars(stars, { verb = "Load", onPick, onShow, onHide }) {
    const options = { verb, onPick, onShow, onHide };
    renew(this.stars, stars, () => stars.map((star) => starButton(star, options)));
    this.marks = stars.map(({ place }, i) => ({ node: this.stars.children[i], place }));
    this.replace();
  }

  /** Lines along places: [{places: [{x, y}], kind}]. */
  setPaths(paths) {
    this.paths = paths;
    this.replace();
  }

  put(node, place) {
    const { x, y } = this.toPixel(place);
    const { left, top, width, height } = this.area();
    node.hidden = x < left - 1 || x > left + width + 1 || y < top - 1 || y > top + height + 1;
    node.style.transform = `translate(${x}px, ${y}px)`;
  }

  replace() {
    if (!this.range) return;
    if (this.markerPlace) this.put(this.marker, this.markerPlace);
    if (this.crosshairPlace) this.put(this.crosshair, this.crosshairPlace);
    if (this.haloPlace) this.put(this.halo, this.haloPlace);
    for (const { node, place } of this.marks) this.put(node, place);
    this.trail.replaceChildren(...this.paths.map((path) => this.line(path)));
  }

  line({ places, kind }) {
    const line = document.createElementNS(SVG, "polyline");
    const pixels = places.map((place) => this.toPixel(place));
    line.setAttribute("points", pixels.map(({ x, y }) => `${x.toFixed(1)},${y.toFixed(1)}`).join(" "));
    line.setAttribute("data-kind", kind);
    return line;
  }

  listen() {
    const node = this.element;
    node.addEventListener("pointermove", (event) => this.pointed(event));
    node.addEventListener("pointerleave", () => this.hooks.onLeave?.());
    node.addEventListener("pointerdown", (event) => (this.pressed = this.inPlot(event)), true);
    // Plotly covers the page while a button is down, so that the release is heard on the window alone.
    this.listening = new AbortController();
    const { signal } = this.listening;
    window.addEventListener("pointermove", (event) => this.dragged(event), { capture: true, signal });
    window.addEventListener("pointerup", (event) => this.released(event), { capture: true, signal });
    node.addEventListener("keydown", (event) => this.keyed(event));
    node.addEventListener("blur", () => this.leaveCrosshair());
    new ResizeObserver(() => this.resized()).observe(node);
  }

  /** The pointer's pixel when it lies on the plot itself, not on its buttons or legend; else null. */
  inPlot(event) {
    const inner = event.composedPath()[0];
    if (!this.range || inner.closest?.(".modebar, .legend, .star")) return null;
    const px = this.pixelOf(event);
    const { left, top, width, height } = this.area();
    const inside = px.x >= left && px.x <= left + width && px.y >= top && px.y <= top + height;
    return inside ? px : null;
  }

  pointed(event) {
    const px = event.buttons ? null : this.inPlot(event);
    if (px) this.hooks.onPeek?.(this.meant(px), px);
    else this.hooks.onLeave?.();
  }

  /** Where a pointer is, in the element's pixels. */
  pixelOf(event) {
    const box = this.element.getBoundingClientRect();
    return { x: event.clientX - box.left, y: event.clientY - box.top };
  }

  /** A press that moves away is no click, even when it comes back, as a lasso does. */
  dragged(event) {
    if (!this.pressed) return;
    const { x, y } = this.pixelOf(event);
    if (Math.hypot(x - this.pressed.x, y - this.pressed.y) >= CLICK_PX) this.pressed.moved = true;
  }

  released(event) {
    this.dragged(event);
    const start = this.pressed;
    this.pressed = null;
    if (start && !start.moved && event.button === 0) this.hooks.onLoad?.(this.meant(this.pixelOf(event)));
  }

  keyed(event) {
    if (!this.range || event.target !== this.element || event.altKey || event.ctrlKey || event.metaKey) return;
    const step = KEY_STEP * (this.range.x[1] - this.range.x[0]) * (event.shiftKey ? 0.2 : 1);
    const moves = { ArrowLeft: [-step, 0], ArrowRight: [step, 0], ArrowUp: [0, step], ArrowDown: [0, -step] };
    if (moves[event.key]) this.moveCrosshair(...moves[event.key]);
    else if (event.key === "Enter" && this.crosshairPlace) this.hooks.onLoad?.(this.crosshairPlace);
    else if (event.key === "Escape") this.leaveCrosshair();
    else return;
    event.preventDefault();
  }

  moveCrosshair(dx, dy) {
    const middle = { x: (this.range.x[0] + this.range.x[1]) / 2, y: (this.range.y[0] + this.range.y[1]) / 2 };
    const from = this.crosshairPlace ?? this.markerPlace ?? middle;
    const within = (value, [low, high]) => Math.min(high, Math.max(low, value));
    this.crosshairPlace = { x: within(from.x + dx, this.range.x), y: within(from.y + dy, this.range.y) };
    this.put(this.crosshair, this.crosshairPlace);
    this.hooks.onPeek?.(this.crosshairPlace, this.toPixel(this.crosshairPlace));
  }

  leaveCrosshair() {
    if (!this.crosshairPlace) return;
    this.crosshairPlace = null;
    this.crosshair.hidden = true;
    this.hooks.onLeave?.();
  }
}

function contourTraces({ x, y, density, levels }, colour) {
  const rows = Array.from(y, (_, i) => Array.from(density.subarray(i * x.length, (i + 1) * x.length)));
  return levels.map(([share, level]) => ({
    type: "contour",
    x: Array.from(x),
    y: Array.from(y),
    z: rows,
    contours: { type: "constraint", operation: "=", value: level },
    line: { color: colour, width: 1.2 },
    opacity: 1 - 0.7 * share,
    fillcolor: "rgba(0,0,0,0)",
    showlegend: false,
    showscale: false,
    hoverinfo: "skip",
    name: `${100 * share}%`,
  }));
}
