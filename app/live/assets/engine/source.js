// Who answers a page: what it can be asked, whoever that is. `remote.js` asks the server.

/** What a live question asks: what a code looks like, what lies at a place, what many codes look like, a draw. */
export const DECODE = 1; // values: z
export const PEEK = 2; // values: x, y, z
export const PATH = 3; // values: z of each code
export const DRAW = 4; // values: none

/**
 * @typedef {import("./payloads.js").Model} Model
 * @typedef {import("./payloads.js").View} View
 */

/**
 * The map on which codes of a live question are placed. Of a map that was fitted anew x and y are the two bytes of its
 * number.
 * @typedef {{projection: string, x: number, y: number}} Placing
 */

/** @type {Placing} where pictures are asked for alone: places on a map of two dimensions cost nothing */
export const ANYWHERE = { projection: "axes", x: 0, y: 0 };

/**
 * @typedef {object} LiveAnswer
 * @property {Float32Array} places x and y of each code
 * @property {Float32Array} codes one after the other
 * @property {Uint8Array[]} frames a picture each: rows of bytes, channels innermost
 */

/**
 * How a live channel is: open, or lost until it is found again, or the one who answers is busy, or has refused the last
 * question, which is not asked twice.
 * @typedef {"open" | "lost" | "busy" | "refused"} LiveState
 */

/** @typedef {(state: LiveState, reason: string, code: string) => void} OnLiveState `code` as of a Refusal (refusal.js) */

/**
 * Pictures while something moves: one question is under way, the newest of a slot wins.
 * @typedef {object} Live
 * @property {(slot: string, kind: number, view: Placing, values: ArrayLike<number>, onAnswer: (answer: LiveAnswer) => void) => void} ask
 *   questions in the same slot replace each other; kind is DECODE, PEEK, PATH or DRAW
 * @property {(slot: string) => void} cancel forget what was asked in a slot and has not left yet
 * @property {() => void} close
 */

/**
 * Questions that take more than a decoded picture. A reason why there is no answer is thrown as a Refusal (refusal.js).
 * @typedef {object} Asks
 * @property {(what: string, body: object, slot?: string) => Promise<any>} ask never settles once a newer one took its slot
 * @property {(what: string, body: object) => Promise<Blob>} file an answer that is a file
 * @property {(what: string, body: object, fileName: string) => Promise<void>} save have the browser save it
 * @property {(what: string, body: object) => Promise<{job: string}>} begin work in the background
 * @property {() => void} close forget what was asked
 */

/** @typedef {{phase: string, share: number, message: string}} JobState how far work in the background is */

/** @typedef {{json: () => Promise<any>, blob: () => Promise<Blob>}} JobResult what work in the background made */

/**
 * Work in the background, by the id that its beginning gave.
 * @typedef {object} JobHandle
 * @property {() => Promise<JobState>} state phase "done", "failed" or "stopped" at its end
 * @property {() => Promise<JobResult>} result
 * @property {() => void} stop also when the page is left just then
 */

/**
 * One trace of a map's points, and which reference image each of them is; elsewhere `indices` may hold training images
 * as well, each as -1 - its number.
 * @typedef {{trace: any, indices: Int32Array}} Layer
 */

/** @typedef {{layers: Layer[], layout: any}} Figure a map; each trace's x and y are Float32Arrays */

/**
 * Whom a page asks.
 * @typedef {object} Source
 * @property {(model: Model, onState: OnLiveState) => Live} live
 * @property {(model: Model) => Asks} asks
 * @property {(model: Model, view: View) => Promise<Figure>} figure
 * @property {(job: string) => JobHandle} job
 * @property {() => Promise<any>} plotly what draws maps: plotly.js, or something that offers the same
 * @property {(path: string) => string} addressOf a picture that data names by a path
 * @property {ReadonlySet<string>} can questions that are answered; parts of a page that need another one are hidden
 */

/**
 * Who keeps what is laid out on a page: Python by way of Streamlit, or a page that needs no server.
 * @typedef {object} Host
 * @property {(kind: string, value: any) => void} report tell what the person did
 */
