// What Python sends has the types that our modules work with: nothing of this runs, tsc reads it.

import limits from "../../contracts/limits.json" with { type: "json" };
import payloads from "../../contracts/payloads.json" with { type: "json" };

/** @type {import("../../../app/live/assets/engine/payloads.js").ExploreData} */
export const explore = payloads.explore;

/** @type {import("../../../app/live/assets/engine/payloads.js").InterpolateData} */
export const interpolate = payloads.interpolate;

/** @type {import("../../../app/live/assets/engine/payloads.js").ReconstructMapData} */
export const reconstruct = payloads.reconstruct;

/** @type {import("../../../app/live/assets/engine/payloads.js").ModelPickerData} */
export const picker = payloads.picker;

/** @type {import("../../../app/live/assets/engine/payloads.js").Limits} */
export const given = limits;
