// Lasso and box on a map: which reference images were drawn around, and how they are shown.

export class MapSelection {
  /** @param {import("./latent_map.js").LatentMap} map */
  constructor(map) {
    this.map = map;
    this.tidying = 0; // changes of our own under way
    this.chosen = null; // Set of reference images; null when nothing is selected
  }

  listen() {
    this.map.plot.on("plotly_selected", (event) => this.tidying || (event && this.drawn(event.points)));
    this.map.plot.on("plotly_deselect", () => this.tidying || this.clear());
  }

  drawn(points) {
    const chosen = points.map(({ curveNumber, pointNumber }) => this.map.layers[curveNumber].indices[pointNumber]);
    this.map.hooks.onSelect(chosen.sort((a, b) => a - b));
    this.removeOutline();
  }

  /** The outline has done its work: what is selected stands out by itself. */
  removeOutline() {
    this.quietly(() => this.map.Plotly.relayout(this.map.plot, { selections: [] }));
  }

  /** Plotly calls changes of our own a selection of nothing, or a deselection. */
  quietly(change) {
    this.tidying++;
    const done = () => this.tidying--;
    change().then(done, done);
  }

  clear() {
    if (this.chosen) this.map.hooks.onSelect([]);
  }

  /** Show some as selected and fade the others; none fades nothing. What is asked about them leaves first. */
  show(indices) {
    this.chosen = indices.length ? new Set(indices) : null;
    cancelAnimationFrame(this.soon);
    this.soon = requestAnimationFrame(() => this.restyle());
  }

  restyle() {
    const { Plotly, plot, layers, backdrop } = this.map;
    backdrop.element.dataset.faint = String(this.chosen !== null);
    if (!layers.length) return;
    const selectedpoints = layers.map((layer) => this.pointsOf(layer));
    this.quietly(() => Plotly.restyle(plot, { selectedpoints }, [...layers.keys()]));
  }

  /** Give layers that are about to be drawn their selected points. */
  dress(layers) {
    for (const layer of layers) layer.trace.selectedpoints = this.pointsOf(layer) ?? undefined;
  }

  /** The points of a layer that are selected; null where nothing is. */
  pointsOf({ indices }) {
    if (!this.chosen) return null;
    const own = [];
    indices.forEach((index, i) => this.chosen.has(index) && own.push(i));
    return own;
  }
}
