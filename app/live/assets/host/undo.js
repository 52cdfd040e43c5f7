// Undo and redo of the code: two buttons and their keys.

import { el } from "../ui/dom.js";
import { historyOf } from "./history.js";

const TYPED_INTO = "input[type=text], input[type=search], input[type=number]"; // where the keys undo what was typed

export class Undo {
  /** @param {(direction: number) => void} onStep called when somebody wants to go back (-1) or forth (1) */
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

  switchModel({ digest }) {
    this.history = historyOf(digest);
  }

  /** Note a settled code. */
  remember(z) {
    this.history.remember(z);
    this.undoButton.disabled = !this.history.canUndo;
    this.redoButton.disabled = !this.history.canRedo;
  }

  /** The code one step on from `z`, which may not have been noted yet. */
  step(direction, z) {
    this.remember(z);
    return Float32Array.from(this.history.step(direction));
  }

  keyed(event) {
    if (!(event.ctrlKey || event.metaKey) || event.composedPath()[0].matches?.(TYPED_INTO)) return;
    const direction = { z: event.shiftKey ? 1 : -1, y: 1 }[event.key.toLowerCase()];
    if (!direction) return;
    event.preventDefault();
    this.onStep(direction);
  }
}
