// Pictures that were decoded before: what stays of a path when a keyframe comes or goes is not asked for again.

/** @typedef {import("./paths.js").Track} Track */
/** @typedef {{track: Track, bits: Uint32Array, index: number}} Known */

export class FrameCache {
  /**
   * @param {Iterable<Track>} tracks from which pictures are taken
   * @param {number} latentDim
   */
  constructor(tracks, latentDim) {
    this.latentDim = latentDim;
    /** @type {Map<number, Known>} */
    this.found = new Map(); // by the hash of a code
    for (const track of tracks) {
      const bits = bitsOf(track.codes);
      track.frames.forEach((_, index) => this.found.set(hash(bits, index, latentDim), { track, bits, index }));
    }
  }

  /**
   * Give a new track the pictures and places that its codes have had.
   * @param {Track} track
   */
  fill(track) {
    const bits = bitsOf(track.codes);
    for (let index = 0; index < track.frames.length; index++) {
      const known = this.found.get(hash(bits, index, this.latentDim));
      if (!known || !this.isSame(bits, index, known)) continue;
      // A copy: a view would keep the whole answer in memory of which it is a part.
      track.frames[index] = known.track.frames[known.index].slice();
      track.places[index] = known.track.places[known.index];
    }
  }

  /**
   * @param {Uint32Array} bits
   * @param {number} index
   * @param {Known} known
   */
  isSame(bits, index, known) {
    for (let i = 0; i < this.latentDim; i++) {
      if (bits[index * this.latentDim + i] !== known.bits[known.index * this.latentDim + i]) return false;
    }
    return true;
  }
}

/** @param {Float32Array} codes */
function bitsOf(codes) {
  return new Uint32Array(codes.buffer, codes.byteOffset, codes.length);
}

/**
 * FNV-1a over a code's words.
 * @param {Uint32Array} bits
 * @param {number} index
 * @param {number} latentDim
 */
function hash(bits, index, latentDim) {
  let value = 0x811c9dc5;
  for (let i = index * latentDim; i < (index + 1) * latentDim; i++) value = Math.imul(value ^ bits[i], 0x01000193);
  return value ^ (value >>> 15);
}
