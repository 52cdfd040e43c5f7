// The page's end of the live channel (protocol.js has the messages).
//
// One request is in flight at a time; of what is asked meanwhile in one slot only the newest is kept. A server
// that goes away is found again; a question that the server refused is not asked twice.

import { modelAddress } from "./model_address.js";
import { numberOf, pack, unpack } from "./protocol.js";
import { CHANGED, refusalOfClose } from "./refusal.js";

const REFUSED = 1008;
const TRY_LATER = 1013;
const FIRST_RETRY_MS = 500;
const LAST_RETRY_MS = 5000;

/**
 * @typedef {import("./source.js").Live} Live
 * @typedef {import("./source.js").Placing} Placing
 * @typedef {import("./source.js").LiveAnswer} LiveAnswer
 * @typedef {import("./source.js").LiveState} LiveState
 * @typedef {{slot: string, kind: number, view: Placing, values: Float32Array, onAnswer: (answer: LiveAnswer) => void}} Question
 */

/** @type {Record<number, LiveState>} */
const STATES = { [REFUSED]: "refused", [TRY_LATER]: "busy" };

/** @implements {Live} */
export class LiveSocket {
  /**
   * @param {URL} root of the server, under whatever prefix it is mounted
   * @param {import("./payloads.js").Model} model
   * @param {import("./source.js").OnLiveState} onState
   */
  constructor(root, model, onState) {
    this.url = modelAddress(root, model, "socket");
    this.url.protocol = this.url.protocol.replace("http", "ws");
    this.model = model;
    this.onState = onState;
    this.number = 0;
    /** @type {Map<string, Question>} */
    this.pending = new Map(); // by slot
    /** @type {Question | null} */
    this.inFlight = null;
    this.retryMs = FIRST_RETRY_MS;
    /** @type {ReturnType<typeof setTimeout> | undefined} */
    this.retry = undefined;
    this.closed = false;
    this.socket = this.connect();
  }

  /**
   * Ask; the newest question of a slot wins.
   * @param {string} slot questions in the same slot replace each other
   * @param {number} kind DECODE, PEEK, PATH or DRAW
   * @param {Placing} view the map that places belong to
   * @param {ArrayLike<number>} values see source.js
   * @param {(answer: LiveAnswer) => void} onAnswer
   */
  ask(slot, kind, view, values, onAnswer) {
    this.pending.set(slot, { slot, kind, view, values: Float32Array.from(values), onAnswer });
    this.sendNext();
  }

  /**
   * Forget what was asked in a slot and not sent yet.
   * @param {string} slot
   */
  cancel(slot) {
    this.pending.delete(slot);
  }

  close() {
    this.closed = true;
    clearTimeout(this.retry);
    this.socket.close();
  }

  connect() {
    const socket = new WebSocket(this.url);
    socket.binaryType = "arraybuffer";
    socket.onopen = () => {
      this.onState("open", "", "");
      this.sendNext();
    };
    socket.onmessage = (event) => this.receive(event.data);
    socket.onclose = (event) => this.reopen(event);
    return socket;
  }

  /** @param {{code: number, reason: string}} event */
  reopen({ code, reason }) {
    if (this.closed) return;
    const lost = this.inFlight;
    this.inFlight = null;
    if (lost && code !== REFUSED && !this.pending.has(lost.slot)) this.pending.set(lost.slot, lost);
    const { message, code: what } = refusalOfClose(reason);
    this.onState(STATES[code] ?? "lost", message, what);
    if (what === CHANGED) return; // no question about this state of the model is answered any more
    this.retry = setTimeout(() => {
      this.socket = this.connect();
    }, this.retryMs);
    this.retryMs = Math.min(2 * this.retryMs, LAST_RETRY_MS);
  }

  sendNext() {
    if (this.inFlight || this.pending.size === 0 || this.socket.readyState !== WebSocket.OPEN) return;
    const question = /** @type {Question} */ (this.pending.values().next().value); // the one that waits longest
    this.pending.delete(question.slot);
    this.inFlight = question;
    this.number = (this.number + 1) >>> 0;
    this.socket.send(pack(question, this.number));
  }

  /** @param {ArrayBuffer} buffer */
  receive(buffer) {
    const question = this.inFlight;
    this.inFlight = null;
    this.retryMs = FIRST_RETRY_MS;
    if (question && numberOf(buffer) === this.number) question.onAnswer(unpack(buffer, this.model));
    this.sendNext();
  }
}
