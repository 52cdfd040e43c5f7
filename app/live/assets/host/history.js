// Undo and redo of the code, for each model; it outlives a visit to another page.

const MOST = 200; // codes that can be gone back to

/** @type {Map<string, History>} */
const histories = new Map(); // by a model's digest

export class History {
  constructor() {
    /** @type {Float32Array[]} */
    this.codes = [];
    this.at = -1;
  }

  /**
   * Note a settled code; what had been undone is forgotten.
   * @param {ArrayLike<number>} z
   */
  remember(z) {
    const now = this.codes[this.at];
    if (now?.every((value, i) => value === z[i])) return;
    this.codes = [...this.codes.slice(0, this.at + 1), Float32Array.from(z)].slice(-MOST);
    this.at = this.codes.length - 1;
  }

  get canUndo() {
    return this.at > 0;
  }

  get canRedo() {
    return this.at < this.codes.length - 1;
  }

  /**
   * The code one step back or on, as far as there is one.
   * @param {number} direction -1 or 1
   */
  step(direction) {
    this.at = Math.min(this.codes.length - 1, Math.max(0, this.at + direction));
    return this.codes[this.at];
  }
}

/**
 * The history of a model.
 * @param {string} digest
 */
export function historyOf(digest) {
  if (!histories.has(digest)) histories.set(digest, new History());
  return histories.get(digest);
}
