// A link that restores a view (app/link.py reads it).

const MOST_SELECTED = 300; // beyond these a selection makes a link too long to send

/** The address of a page that shows this model, map, code and selection. */
export function linkTo({ model, view, z, selection }) {
  const { projection, x, y, colour } = view;
  const rounded = Array.from(z, (value) => Number(value.toFixed(3)));
  const chosen = selection.length <= MOST_SELECTED ? selection : [];
  const text = JSON.stringify({ projection, x, y, colour, z: rounded, selection: chosen });
  const url = new URL(location.href);
  url.search = new URLSearchParams({ model, view: btoa(text).replaceAll("+", "-").replaceAll("/", "_").replaceAll("=", "") });
  return url.href;
}

/** Copy a text; resolves to whether the browser allowed it. */
export async function copy(text) {
  try {
    await navigator.clipboard.writeText(text);
    return true;
  } catch {
    return false;
  }
}
