// The images that a model was trained on, as points under those of its map.

import { bytesOf, floatsOf, halvesOf, wholeOf } from "../ui/base64.js";

/**
 * @typedef {import("../engine/payloads.js").View} View
 * @typedef {import("../engine/source.js").Layer} Layer
 * @typedef {import("../map/backdrop.js").BackdropLayer} BackdropLayer
 */

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

  /**
   * The code of an image.
   * @param {number} image
   */
  codeOf(image) {
    return this.codes.slice(image * this.latentDim, (image + 1) * this.latentDim);
  }

  /**
   * Layers under those of LatentMap (see its setUnder): coloured as the map's own ones where training images have such a
   * value. On a map that was fitted anew they have no places.
   * @param {{view: View, refit: object | null}} map that is shown
   * @param {Layer[]} own the map's own
   * @returns {BackdropLayer[]}
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

  /** @param {string} legendgroup */
  ofClass(legendgroup) {
    return this.all().filter((image) => this.labels[image] === Number(legendgroup));
  }

  /**
   * One layer for each of some shades, which lie evenly on the scale.
   * @param {Float32Array} places
   * @param {Float32Array} values
   * @param {{colorscale: [number, string][], cmin: number, cmax: number}} scale
   */
  shaded(places, values, { colorscale, cmin, cmax }) {
    /** @param {number} value */
    const shadeOf = (value) =>
      Math.min(SHADES - 1, Math.max(0, Math.floor((SHADES * (value - cmin)) / (cmax - cmin || 1))));
    /** @type {number[][]} */
    const members = Array.from({ length: SHADES }, () => []);
    values.forEach((value, image) => members[shadeOf(value)].push(image));
    return members.map((images, shade) =>
      this.layer(places, Int32Array.from(images), colourAt(colorscale, (shade + 0.5) / SHADES)),
    );
  }

  /**
   * @param {Float32Array} places
   * @param {Int32Array} images
   * @param {string} colour
   * @param {string} [legendgroup]
   * @returns {BackdropLayer}
   */
  layer(places, images, colour, legendgroup) {
    /** @param {0 | 1} offset */
    const axis = (offset) => Float32Array.from(images, (image) => places[2 * image + offset]);
    return { x: axis(0), y: axis(1), indices: images.map((image) => -1 - image), colour, legendgroup };
  }

  /**
   * x and y of each image.
   * @param {View} view
   */
  placesOn({ projection, x, y }) {
    if (projection !== "axes") return this.maps[projection];
    const [across, up] = [this.dimension(x), x === y ? new Float32Array(this.length) : this.dimension(y)];
    return Float32Array.from({ length: 2 * this.length }, (_, i) => (i % 2 ? up : across)[i >> 1]);
  }

  /** @param {number} index */
  dimension(index) {
    return Float32Array.from(this.labels, (_, image) => this.codes[image * this.latentDim + index]);
  }

  /**
   * The values that colour images; null where only reference images have them.
   * @param {string} colour
   */
  valuesOf(colour) {
    if (colour === "norm") return Float32Array.from(this.labels, (_, image) => Math.hypot(...this.codeOf(image)));
    return /^\d+$/.test(colour) ? this.dimension(Number(colour)) : null;
  }
}

/**
 * The colour of a scale's stop that lies nearest to a share of it.
 * @param {[number, string][]} scale Plotly's: [share, colour]
 * @param {number} share
 */
function colourAt(scale, share) {
  return scale.reduce((best, stop) => (Math.abs(stop[0] - share) < Math.abs(best[0] - share) ? stop : best))[1];
}
