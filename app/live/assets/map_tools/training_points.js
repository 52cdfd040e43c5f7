// The images that a model was trained on, as points under those of its map.

import { bytesOf, floatsOf, halvesOf, wholeOf } from "../ui/base64.js";

const SHADES = 24; // of a scale of colours
const NEUTRAL = "#94a4a2"; // of values that only reference images have; shows on light and dark ground

export class TrainingPoints {
  /**
   * @param {{umap: string, pca: string, labels: string, codes: string, trained: string}} packed
   *   what the job of the question "training" made (app/queries/map_jobs.py)
   * @param {number} latentDim
   */
  constructor({ umap, pca, labels, codes, trained }, latentDim) {
    this.latentDim = latentDim;
    this.maps = { umap: floatsOf(umap), pca: floatsOf(pca) }; // x and y of each image
    this.labels = wholeOf(labels);
    this.codes = halvesOf(codes);
    this.trained = bytesOf(trained); // 0 for an image by which weights were chosen, not fitted
  }

  get length() {
    return this.labels.length;
  }

  /** The code of an image. */
  codeOf(image) {
    return this.codes.slice(image * this.latentDim, (image + 1) * this.latentDim);
  }

  /**
   * Layers under those of LatentMap (see its setUnder): coloured as the map's own ones where training images have such a value. On a map
   * that was fitted anew they have no places.
   * @returns {import("../map/backdrop.js").BackdropLayer[]}
   */
  layersFor({ view, refit }, own) {
    if (refit) return [];
    const places = this.placesOn(view);
    const { colour } = view;
    if (colour === "label")
      return own.map(({ trace: { legendgroup, marker } }) =>
        this.layer(places, this.ofClass(legendgroup), marker.color, legendgroup),
      );
    const values = this.valuesOf(colour);
    return values ? this.shaded(places, values, own[0].trace.marker) : [this.layer(places, this.all(), NEUTRAL)];
  }

  all() {
    return Int32Array.from(this.labels.keys());
  }

  ofClass(legendgroup) {
    return this.all().filter((image) => this.labels[image] === Number(legendgroup));
  }

  /** One layer for each of some shades, which lie evenly on the scale. */
  shaded(places, values, { colorscale, cmin, cmax }) {
    const shadeOf = (value) =>
      Math.min(SHADES - 1, Math.max(0, Math.floor((SHADES * (value - cmin)) / (cmax - cmin || 1))));
    const members = Array.from({ length: SHADES }, () => []);
    values.forEach((value, image) => members[shadeOf(value)].push(image));
    return members.map((images, shade) =>
      this.layer(places, Int32Array.from(images), colourAt(colorscale, (shade + 0.5) / SHADES)),
    );
  }

  layer(places, images, colour, legendgroup) {
    const axis = (offset) => Float32Array.from(images, (image) => places[2 * image + offset]);
    return { x: axis(0), y: axis(1), indices: images.map((image) => -1 - image), colour, legendgroup };
  }

  /** x and y of each image. */
  placesOn({ projection, x, y }) {
    if (projection !== "axes") return this.maps[projection];
    const [across, up] = [this.dimension(x), x === y ? new Float32Array(this.length) : this.dimension(y)];
    return Float32Array.from({ length: 2 * this.length }, (_, i) => (i % 2 ? up : across)[i >> 1]);
  }

  dimension(index) {
    return Float32Array.from(this.labels, (_, image) => this.codes[image * this.latentDim + index]);
  }

  /** The values that colour images; null where only reference images have them. */
  valuesOf(colour) {
    if (colour === "norm") return Float32Array.from(this.labels, (_, image) => Math.hypot(...this.codeOf(image)));
    return /^\d+$/.test(colour) ? this.dimension(Number(colour)) : null;
  }
}

/** The colour of a scale's stop that lies nearest to a share of it; Plotly's scales are lists of [share, colour]. */
function colourAt(scale, share) {
  return scale.reduce((best, stop) => (Math.abs(stop[0] - share) < Math.abs(best[0] - share) ? stop : best))[1];
}
