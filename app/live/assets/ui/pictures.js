// A person's own pictures: adding them (button, drop, examples), and the strip of the chosen one.

import { base64OfFile } from "./base64.js";
import { el, renew } from "./dom.js";

const MEBIBYTE = 2 ** 20;

/**
 * @typedef {{id: string, name: string, image: string}} OwnPicture the image is a PNG in base64
 * @typedef {{name: string, image: string}} Example
 * @typedef {{parts: {caption: string, image: string}[], lines: string[], about: string}} Strip
 * @typedef {{name: string, content: string}} SentFile content in base64
 */

/**
 * @typedef {object} PictureHooks
 * @property {(files: SentFile[]) => void} onAdd
 * @property {(index: number) => void} onExample
 * @property {(id: string) => void} onChoose
 * @property {(id: string) => void} onRemove
 * @property {(text: string) => void} onProblem
 * @property {{pictureBytes: number, picturesBytes: number}} limits of one picture, and of those added in one go
 * @property {string} [verb] what choosing a picture does
 */

/** @param {PictureHooks} hooks */
export function mountPictures(hooks) {
  const chooser = el("input", {
    type: "file",
    accept: "image/*",
    multiple: true,
    "aria-label": "Add pictures",
    hidden: true,
  });
  const add = el("button", { class: "action primary", onclick: () => chooser.click() }, "Add pictures");
  const examples = el("span", { class: "examples" });
  const chips = el("div", { class: "chips" });
  const strip = el("div", { class: "strip" });
  const or = el("span", { class: "or" });
  const head = el("div", { class: "add" }, add, chooser, or, examples);
  const element = el("div", { class: "pictures" }, head, chips, strip);
  /** @param {Iterable<File>} list */
  const take = async (list) => {
    hooks.onProblem(""); // what was wrong with others before
    const files = await readFiles([...list], hooks);
    if (files.length) hooks.onAdd(files);
  };
  chooser.addEventListener("change", async () => {
    await take(chooser.files ?? []);
    chooser.value = "";
  });
  return {
    element,
    /** @param {HTMLElement} area */
    acceptDrops: (area) => acceptDrops(area, take),
    /** @param {{examples: Example[], pictures: OwnPicture[], chosen: string | null, strip: Strip | null}} data */
    update: (data) => {
      const { examples: tries, pictures, chosen } = data;
      or.textContent = tries.length ? "drop them here, or try" : "or drop them here";
      renew(examples, tries, () => tries.map((example, i) => exampleButton(example, i, hooks)));
      renew(chips, [pictures, chosen], () => pictures.map((picture) => chip(picture, chosen, hooks)));
      renew(strip, data.strip, () => stripParts(data.strip));
    },
  };
}

/**
 * @param {Example} example
 * @param {number} index
 * @param {PictureHooks} hooks
 */
function exampleButton({ name, image }, index, { onExample }) {
  const label = `Try a real handwritten ${name}`;
  return el(
    "button",
    { class: "thumb", title: label, "aria-label": label, onclick: () => onExample(index) },
    picture(image, ""),
  );
}

/**
 * @param {OwnPicture} own
 * @param {string | null} chosen
 * @param {PictureHooks} hooks
 */
function chip({ id, name, image }, chosen, { onChoose, onRemove, verb = "Load" }) {
  const label = `${verb} ${name}`;
  const load = el("button", { class: "thumb", title: label, "aria-label": label, onclick: () => onChoose(id) });
  load.append(picture(image, ""));
  const remove = el(
    "button",
    { class: "remove", title: `Remove ${name}`, "aria-label": `Remove ${name}`, onclick: () => onRemove(id) },
    "×",
  );
  return el("span", { class: "chip", "data-chosen": id === chosen }, load, remove);
}

/** @param {Strip | null} strip */
function stripParts(strip) {
  if (!strip) return [];
  const parts = strip.parts.map(({ caption, image }) =>
    el("figure", {}, picture(image, caption), el("figcaption", {}, caption)),
  );
  return [...parts, el("p", { class: "nats", title: strip.about }, ...strip.lines.map((line) => el("span", {}, line)))];
}

/**
 * @param {string} base64
 * @param {string} alt
 */
function picture(base64, alt) {
  return el("img", { src: `data:image/png;base64,${base64}`, alt });
}

/**
 * @param {HTMLElement} area
 * @param {(files: Iterable<File>) => void} take
 */
function acceptDrops(area, take) {
  /** @param {DragEvent} event */
  const carriesFiles = (event) => event.dataTransfer?.types.includes("Files");
  area.addEventListener("dragover", (event) => {
    if (!carriesFiles(event)) return;
    event.preventDefault();
    area.dataset.dropping = "";
  });
  area.addEventListener("dragleave", (event) => {
    if (!area.contains(/** @type {Node | null} */ (event.relatedTarget))) delete area.dataset.dropping;
  });
  area.addEventListener("drop", (event) => {
    delete area.dataset.dropping;
    if (!carriesFiles(event)) return;
    event.preventDefault();
    take(event.dataTransfer?.files ?? []);
  });
}

/**
 * @param {File[]} list
 * @param {PictureHooks} hooks
 */
async function readFiles(list, { limits, onProblem }) {
  const most = limits.pictureBytes;
  const large = list.find((file) => file.size > most);
  if (large) {
    const allowed = `a picture may have ${mebibytes(most)}. Make it smaller.`;
    onProblem(`${large.name} has ${mebibytes(large.size)} MiB; ${allowed}`);
  }
  const fitting = list.filter((file) => file.size <= most);
  if (fitting.reduce((sum, file) => sum + file.size, 0) > limits.picturesBytes) {
    const together = mebibytes(limits.picturesBytes);
    onProblem(`Those pictures have more than ${together} MiB together; add them in smaller groups.`);
    return [];
  }
  return (await Promise.all(fitting.map((file) => readFile(file, onProblem)))).flat();
}

/** @param {number} bytes */
function mebibytes(bytes) {
  return (bytes / MEBIBYTE).toFixed(0);
}

/**
 * The file in a list; an empty one where it cannot be read, as a folder cannot.
 * @param {File} file
 * @param {(text: string) => void} onProblem
 * @returns {Promise<SentFile[]>}
 */
async function readFile(file, onProblem) {
  try {
    return [{ name: file.name, content: await base64OfFile(file) }];
  } catch {
    onProblem(`${file.name} cannot be read; of a folder choose the pictures that are in it.`);
    return [];
  }
}
