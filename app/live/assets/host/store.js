// What the person laid out for a model: groups, directions, names, locks. The page owns it; Python keeps it.

import { base64OfMembers, membersOf } from "../ui/base64.js";

const SETTLE_MS = 400; // what is typed or clicked in a row is reported once

/**
 * @template Members
 * @typedef {import("../engine/payloads.js").Desk<Members>} Desk
 */

/** @template {object} State */
export class Store {
  /** @param {(state: State) => void} onReport called with the whole state when it has settled */
  constructor(onReport) {
    this.onReport = onReport;
    /** @type {{parts: string[], onChange: (state: State) => void}[]} */
    this.listeners = [];
    /** @type {State} */
    this.state = /** @type {State} */ ({}); // until it is loaded
    this.soon = null;
  }

  /**
   * Take over what Python kept, after a change of model or a reload.
   * @param {State} state
   */
  load(state) {
    clearTimeout(this.soon);
    this.soon = null;
    this.state = structuredClone(state);
    for (const { onChange } of this.listeners) onChange(this.state);
  }

  /**
   * Hear of changes of some parts, and of every load.
   * @param {string[]} parts keys of the state
   * @param {(state: State) => void} onChange
   */
  on(parts, onChange) {
    this.listeners.push({ parts, onChange });
  }

  /**
   * Change parts of the state: set({ groups: [...] }). A selection that does not say otherwise was drawn on the map.
   * @param {Partial<State>} change
   */
  set(change) {
    Object.assign(this.state, "selection" in change ? { origin: "map", ...change } : change);
    for (const { parts, onChange } of this.listeners) {
      if (parts.some((part) => part in change)) onChange(this.state);
    }
    clearTimeout(this.soon);
    this.soon = setTimeout(() => this.settle(), SETTLE_MS);
  }

  /** Report now what was not reported yet. */
  settle() {
    if (!this.soon) return;
    clearTimeout(this.soon);
    this.soon = null;
    this.onReport(this.state);
  }
}

/**
 * Explore's desk as Python takes and gives it: the members of what may be thousands as bits.
 * @param {Desk<number[]>} desk
 * @returns {Desk<string>}
 */
export function packed(desk) {
  return withMembers(desk, base64OfMembers);
}

/**
 * Explore's desk as the page works with it.
 * @param {Desk<string>} desk
 * @returns {Desk<number[]>}
 */
export function unpacked(desk) {
  return withMembers(desk, membersOf);
}

/**
 * @template From, To
 * @param {Desk<From>} desk
 * @param {(members: From) => To} change
 * @returns {Desk<To>}
 */
function withMembers(desk, change) {
  const groups = desk.groups.map((group) => ({ ...group, indices: change(group.indices) }));
  return { ...desk, selection: change(desk.selection), groups };
}
