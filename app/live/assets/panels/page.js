// What the panels need of the page that they stand on: Explore.

/**
 * @typedef {import("../engine/payloads.js").Direction} Direction
 * @typedef {import("../engine/payloads.js").Desk<number[]>} Workspace
 */

/**
 * @typedef {object} ExplorePage
 * @property {import("../host/store.js").Store<Workspace>} store what the person laid out
 * @property {import("../engine/payloads.js").ExploreData | null} data the newest from Python
 * @property {import("../engine/payloads.js").Limits} limits
 * @property {import("../engine/source.js").Source} source
 * @property {import("../engine/source.js").Asks} queries
 * @property {import("../engine/source.js").Live} bulk for many pictures at once
 * @property {import("../map/latent_map.js").LatentMap} map
 * @property {import("../engine/payloads.js").View} view how the map is shown
 * @property {Float32Array} z the code
 * @property {Direction[] | null} components the principal ones, where there are many dimensions
 * @property {boolean} showsTrainingImages
 * @property {(z: ArrayLike<number>) => void} load set the whole code
 * @property {(index: number) => void} loadReference load the code of a reference image
 * @property {(text: string) => void} say
 */

export {};
