import assert from "node:assert/strict";
import { test } from "node:test";
import { channelText, isOtherModel } from "../../../app/live/assets/host/component.js";

const model = { name: "a", digest: "1", referenceDigest: "2" };

test("data is of another model when its name, its weights or its reference set differ", () => {
  assert.ok(isOtherModel(null, { model }));
  assert.ok(!isOtherModel({ model }, { model: { ...model } }));
  for (const part of Object.keys(model)) assert.ok(isOtherModel({ model }, { model: { ...model, [part]: "x" } }), part);
});

test("a channel says what is the matter, and nothing when all is well", () => {
  assert.equal(channelText("open", ""), "");
  assert.match(channelText("lost", ""), /out of reach/);
  assert.equal(channelText("busy", "too many wait."), "Too many wait. This page goes on by itself.");
  assert.equal(channelText("refused", "no such map"), "The server refused the last request: no such map");
});
