// The kinds of path between keyframes, in the order in which they are shown.

export const KINDS = [
  { key: "linear", title: "Linear", about: "The straight line from code to code" },
  {
    key: "spherical",
    title: "Spherical",
    about: "Along an arc, on which the norm goes evenly from one keyframe's to the next one's",
  },
  { key: "data", title: "Through the data", about: "The cheapest way over the codes of reference images" },
];
