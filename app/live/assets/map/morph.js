// Points of a map on their way from their places to new ones.

import { extentOf, pointsOf } from "./plotly.js";

const MS = 900;

/**
 * Move a map's own points to where they lie in `own`, and the shown range with them; at once for those who asked their
 * system for less motion.
 * @param {import("./latent_map.js").LatentMap} map
 * @param {import("./plotly.js").Layer[]} own the same layers as the map's, at their new places
 */
export async function morph(map, own) {
  if (matchMedia("(prefers-reduced-motion: reduce)").matches) return;
  const { Plotly, plot, frame } = map;
  map.backdrop.show([]); // its points lie on the old map
  const [from, to] = [map.layers, own].map((layers) => layers.map(({ trace: { x, y } }) => ({ x, y })));
  const [shown, target] = [{ x: frame.x, y: frame.y }, frame.wholeRange(extentOf(pointsOf(own)))];
  const start = performance.now();
  for (let share = 0; share < 1; ) {
    share = Math.min(1, ((await nextFrame()) - start) / MS);
    const eased = share * share * (3 - 2 * share);
    const between = (axis) => from.map((each, i) => mixed(each[axis], to[i][axis], eased));
    for (const axis of ["x", "y"]) frame[axis] = mixed(shown[axis], target[axis], eased);
    await Plotly.update(plot, { x: between("x"), y: between("y") }, frame.change(), [...own.keys()]);
    map.replace();
  }
}

function mixed(before, after, share) {
  return before.map((value, i) => value + share * (after[i] - value));
}

function nextFrame() {
  return new Promise((resolve) => requestAnimationFrame(resolve));
}
