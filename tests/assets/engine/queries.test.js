import assert from "node:assert/strict";
import { beforeEach, test } from "node:test";
import { Queries } from "../../../app/live/assets/engine/queries.js";
import { setVisitor } from "../../../app/live/assets/engine/visitor.js";

let requests;
let queries;

/** Every request waits until it is answered by hand, or given up. */
const fetchByHand = (url, options) =>
  new Promise((resolve, reject) => {
    requests.push({ url: String(url), ...options, resolve, reject });
    options.signal?.addEventListener("abort", () => reject(options.signal.reason));
  });

const json = (content) => new Response(JSON.stringify(content));

/** Whether a promise is still open after all that is under way. */
const isPending = async (promise) => {
  const open = Symbol();
  const turn = new Promise((resolve) => setImmediate(resolve, open));
  return (await Promise.race([promise, turn])) === open;
};

beforeEach(() => {
  requests = [];
  globalThis.fetch = fetchByHand;
  setVisitor("");
  queries = new Queries(new URL("http://host/vae/"), { name: "a b", digest: "d1", referenceDigest: "r2" });
});

test("a question is JSON to the address of the model as the page shows it", async () => {
  const answer = queries.ask("group", { indices: [1] });
  const [request] = requests;
  assert.equal(request.url, "http://host/vae/live/models/a%20b/ask/group?digest=d1&reference=r2");
  assert.equal(request.method, "POST");
  assert.deepEqual(request.headers, { "Content-Type": "application/json" });
  assert.deepEqual(JSON.parse(request.body), { indices: [1] });
  request.resolve(json({ count: 1 }));
  assert.deepEqual(await answer, { count: 1 });
});

test("who asks is said once that is known", () => {
  setVisitor("token");
  queries.ask("code", {}).catch(() => {});
  assert.equal(requests[0].headers["X-Visitor"], "token");
});

test("the newer question of a slot takes its place; the older one is given up and never settles", async () => {
  const first = queries.ask("code", { index: 1 });
  const second = queries.ask("code", { index: 2 });
  assert.ok(requests[0].signal.aborted);
  assert.ok(await isPending(first));
  requests[1].resolve(json({ code: [2] }));
  assert.deepEqual(await second, { code: [2] });
});

test("questions in slots of their own do not disturb each other", async () => {
  const both = [queries.ask("direction", { a: 1 }, "one"), queries.ask("direction", { a: 2 }, "two")];
  requests[1].resolve(json(2));
  requests[0].resolve(json(1));
  assert.deepEqual(await Promise.all(both), [1, 2]);
});

test("a refusal is thrown with its code", async () => {
  const answer = queries.ask("density", {});
  requests[0].resolve(new Response('{"code": "gone", "message": "forgotten"}', { status: 400 }));
  await assert.rejects(answer, { message: "forgotten", code: "gone" });
});

test("a server that cannot be reached is said to be so", async () => {
  const answer = queries.ask("density", {});
  requests[0].reject(new TypeError("Failed to fetch"));
  await assert.rejects(answer, { message: "the server is out of reach; try again shortly" });
});

test("a file comes as it is", async () => {
  const file = queries.file("sheet", {});
  requests[0].resolve(new Response(new Uint8Array([1, 2, 3])));
  assert.deepEqual([...new Uint8Array(await (await file).arrayBuffer())], [1, 2, 3]);
});

test("closed it forgets what was asked, but work that is being begun is waited for", async () => {
  const answer = queries.ask("code", {});
  const work = queries.begin("export", {});
  queries.close();
  assert.ok(await isPending(answer));
  requests[1].resolve(json({ job: "7" }));
  assert.deepEqual(await work, { job: "7" });
});
