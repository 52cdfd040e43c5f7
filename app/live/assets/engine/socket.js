// The page's end of the live channel (app/wire/protocol.py has the messages).
//
// One request is in flight at a time; of what is asked meanwhile in one slot only the newest is kept. A server
// that goes away is found again; a question that the server refused is not asked twice.

import { refusalOfClose } from "./refusal.js";

export const DECODE = 1;
export const PEEK = 2;
export const PATH = 3;
export const DRAW = 4;

const PROJECTIONS = { umap: 0, pca: 1, axes: 2, refit: 3 };
const HEADER_BYTES = 8;
const REFUSED = 1008;
const TRY_LATER = 1013;
const FIRST_RETRY_MS = 500;
const LAST_RETRY_MS = 5000;

export class LiveSocket {
  /**
   * @param {URL} root of the server, under whatever prefix it is mounted
   * @param {{name: string, latentDim: number, shape: number[]}} model
   * @param {(state: "open" | "lost" | "busy" | "refused", reason: string, code: string) => void} onState `code` names
   *   what went wrong (see refusal.js)
   */
  constructor(root, model, onState) {
    this.url = new URL(`live/models/${encodeURIComponent(model.name)}/socket`, root);
    this.url.protocol = this.url.protocol.replace("http", "ws");
    this.model = model;
    this.onState = onState;
    this.number = 0;
    this.pending = new Map(); // slot -> question
    this.inFlight = null;
    this.retryMs = FIRST_RETRY_MS;
    this.connect();
  }

  /**
   * Ask; the newest question of a slot wins.
   * @param {string} slot questions in the same slot replace each other
   * @param {number} kind DECODE, PEEK, PATH or DRAW
   * @param {{projection: string, x: number, y: number}} view the map that places belong to
   * @param {ArrayLike<number>} values see app/wire/protocol.py
   * @param {(answer: {places: Float32Array, codes: Float32Array, frames: Uint8Array[]}) => void} onAnswer
   */
  ask(slot, kind, view, values, onAnswer) {
    this.pending.set(slot, { slot, kind, view, values: Float32Array.from(values), onAnswer });
    this.sendNext();
  }

  /** Forget what was asked in a slot and not sent yet. */
  cancel(slot) {
    this.pending.delete(slot);
  }

  close() {
    this.closed = true;
    clearTimeout(this.retry);
    this.socket.close();
  }

  connect() {
    this.socket = new WebSocket(this.url);
    this.socket.binaryType = "arraybuffer";
    this.socket.onopen = () => {
      this.onState("open", "", "");
      this.sendNext();
    };
    this.socket.onmessage = (event) => this.receive(event.data);
    this.socket.onclose = (event) => this.reopen(event);
  }

  reopen({ code, reason }) {
    if (this.closed) return;
    const lost = this.inFlight;
    this.inFlight = null;
    if (lost && code !== REFUSED && !this.pending.has(lost.slot)) this.pending.set(lost.slot, lost);
    const { message, code: what } = refusalOfClose(reason);
    this.onState({ [REFUSED]: "refused", [TRY_LATER]: "busy" }[code] ?? "lost", message, what);
    this.retry = setTimeout(() => this.connect(), this.retryMs);
    this.retryMs = Math.min(2 * this.retryMs, LAST_RETRY_MS);
  }

  sendNext() {
    if (this.inFlight || this.pending.size === 0 || this.socket.readyState !== WebSocket.OPEN) return;
    const [slot, question] = this.pending.entries().next().value;
    this.pending.delete(slot);
    this.inFlight = question;
    this.number = (this.number + 1) >>> 0;
    this.socket.send(pack(question, this.number));
  }

  receive(buffer) {
    const question = this.inFlight;
    this.inFlight = null;
    this.retryMs = FIRST_RETRY_MS;
    if (question && new DataView(buffer).getUint32(0, true) === this.number) {
      question.onAnswer(unpack(buffer, this.model));
    }
    this.sendNext();
  }
}

function pack({ kind, view, values }, number) {
  const buffer = new ArrayBuffer(HEADER_BYTES + 4 * values.length);
  const head = new DataView(buffer);
  head.setUint8(0, kind);
  head.setUint8(1, PROJECTIONS[view.projection]);
  head.setUint8(2, view.x);
  head.setUint8(3, view.y);
  head.setUint32(4, number, true);
  new Float32Array(buffer, HEADER_BYTES).set(values);
  return buffer;
}

function unpack(buffer, { latentDim, shape }) {
  const count = new DataView(buffer).getUint32(4, true);
  const places = new Float32Array(buffer, HEADER_BYTES, 2 * count);
  const codesAt = HEADER_BYTES + places.byteLength;
  const codes = new Float32Array(buffer, codesAt, latentDim * count);
  const size = shape[0] * shape[1] * shape[2];
  const firstFrame = codesAt + codes.byteLength;
  const frames = Array.from({ length: count }, (_, i) => new Uint8Array(buffer, firstFrame + i * size, size));
  return { places, codes, frames };
}
