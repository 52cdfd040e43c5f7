// Links that restore a view (app/session/links.py reads them).

import { base64Of } from "../ui/base64.js";

export const MOST_SELECTED = 300; // beyond these a selection makes a link too long to send
const LONGEST = 8000; // letters of a view, as app/session/links.py takes
const LONGEST_NAME = 40; // letters of a keyframe's name in a link
const FEWEST = 2; // keyframes
const FINEST = 0.001; // step of a keyframe's code
const LARGEST = 32_767; // steps, which take two bytes

/** The address of a page that shows this model, map, code and selection; by its digests it knows the model again. */
export function exploreLink({ model, view, z, selection }) {
  const { projection, x, y, colour } = view;
  const rounded = Array.from(z, (value) => Number(value.toFixed(3)));
  const chosen = selection.length <= MOST_SELECTED ? selection : [];
  const images = chosen.length ? { selection: chosen, reference: model.referenceDigest } : {};
  return address(model.name, textOf({ projection, x, y, colour, z: rounded, digest: model.digest, ...images }));
}

/**
 * The address of Interpolate with this model, map, keyframes and way of playing. Of keyframes that make it too long to
 * send the last ones are left out.
 * @param {object} shown
 * @param {{name: string, digest: string}} shown.model
 * @param {{projection: string, x: number, y: number, colour: string}} shown.view
 * @param {{name: string}[]} shown.keyframes
 * @param {ArrayLike<number>[]} shown.codes of the keyframes
 * @param {object} shown.animation how they are played
 * @returns {{link: string, kept: number}} the address, and how many keyframes it holds
 */
export function interpolateLink({ model, view, keyframes, codes, animation }) {
  const { projection, x, y, colour } = view;
  const shared = { digest: model.digest, projection, x, y, colour, animation };
  const names = keyframes.map(({ name }) => [...name].slice(0, LONGEST_NAME).join(""));
  for (let kept = names.length; ; kept = kept > FEWEST ? kept - 1 : 0) {
    const text = textOf({ ...shared, names: names.slice(0, kept), ...packed(codes.slice(0, kept)) });
    if (text.length <= LONGEST || !kept) return { link: address(model.name, text), kept };
  }
}

/** What a link leaves out, as a sentence; empty when it holds all keyframes. */
export function leftOut(kept, all) {
  if (kept === all) return "";
  return kept
    ? `It holds the first ${kept} of ${all} keyframes: more would make it too long to send.`
    : "It holds no keyframes: their codes would make it too long to send.";
}

/** Copy a text; resolves to whether the browser allowed it. */
export async function copy(text) {
  try {
    await navigator.clipboard.writeText(text);
    return true;
  } catch {
    return copyTheOldWay(text);
  }
}

/** Browsers offer the clipboard's own interface to pages of https and of this machine alone. */
function copyTheOldWay(text) {
  const area = document.createElement("textarea");
  area.value = text;
  area.style.cssText = "position: fixed; opacity: 0";
  const focused = document.activeElement?.shadowRoot?.activeElement ?? document.activeElement;
  document.body.append(area);
  area.select();
  const copied = document.execCommand("copy");
  area.remove();
  focused?.focus({ preventScroll: true });
  return copied;
}

function address(model, view) {
  const url = new URL(location.href);
  url.search = new URLSearchParams({ model, view });
  url.hash = "";
  return url.href;
}

/** JSON as base64 in the alphabet of addresses, without padding. */
function textOf(view) {
  return base64Of(new TextEncoder().encode(JSON.stringify(view)))
    .replaceAll("+", "-")
    .replaceAll("/", "_")
    .replaceAll("=", "");
}

/** Codes as whole steps; those beyond what two bytes take have larger steps. */
function packed(codes) {
  const values = codes.flatMap((code) => Array.from(code));
  const step = values.reduce((most, value) => Math.max(most, Math.abs(value) / LARGEST), FINEST);
  return { step, codes: base64Of(new Uint8Array(Int16Array.from(values, (value) => Math.round(value / step)).buffer)) };
}
