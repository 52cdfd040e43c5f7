import assert from "node:assert/strict";
import { test } from "node:test";
import { GONE, Refusal, refusalOf, refusalOfClose } from "../../../app/live/assets/engine/refusal.js";
import codes from "../../contracts/codes.json" with { type: "json" };

test("codes that the page acts on are Python's", () => {
  assert.equal(GONE, codes.gone);
});

test("a refused question says what went wrong by a code and a sentence", async () => {
  const refusal = await refusalOf(new Response(JSON.stringify({ code: "busy", message: "try again" })));
  assert.ok(refusal instanceof Refusal && refusal instanceof Error);
  assert.deepEqual([refusal.code, refusal.message], ["busy", "try again"]);
});

test("what somebody between us and the server says has no code", async () => {
  for (const text of ["<h1>Bad gateway</h1>", "", "3", "null", '{"code": 3, "message": "x"}']) {
    const refusal = await refusalOf(new Response(text));
    assert.deepEqual([refusal.code, refusal.message], ["", text]);
  }
});

test("the reason of a closed socket is a code and a sentence", () => {
  const refusal = refusalOfClose("gone the map is not remembered");
  assert.deepEqual([refusal.code, refusal.message], ["gone", "the map is not remembered"]);
  assert.deepEqual([refusalOfClose("").code, refusalOfClose("").message], ["", ""]);
});
