// What the forms of several panels are made of, and how their fields are read.

import { el, renew } from "./dom.js";
import { parsed } from "./text.js";

/** @typedef {[string | number, string]} Option of a select: value and text */

/**
 * A small button.
 * @param {string} text
 * @param {string} title
 * @param {(event: Event) => void} act
 */
export function button(text, title, act) {
  return el("button", { class: "action small", title, onclick: act }, text);
}

/**
 * A field with its name before it.
 * @param {string} text
 * @param {HTMLElement} node
 */
export function labelled(text, node) {
  return el("label", {}, el("span", { class: "faint" }, text), node);
}

/**
 * A select by its name for screen readers.
 * @param {string} label
 * @param {Option[]} options as of `fill`
 * @param {Record<string, any>} attributes
 */
export function select(label, options = [], attributes = {}) {
  const node = el("select", { "aria-label": label, ...attributes });
  fill(node, options);
  return node;
}

/**
 * Give a select its options and keep what was chosen, under its new name where only that has changed; else choose the
 * one at a place.
 * @param {HTMLSelectElement} node
 * @param {Option[]} options each value once
 * @param {number} at
 */
export function fill(node, options, at = 0) {
  const before = Array.from(node.options, ({ value }) => value);
  const values = options.map(([value]) => String(value));
  const renamed = values.length === before.length ? values[node.selectedIndex] : undefined;
  const isNew = renamed !== undefined && !before.includes(renamed);
  const chosen = [node.value, ...(isNew ? [renamed] : [])].find((value) => values.includes(value));
  renew(node, options, () => options.map(([value, text]) => el("option", { value }, text)));
  node.value = chosen ?? values[Math.min(at, values.length - 1)] ?? "";
}

/**
 * A field for a whole number; see `whole`.
 * @param {string} label
 * @param {Record<string, any>} attributes
 */
export function wholeField(label, attributes) {
  return el("input", { class: "number", type: "number", step: 1, "aria-label": label, ...attributes });
}

/**
 * The whole number of a field, within its bounds, as the field shows it from then on; another one where it holds none.
 * @param {HTMLInputElement} field
 * @param {number} otherwise
 */
export function whole(field, otherwise) {
  const typed = Math.round(parsed(field.value));
  const value = Math.min(Number(field.max), Math.max(Number(field.min), Number.isNaN(typed) ? otherwise : typed));
  if (Number(field.value) !== value) field.value = String(value);
  return value;
}
