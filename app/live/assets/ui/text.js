// What dimensions are called, and how numbers are written.

/** @param {{dimension: number, name: string}} slider `dimension` counts from 0; `name` is empty where there is none */
export function dimensionTitle({ dimension, name }) {
  return `Dimension ${dimension + 1}${name ? ` · ${name}` : ""}`;
}

export const LONGEST_NAME = 60; // characters, as app/session/desk.py takes them

/** Every dimension as an option of a select, by the person's own name where it has one: [["0", "z1 · slant"], ...]. */
export function dimensionOptions({ sliders }, names) {
  const inOrder = sliders.toSorted((a, b) => a.dimension - b.dimension);
  return inOrder.map(({ dimension, name }) => {
    const plain = `z${dimension + 1}`;
    const own = names[dimension] ?? name;
    return [String(dimension), own && own !== plain ? `${plain} · ${own}` : plain];
  });
}

/** A name cut to what is kept, between whole characters: half an emoji is none. */
export function shortened(name, room = LONGEST_NAME) {
  return [...name].slice(0, room).join("").trim();
}

/** A name that none of the others has: itself, or with a number after it. */
export function unusedName(name, others) {
  const taken = (each) => others.some((other) => other.name === each);
  let free = name;
  for (let n = 2; taken(free); n++) free = `${shortened(name, LONGEST_NAME - 5)} (${n})`;
  return free;
}

/** What a person typed as a number, with a comma or a true minus sign as well; NaN where it is none. */
export function parsed(text) {
  return text.trim() === "" ? NaN : Number(text.replace(",", ".").replace("\u2212", "-"));
}

/** What the server gave as a reason, as a sentence of its own. */
export function sentence(text) {
  return text.charAt(0).toUpperCase() + text.slice(1);
}

/** A number with a true minus sign, of as many digits as a person reads at a glance. */
export function number(value) {
  return fixed(value, Math.abs(value) >= 100 ? 0 : Math.abs(value) >= 10 ? 1 : 2);
}

/** A number with a true minus sign and so many digits after the point; what is rounded to zero has no sign. */
export function fixed(value, digits) {
  const text = value.toFixed(digits);
  return Number(text) === 0 ? text.replace("-", "") : text.replace("-", "\u2212");
}
