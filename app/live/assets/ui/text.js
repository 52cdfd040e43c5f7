// What dimensions, groups and directions are called, and how numbers are written.

// No name holds controls, formats, half characters or line ends; but Persian words and emoji are written with joiners.
const UNSEEN = /(?![\u200c\u200d])[\p{Cc}\p{Cf}\p{Cs}\p{Zl}\p{Zp}]/gu;
const VISIBLE = /[^\s\u200c\u200d]/u;
const NUMBER_ROOM = 5; // characters that " (12)" takes

/**
 * @param {{dimension: number, name: string}} slider `dimension` counts from 0; `name` is empty where there is none
 */
export function dimensionTitle({ dimension, name }) {
  return `Dimension ${dimension + 1}${name ? ` · ${name}` : ""}`;
}

/**
 * Every dimension as an option of a select, by the person's own name where it has one: [["0", "z1 · slant"], ...].
 * @param {{sliders: {dimension: number, name: string}[]}} model
 * @param {Record<string, string>} names the person's own, by number
 * @returns {[string, string][]}
 */
export function dimensionOptions({ sliders }, names) {
  const inOrder = sliders.toSorted((a, b) => a.dimension - b.dimension);
  return inOrder.map(({ dimension, name }) => {
    const plain = `z${dimension + 1}`;
    const own = names[dimension] ?? name;
    return [String(dimension), own && own !== plain ? `${plain} · ${own}` : plain];
  });
}

/**
 * What a person typed as a name, by the rule of vae_core/latent/names.py: without what cannot be seen, cut to `room`
 * characters, between whole ones: half an emoji is none. Empty where nothing is left to see.
 * @param {string} text
 * @param {number} room
 */
export function cleanName(text, room) {
  const name = [...text.replace(UNSEEN, "").trim()].slice(0, room).join("").trim();
  return VISIBLE.test(name) ? name : "";
}

/**
 * A name that none of the others has: itself, or with a number after it.
 * @param {string} name
 * @param {{name: string}[]} others
 * @param {number} room characters
 */
export function unusedName(name, others, room) {
  let free = name;
  for (let n = 2; isTaken(free, others); n++) free = `${cleanName(name, room - NUMBER_ROOM)} (${n})`;
  return free;
}

/**
 * A numbered name that none of the others has: "Group 3".
 * @param {string} stem
 * @param {{name: string}[]} others
 */
export function freeName(stem, others) {
  let number = others.length + 1;
  while (isTaken(`${stem} ${number}`, others)) number++;
  return `${stem} ${number}`;
}

/**
 * @param {string} name
 * @param {{name: string}[]} others
 */
function isTaken(name, others) {
  return others.some((other) => other.name === name);
}

/**
 * What a person typed as a number, with a comma or a true minus sign as well; NaN where it is none.
 * @param {string} text
 */
export function parsed(text) {
  return text.trim() === "" ? NaN : Number(text.replace(",", ".").replace("\u2212", "-"));
}

/**
 * What the server gave as a reason, as a sentence of its own.
 * @param {string} text
 */
export function sentence(text) {
  return text.charAt(0).toUpperCase() + text.slice(1);
}

/**
 * A number with a true minus sign, of as many digits as a person reads at a glance.
 * @param {number} value
 */
export function number(value) {
  return fixed(value, Math.abs(value) >= 100 ? 0 : Math.abs(value) >= 10 ? 1 : 2);
}

/**
 * A number with a true minus sign and so many digits after the point; what is rounded to zero has no sign.
 * @param {number} value
 * @param {number} digits
 */
export function fixed(value, digits) {
  const text = value.toFixed(digits);
  return Number(text) === 0 ? text.replace("-", "") : text.replace("-", "\u2212");
}
