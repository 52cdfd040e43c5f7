// Some members of a group as one picture, of which one can be picked with the mouse or with the keyboard.

import { el } from "./dom.js";

/**
 * The picture, and over it a frame that arrow keys move from member to member.
 * @param {{montage: string, members: number[], columns: number}} group the montage is a PNG in base64
 * @param {(index: number) => void} onPick called with the reference image that was clicked, or framed at Enter
 */
export function montageOf({ montage, members, columns }, onPick) {
  const rows = Math.ceil(members.length / columns);
  const image = el("img", {
    class: "montage",
    src: `data:image/png;base64,${montage}`,
    alt: `${members.length} of the group's members`,
    title: "Click one to load it",
  });
  image.addEventListener("click", (event) => {
    const column = Math.floor((event.offsetX / image.clientWidth) * columns);
    const row = Math.floor((event.offsetY / image.clientHeight) * rows);
    const index = members[row * columns + column];
    if (index !== undefined) onPick(index);
  });
  return el("div", { class: "montage-room" }, image, frameOver(members, columns, rows, onPick));
}

/**
 * One stop of the tab key for all members; the mouse goes through it.
 * @param {number[]} members
 * @param {number} columns
 * @param {number} rows
 * @param {(index: number) => void} onPick
 */
function frameOver(members, columns, rows, onPick) {
  let at = 0;
  const frame = el("button", { class: "montage-frame", onclick: () => onPick(members[at]) });
  /** @param {number} place */
  const moveTo = (place) => {
    if (place < 0 || place >= members.length) return;
    at = place;
    const [left, top] = [(100 * (at % columns)) / columns, (100 * Math.floor(at / columns)) / rows];
    Object.assign(frame.style, {
      left: `${left}%`,
      top: `${top}%`,
      width: `${100 / columns}%`,
      height: `${100 / rows}%`,
    });
    frame.setAttribute("aria-label", `Load member ${at + 1} of ${members.length}; arrow keys go to others`);
  };
  frame.addEventListener("keydown", (event) => {
    /** @type {Record<string, number>} */
    const steps = { ArrowLeft: -1, ArrowRight: 1, ArrowUp: -columns, ArrowDown: columns };
    const step = steps[event.key];
    if (!step) return;
    event.preventDefault();
    moveTo(at + step);
  });
  moveTo(0);
  return frame;
}
