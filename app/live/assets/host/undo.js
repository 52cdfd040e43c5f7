// Undo and redo of the code: two buttons and their keys.

import { el } from "../ui/dom.js";
import { historyOf } from "./history.js";

const TYPED_INTO = "input[type=text], input[type=search], input[type=number]"; // where the keys undo what was typed

export class Undo {
  /** @param {(direction: number) => void} onStep called when somebody wants to go back (-1) or on again (1) */
  constructor(onStep) {
    this.onStep = onStep;
    this.undoButton = el(
      "button",
      { class: "action", title: "Back to the code before (Ctrl+Z)", onclick: () => onStep(-1) },
      "Undo",
    );
    this.redoButton = el(
      "button",
      { class: "action", title: "Forth again (Ctrl+Y)", onclick: () => onStep(1) },
      "Redo",
    );
  }

  /** @param {{digest: string}} model */
  switchModel({ digest }) {
    this.history = historyOf(digest);
  }

  /**
   * Note a settled code.
   * @param {Float32Array} z
   */
  remember(z) {
    this.history.remember(z);
    this.undoButton.disabled = !this.history.canUndo;
    this.redoButton.disabled = !this.history.canRedo;
  }

  /**
   * The code one step on from `z`, which may not have been noted yet.
   * @param {number} direction
   * @param {Float32Array} z
   */
  step(direction, z) {
    this.remember(z);
    return Float32Array.from(this.history.step(direction));
  }

  /** @param {KeyboardEvent} event */
  keyed(event) {
    const [target] = /** @type {Element[]} */ (event.composedPath());
    if (!(event.ctrlKey || event.metaKey) || target.matches?.(TYPED_INTO)) return;
    const direction = { z: event.shiftKey ? 1 : -1, y: 1 }[event.key.toLowerCase()];
    if (!direction) return;
    event.preventDefault();
    this.onStep(direction);
  }
}
