import assert from "node:assert/strict";
import { afterEach, beforeEach, mock, test } from "node:test";
import { LiveSocket } from "../../../app/live/assets/engine/socket.js";
import { DECODE, PEEK } from "../../../app/live/assets/engine/source.js";

const MODEL = { name: "a model/é", digest: "d1", referenceDigest: "r2", latentDim: 1, shape: [1, 1, 2] };
const VIEW = { projection: "umap", x: 0, y: 0 };
const REFUSED = 1008;
const TRY_LATER = 1013;

/** A server's end that is moved by hand. */
class FakeSocket {
  static OPEN = 1;
  static made = [];

  constructor(url) {
    this.url = String(url);
    this.readyState = 0;
    this.sent = [];
    FakeSocket.made.push(this);
  }

  send(buffer) {
    this.sent.push(new DataView(buffer));
  }

  open() {
    this.readyState = FakeSocket.OPEN;
    this.onopen();
  }

  close(code, reason = "") {
    this.readyState = 3;
    if (code !== undefined) this.onclose({ code, reason });
  }

  /** Answer the question that was sent last, or one of another number, with one code. */
  answer(number = this.sent.at(-1).getUint32(4, true), value = 0) {
    const head = new DataView(new ArrayBuffer(8 + 8 + 4 + 2));
    head.setUint32(0, number, true);
    head.setUint32(4, 1, true);
    head.setFloat32(16, value, true);
    this.onmessage({ data: head.buffer });
  }
}

let states;
let answers;
let live;

const latest = () => FakeSocket.made.at(-1);
const firstValue = (message) => message.getFloat32(8, true);
const ask = (slot, value, kind = DECODE) =>
  live.ask(slot, kind, VIEW, [value], ({ codes }) => answers.push([slot, codes[0]]));

beforeEach(() => {
  mock.timers.enable({ apis: ["setTimeout"] });
  FakeSocket.made = [];
  globalThis.WebSocket = FakeSocket;
  states = [];
  answers = [];
  live = new LiveSocket(new URL("https://host/prefix/"), MODEL, (...news) => states.push(news));
});

afterEach(() => mock.timers.reset());

test("it goes to the address of the model as the page shows it, under the server's prefix", () => {
  assert.equal(latest().url, "wss://host/prefix/live/models/a%20model%2F%C3%A9/socket?digest=d1&reference=r2");
  assert.equal(latest().binaryType, "arraybuffer");
});

test("what is asked before it is open is sent then", () => {
  ask("z", 1);
  assert.equal(latest().sent.length, 0);
  latest().open();
  assert.deepEqual(states, [["open", "", ""]]);
  assert.deepEqual(latest().sent.map(firstValue), [1]);
});

test("one question is under way; of those that wait in a slot the newest is sent", () => {
  latest().open();
  for (const value of [1, 2, 3, 4]) ask("z", value);
  assert.deepEqual(latest().sent.map(firstValue), [1]);
  latest().answer(undefined, 10);
  assert.deepEqual(latest().sent.map(firstValue), [1, 4]);
  latest().answer(undefined, 40);
  assert.deepEqual(answers, [
    ["z", 10],
    ["z", 40],
  ]);
  assert.equal(latest().sent.length, 2);
});

test("slots take turns in the order in which they were asked", () => {
  latest().open();
  ask("z", 1);
  ask("peek", 2, PEEK);
  ask("strips", 3);
  ask("peek", 4, PEEK);
  for (let i = 0; i < 3; i++) latest().answer();
  assert.deepEqual(latest().sent.map(firstValue), [1, 4, 3]);
  assert.deepEqual(
    answers.map(([slot]) => slot),
    ["z", "peek", "strips"],
  );
});

test("what was cancelled before it left is not sent; what is under way is answered still", () => {
  latest().open();
  ask("z", 1);
  ask("peek", 2);
  live.cancel("peek");
  live.cancel("z");
  latest().answer(undefined, 5);
  assert.equal(latest().sent.length, 1);
  assert.deepEqual(answers, [["z", 5]]);
});

test("an answer to another question is left aside", () => {
  latest().open();
  ask("z", 1);
  latest().answer(77);
  assert.deepEqual(answers, []);
});

test("values are copied when they are asked for", () => {
  const z = new Float32Array([1]);
  live.ask("z", DECODE, VIEW, z, () => {});
  z[0] = 2;
  latest().open();
  assert.equal(firstValue(latest().sent[0]), 1);
});

test("a lost server is found again, later each time, and is asked again what it did not answer", () => {
  latest().open();
  ask("z", 1);
  latest().close(1006);
  assert.deepEqual(states.at(-1), ["lost", "", ""]);
  for (const wait of [500, 1000, 2000, 4000, 5000, 5000]) {
    const before = FakeSocket.made.length;
    mock.timers.tick(wait - 1);
    assert.equal(FakeSocket.made.length, before, `not before ${wait} ms`);
    mock.timers.tick(1);
    assert.equal(FakeSocket.made.length, before + 1);
    latest().close(1006);
  }
  mock.timers.tick(5000);
  latest().open();
  assert.deepEqual(latest().sent.map(firstValue), [1]);
  latest().answer();
  latest().close(1006);
  mock.timers.tick(500);
  assert.equal(FakeSocket.made.length, 9, "an answer makes it patient no more");
});

test("a question that was lost gives way to a newer one of its slot", () => {
  latest().open();
  ask("z", 1);
  ask("z", 2);
  latest().close(1006);
  mock.timers.tick(500);
  latest().open();
  assert.deepEqual(latest().sent.map(firstValue), [2]);
});

test("a refused question is not asked twice, and its reason has a code", () => {
  latest().open();
  ask("z", 1);
  ask("peek", 2);
  latest().close(REFUSED, "gone the map is not remembered");
  assert.deepEqual(states.at(-1), ["refused", "the map is not remembered", "gone"]);
  mock.timers.tick(500);
  latest().open();
  latest().answer();
  assert.deepEqual(latest().sent.map(firstValue), [2]);
});

test("a busy server is asked the same again", () => {
  latest().open();
  ask("z", 1);
  latest().close(TRY_LATER, "busy too many wait");
  assert.deepEqual(states.at(-1), ["busy", "too many wait", "busy"]);
  mock.timers.tick(500);
  latest().open();
  assert.deepEqual(latest().sent.map(firstValue), [1]);
});

test("closed by us it says nothing and does not come back", () => {
  latest().open();
  const told = states.length;
  live.close();
  latest().onclose({ code: 1000, reason: "" });
  mock.timers.tick(60_000);
  assert.equal(FakeSocket.made.length, 1);
  assert.equal(states.length, told);
});

test("numbers of questions begin anew after four bytes", () => {
  latest().open();
  live.number = 2 ** 32 - 1;
  ask("z", 1);
  assert.equal(latest().sent[0].getUint32(4, true), 0);
  latest().answer(0, 3);
  assert.deepEqual(answers, [["z", 3]]);
});

test("a model that is not any more what the page shows is not asked again", () => {
  latest().open();
  ask("z", 1);
  latest().close(REFUSED, "changed tiny was trained anew; the page shows the new one shortly.");
  assert.deepEqual(states.at(-1), ["refused", "tiny was trained anew; the page shows the new one shortly.", "changed"]);
  mock.timers.tick(60_000);
  assert.equal(FakeSocket.made.length, 1);
});
