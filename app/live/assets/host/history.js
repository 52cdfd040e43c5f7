// Undo and redo of the code, for each model; it outlives a visit to another page.

const MOST = 200; // codes that can be gone back to

const histories = new Map(); // model digest -> History

class History {
  constructor() {
    this.codes = [];
    this.at = -1;
  }

  /** Note a settled code; what had been undone is forgotten. */
  remember(z) {
    const now = this.codes[this.at];
    if (now && now.every((value, i) => value === z[i])) return;
    this.codes = [...this.codes.slice(0, this.at + 1), Float32Array.from(z)].slice(-MOST);
    this.at = this.codes.length - 1;
  }

  get canUndo() {
    return this.at > 0;
  }

  get canRedo() {
    return this.at < this.codes.length - 1;
  }

  /** The code one step back (-1) or forth (1). */
  step(direction) {
    this.at = Math.min(this.codes.length - 1, Math.max(0, this.at + direction));
    return this.codes[this.at];
  }
}

/** The history of a model. */
export function historyOf(digest) {
  if (!histories.has(digest)) histories.set(digest, new History());
  return histories.get(digest);
}
