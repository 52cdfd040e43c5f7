// Lines on a map within which given shares of its points lie.

/**
 * @param {{x: Float32Array, y: Float32Array, density: Float32Array, levels: [number, number][]}} field
 *   the density at the nodes of a grid, row by row, and for each share of the points the level that holds it
 * @param {string} colour
 * @returns {object[]} Plotly's traces
 */
export function contourTraces({ x, y, density, levels }, colour) {
  const rows = Array.from(y, (_, i) => Array.from(density.subarray(i * x.length, (i + 1) * x.length)));
  return levels.map(([share, level]) => ({
    type: "contour",
    x: Array.from(x),
    y: Array.from(y),
    z: rows,
    contours: { type: "constraint", operation: "=", value: level },
    line: { color: colour, width: 1.6 },
    opacity: 1 - 0.5 * share,
    fillcolor: "rgba(0,0,0,0)",
    showlegend: false,
    showscale: false,
    hoverinfo: "skip",
    name: `${100 * share}%`,
  }));
}
