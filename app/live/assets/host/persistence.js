// What a person laid out for a model stays in the browser: a reload, or a server that was restarted, costs no names,
// groups or directions. A model that was trained anew has another digest and starts afresh; groups are of a reference
// set's images, so of one that was evaluated anew they are left out.

/** @typedef {import("../engine/payloads.js").Desk<string>} Desk */
/** @typedef {{digest: string, referenceDigest: string}} Identity of a model */

const KEY = "vae-explorer desk 1 "; // with another number when what is kept is written in another way
const PARTS = ["names", "groups", "directions", "locked"];

/**
 * Keep a packed desk for the next visit; a browser that keeps nothing is left alone.
 * @param {Identity} model
 * @param {Desk} desk
 */
export function keepDesk({ digest, referenceDigest }, desk) {
  const kept = { ...Object.fromEntries(PARTS.map((part) => [part, desk[part]])), reference: referenceDigest };
  try {
    if (isBlank(desk)) localStorage.removeItem(KEY + digest);
    else localStorage.setItem(KEY + digest, JSON.stringify(kept));
  } catch {
    // it is full, or not allowed
  }
}

/**
 * The packed desk with what was kept, where Python knows of nothing: it knows each visit alone.
 * @param {Identity} model
 * @param {Desk} desk as Python gives it
 * @returns {Desk}
 */
export function restoredDesk({ digest, referenceDigest }, desk) {
  try {
    const { reference, ...kept } = (isBlank(desk) && JSON.parse(localStorage.getItem(KEY + digest))) || {};
    if (reference !== referenceDigest) delete kept.groups;
    return Object.keys(kept).length ? { ...desk, ...kept } : desk;
  } catch {
    return desk;
  }
}

/** @param {Desk} desk */
function isBlank(desk) {
  return PARTS.every((part) => Object.keys(desk[part]).length === 0);
}
