// What a person laid out for a model stays in the browser: a reload, or a server that was restarted, costs no names,
// groups or directions. A model that was trained anew has another digest and starts afresh.

const KEY = "vae-explorer desk 1 "; // with another number when what is kept is written in another way
const PARTS = ["names", "groups", "directions", "locked"];

/** Keep a packed desk for the next visit; a browser that keeps nothing is left alone. */
export function keepDesk(digest, desk) {
  const kept = Object.fromEntries(PARTS.map((part) => [part, desk[part]]));
  try {
    if (isBlank(desk)) localStorage.removeItem(KEY + digest);
    else localStorage.setItem(KEY + digest, JSON.stringify(kept));
  } catch {
    // it is full, or not allowed
  }
}

/**
 * The packed desk with what was kept, where Python knows of nothing: it knows each visit alone.
 * @param {object} desk as Python gives it
 * @returns {object}
 */
export function restoredDesk(digest, desk) {
  try {
    const kept = isBlank(desk) && JSON.parse(localStorage.getItem(KEY + digest));
    return kept ? { ...desk, ...kept } : desk;
  } catch {
    return desk;
  }
}

function isBlank(desk) {
  return PARTS.every((part) => Object.keys(desk[part]).length === 0);
}
