// The images that a model was trained on, as points under those of its map.

import { bytesOf, floatsOf, halvesOf, wholeOf } from "./packing.js";

const SIZE = 2.5; // pixels; the reference images, which can be selected, stand out
const OPACITY = 0.35;
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
   * Layers for LatentMap.setBackdrop: coloured as the map's own ones where training images have such a value. On a map
   * that was fitted anew they have no places.
   */
  layersFor({ view, refit }, own) {
    if (refit) return [];
    const places = this.placesOn(view);
    const style = { size: SIZE, opacity: OPACITY };
    if (view.colour === "label") return own.map(({ trace }) => this.classLayer(trace, places, style));
    const values = this.valuesOf(view.colour);
    const { colorscale, cmin, cmax } = own[0].trace.marker;
    const marker = values ? { ...style, color: values, colorscale, cmin, cmax, showscale: false } : { ...style, color: NEUTRAL };
    return [layer(places, Int32Array.from(this.labels.keys()), { marker, uid: "training" })];
  }

  classLayer({ legendgroup, visible, marker }, places, style) {
    const members = Int32Array.from([...this.labels.keys()].filter((image) => this.labels[image] === Number(legendgroup)));
    return layer(places, members, { marker: { ...style, color: marker.color }, legendgroup, visible, uid: `training-${legendgroup}` });
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

function layer(places, images, style) {
  const axis = (offset) => Float32Array.from(images, (image) => places[2 * image + offset]);
  const trace = { type: "scattergl", mode: "markers", hoverinfo: "none", showlegend: false, x: axis(0), y: axis(1), ...style };
  return { trace, indices: images.map((image) => -1 - image) };
}
