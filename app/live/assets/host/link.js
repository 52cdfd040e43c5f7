// Links that restore a view (app/session/links.py reads them).

import { base64Of } from "../ui/base64.js";

export const MOST_SELECTED = 300; // beyond these a selection makes a link too long to send
const FINEST = 0.001; // step of a keyframe's code
const LARGEST = 32_767; // steps, which take two bytes

/** @typedef {import("../engine/payloads.js").View} View */

/**
 * The address of a page that shows this model, map, code and selection; by its digests it knows the model again.
 * @param {object} shown
 * @param {{name: string, digest: string, referenceDigest: string}} shown.model
 * @param {View} shown.view
 * @param {ArrayLike<number>} shown.z
 * @param {number[]} shown.selection
 * @param {string} here the page's present address
 */
export function exploreLink({ model, view, z, selection }, here = location.href) {
  const { projection, x, y, colour } = view;
  const rounded = Array.from(z, (value) => Number(value.toFixed(3)));
  const chosen = selection.length <= MOST_SELECTED ? selection : [];
  const images = chosen.length ? { selection: chosen, reference: model.referenceDigest } : {};
  const text = textOf({ projection, x, y, colour, z: rounded, digest: model.digest, ...images });
  return address(here, model.name, text);
}

/**
 * The address of Interpolate with this model, map, keyframes and way of playing. Of keyframes that make it too long to
 * send the last ones are left out.
 * @param {object} shown
 * @param {{name: string, digest: string}} shown.model
 * @param {View} shown.view
 * @param {{name: string}[]} shown.keyframes
 * @param {ArrayLike<number>[]} shown.codes of the keyframes
 * @param {object} shown.animation how they are played
 * @param {{linkLetters: number, linkName: number, keyframes: number[]}} limits
 * @param {string} here the page's present address
 * @returns {{link: string, kept: number}} the address, and how many keyframes it holds
 */
export function interpolateLink({ model, view, keyframes, codes, animation }, limits, here = location.href) {
  const { projection, x, y, colour } = view;
  const [fewest] = limits.keyframes;
  const shared = { digest: model.digest, projection, x, y, colour, animation };
  const names = keyframes.map(({ name }) => [...name].slice(0, limits.linkName).join(""));
  for (let kept = names.length; ; kept = kept > fewest ? kept - 1 : 0) {
    const text = textOf({ ...shared, names: names.slice(0, kept), ...packed(codes.slice(0, kept)) });
    if (text.length <= limits.linkLetters || !kept) return { link: address(here, model.name, text), kept };
  }
}

/**
 * What a link leaves out, as a sentence; empty when it holds all keyframes.
 * @param {number} kept keyframes that it holds
 * @param {number} all
 */
export function leftOut(kept, all) {
  if (kept === all) return "";
  return kept
    ? `It holds the first ${kept} of ${all} keyframes: more would make it too long to send.`
    : "It holds no keyframes: their codes would make it too long to send.";
}

/**
 * Copy a text; resolves to whether the browser allowed it.
 * @param {string} text
 */
export async function copy(text) {
  try {
    await navigator.clipboard.writeText(text);
    return true;
  } catch {
    return copyTheOldWay(text);
  }
}

/**
 * Browsers offer the clipboard's own interface to pages of https and of this machine alone.
 * @param {string} text
 */
function copyTheOldWay(text) {
  const area = document.createElement("textarea");
  area.value = text;
  area.style.cssText = "position: fixed; opacity: 0";
  const inner = document.activeElement?.shadowRoot?.activeElement ?? document.activeElement;
  const focused = /** @type {HTMLElement | null} */ (inner);
  document.body.append(area);
  area.select();
  const copied = document.execCommand("copy");
  area.remove();
  focused?.focus({ preventScroll: true });
  return copied;
}

/**
 * @param {string} here
 * @param {string} model
 * @param {string} view
 */
function address(here, model, view) {
  const url = new URL(here);
  url.search = String(new URLSearchParams({ model, view }));
  url.hash = "";
  return url.href;
}

/**
 * JSON as base64 in the alphabet of addresses, without padding.
 * @param {object} view
 */
function textOf(view) {
  return base64Of(new TextEncoder().encode(JSON.stringify(view)))
    .replaceAll("+", "-")
    .replaceAll("/", "_")
    .replaceAll("=", "");
}

/**
 * Codes as whole steps; those beyond what two bytes take have larger steps.
 * @param {ArrayLike<number>[]} codes
 */
function packed(codes) {
  const values = codes.flatMap((code) => Array.from(code));
  const step = values.reduce((most, value) => Math.max(most, Math.abs(value) / LARGEST), FINEST);
  return { step, codes: base64Of(new Uint8Array(Int16Array.from(values, (value) => Math.round(value / step)).buffer)) };
}
