// A person's own pictures: adding them (button, drop, examples), and the strip of the chosen one.

import { base64OfFile } from "./base64.js";
import { el, renew } from "./dom.js";

const MAX_BYTES = 20 * 2 ** 20; // as vae_core.images.files refuses more
const MAX_TOGETHER = 22 * 2 ** 20; // in one go, as PICTURES_BYTES of app/wire/limits.py

/**
 * @param {object} hooks
 * @param {(files: {name: string, content: string}[]) => void} hooks.onAdd content in base64
 * @param {(index: number) => void} hooks.onExample
 * @param {(id: string) => void} hooks.onChoose
 * @param {(id: string) => void} hooks.onRemove
 * @param {(text: string) => void} hooks.onProblem
 * @param {string} [hooks.verb] what choosing a picture does
 */
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
  const take = async (list) => {
    hooks.onProblem(""); // what was wrong with others before
    const files = await readFiles([...list], hooks.onProblem);
    if (files.length) hooks.onAdd(files);
  };
  chooser.addEventListener("change", () => take(chooser.files).then(() => (chooser.value = "")));
  return {
    element,
    acceptDrops: (area) => acceptDrops(area, take),
    update: (data) => {
      const { examples: tries, pictures, chosen } = data;
      or.textContent = tries.length ? "drop them here, or try" : "or drop them here";
      renew(examples, tries, () => tries.map((example, i) => exampleButton(example, i, hooks)));
      renew(chips, [pictures, chosen], () => pictures.map((picture) => chip(picture, chosen, hooks)));
      renew(strip, data.strip, () => stripParts(data.strip));
    },
  };
}

function exampleButton({ name, image }, index, { onExample }) {
  const label = `Try a real handwritten ${name}`;
  return el(
    "button",
    { class: "thumb", title: label, "aria-label": label, onclick: () => onExample(index) },
    picture(image, ""),
  );
}

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

function stripParts(strip) {
  if (!strip) return [];
  const parts = strip.parts.map(({ caption, image }) =>
    el("figure", {}, picture(image, caption), el("figcaption", {}, caption)),
  );
  return [...parts, el("p", { class: "nats", title: strip.about }, ...strip.lines.map((line) => el("span", {}, line)))];
}

function picture(base64, alt) {
  return el("img", { src: `data:image/png;base64,${base64}`, alt });
}

function acceptDrops(area, take) {
  const carriesFiles = (event) => event.dataTransfer?.types.includes("Files");
  area.addEventListener("dragover", (event) => {
    if (!carriesFiles(event)) return;
    event.preventDefault();
    area.dataset.dropping = "";
  });
  area.addEventListener("dragleave", (event) => {
    if (!area.contains(event.relatedTarget)) delete area.dataset.dropping;
  });
  area.addEventListener("drop", (event) => {
    delete area.dataset.dropping;
    if (!carriesFiles(event)) return;
    event.preventDefault();
    take(event.dataTransfer.files);
  });
}

async function readFiles(list, onProblem) {
  const large = list.find((file) => file.size > MAX_BYTES);
  if (large)
    onProblem(`${large.name} has ${(large.size / 2 ** 20).toFixed(0)} MiB; a picture may have 20. Make it smaller.`);
  const fitting = list.filter((file) => file.size <= MAX_BYTES);
  if (fitting.reduce((sum, file) => sum + file.size, 0) > MAX_TOGETHER) {
    onProblem("Those pictures have more than 22 MiB together; add them in smaller groups.");
    return [];
  }
  return (await Promise.all(fitting.map((file) => readFile(file, onProblem)))).flat();
}

/** The file in a list; an empty one where it cannot be read, as a folder cannot. */
async function readFile(file, onProblem) {
  try {
    return [{ name: file.name, content: await base64OfFile(file) }];
  } catch {
    onProblem(`${file.name} cannot be read; of a folder choose the pictures that are in it.`);
    return [];
  }
}
