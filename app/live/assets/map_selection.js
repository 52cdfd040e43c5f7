// Lasso and box on a map: which reference images were drawn around, and how they are shown.

export class MapSelection {
  /** @param {import("./map.js").LatentMap} map */
  constructor(map) {
    this.map = map;
    this.chosen = null; // Set of reference images; null when nothing is selected
  }

  listen() {
    this.map.plot.on("plotly_selected", (event) => event && this.drawn(event.points));
    this.map.plot.on("plotly_deselect", () => this.tidying || this.clear());
  }

  drawn(points) {
    const offsets = this.offsets();
    const { indices } = this.map.points;
    const chosen = points.map(({ curveNumber, pointNumber }) => indices[offsets[curveNumber] + pointNumber]);
    this.removeOutline();
    this.map.hooks.onSelect(chosen.sort((a, b) => a - b));
  }

  /** The outline has done its work: what is selected stands out by itself. */
  removeOutline() {
    this.tidying = true; // Plotly calls this a deselection
    const done = () => (this.tidying = false);
    this.map.Plotly.relayout(this.map.plot, { selections: [] }).then(done, done);
  }

  /** Where each trace's points begin among all. */
  offsets() {
    const offsets = [];
    let start = 0;
    for (const trace of this.map.pointTraces()) {
      offsets.push(start);
      start += trace.x.length;
    }
    return offsets;
  }

  clear() {
    if (this.chosen) this.map.hooks.onSelect([]);
  }

  /** Show some as selected and fade the others; none fades nothing. */
  show(indices) {
    this.chosen = indices.length ? new Set(indices) : null;
    if (!this.map.Plotly) return;
    const data = this.map.pointTraces();
    const selectedpoints = data.map((_, at) => this.pointsOf(at, data));
    this.map.Plotly.restyle(this.map.plot, { selectedpoints }, data.map((_, at) => at));
  }

  /** Give traces that are about to be drawn their selected points. */
  dress(data) {
    if (!this.chosen) return;
    data.forEach((trace, at) => (trace.selectedpoints = this.pointsOf(at, data)));
  }

  pointsOf(at, data) {
    if (!this.chosen) return null;
    const start = data.slice(0, at).reduce((sum, { x }) => sum + x.length, 0);
    const own = [];
    for (let i = 0; i < data[at].x.length; i++) if (this.chosen.has(this.map.points.indices[start + i])) own.push(i);
    return own;
  }
}
