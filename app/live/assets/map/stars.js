// A person's own pictures as stars on a map.

import { el } from "../ui/dom.js";

/** The stars of a person's pictures on the map that is shown, for MapMarks.setStars. */
export function starsOf(pictures, view, chosenId) {
  return pictures.map(({ id, name, mean, places }) => {
    const [x, y] = places[view.projection] ?? [mean[view.x], mean[view.y]];
    return { id, name, place: { x, y }, chosen: id === chosenId };
  });
}

/** The button that stands for one; see MapMarks.setStars. */
export function starButton({ id, name, place, chosen }, { verb, onPick, onShow, onHide }) {
  const label = `${verb} ${name}`;
  const node = el("button", {
    class: "star",
    title: onShow ? null : label,
    "aria-label": label,
    "data-chosen": chosen,
  });
  node.append("★");
  node.addEventListener("click", () => onPick(id));
  for (const type of ["pointerenter", "focus"]) node.addEventListener(type, () => onShow?.(id, place));
  for (const type of ["pointerleave", "blur"]) node.addEventListener(type, () => onHide?.());
  return node;
}
