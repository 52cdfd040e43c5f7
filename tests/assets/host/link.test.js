import assert from "node:assert/strict";
import { test } from "node:test";
import { exploreLink, interpolateLink, leftOut, MOST_SELECTED } from "../../../app/live/assets/host/link.js";
import limits from "../../contracts/limits.json" with { type: "json" };
import links from "../../contracts/links.json" with { type: "json" };

const HERE = "http://host/vae/explore?model=other&view=old#part";
const viewIn = (link) => new URL(link).searchParams.get("view");
const read = (text) => JSON.parse(Buffer.from(text, "base64url").toString());
const [{ shown: EXPLORED }] = links.explore;
const [{ shown: PLAYED }] = links.interpolate;

for (const { case: name, shown, content, text } of links.explore) {
  test(`a link of Explore ${name} is written as Python reads it`, () => {
    assert.equal(viewIn(exploreLink(shown, HERE)), text);
    assert.deepEqual(read(text), content);
  });
}

for (const { case: name, shown, content, text } of links.interpolate) {
  test(`a link of Interpolate with ${name} is written as Python reads it`, () => {
    const { link, kept } = interpolateLink(shown, limits, HERE);
    assert.equal(viewIn(link), text);
    assert.deepEqual(read(text), content);
    assert.equal(kept, shown.keyframes.length);
  });
}

test("a link stays on its page and names its model", () => {
  const link = new URL(exploreLink({ ...EXPLORED, model: { ...EXPLORED.model, name: "a b" } }, HERE));
  assert.equal(link.origin + link.pathname, "http://host/vae/explore");
  assert.deepEqual([...link.searchParams.keys()], ["model", "view"]);
  assert.deepEqual([link.searchParams.get("model"), link.hash], ["a b", ""]);
});

test("a selection that makes a link too long to send is left out", () => {
  const selection = Array.from({ length: MOST_SELECTED }, (_, i) => 9000 + i);
  assert.deepEqual(read(viewIn(exploreLink({ ...EXPLORED, selection }, HERE))).selection, selection);
  const more = read(viewIn(exploreLink({ ...EXPLORED, selection: [...selection, 1] }, HERE)));
  assert.deepEqual([more.selection, more.reference], [undefined, undefined]);
});

test("keyframes that make a link too long to send are left out from the end", () => {
  const keyframes = Array.from({ length: 64 }, (_, i) => ({ name: `keyframe ${i}` }));
  const codes = keyframes.map((_, i) => new Float32Array(64).fill(i));
  const { link, kept } = interpolateLink({ ...PLAYED, keyframes, codes }, limits, HERE);
  const view = viewIn(link);
  assert.ok(view.length <= limits.linkLetters);
  assert.ok(kept >= 2 && kept < 64);
  assert.equal(read(view).names.length, kept);
  assert.equal(Buffer.from(read(view).codes, "base64").length, 2 * 64 * kept);
  const one = interpolateLink({ ...PLAYED, keyframes: keyframes.slice(0, kept + 1), codes }, limits, HERE);
  assert.equal(one.kept, kept, "one more is too many");
});

test("where two keyframes are too long for a link it holds none", () => {
  const keyframes = [{ name: "a" }, { name: "b" }];
  const codes = keyframes.map(() => new Float32Array(2000));
  const { link, kept } = interpolateLink({ ...PLAYED, keyframes, codes }, limits, HERE);
  assert.deepEqual([kept, read(viewIn(link)).names], [0, []]);
});

test("names are cut between whole characters", () => {
  const keyframes = [{ name: "😀".repeat(50) }, { name: "b" }];
  const { link } = interpolateLink({ ...PLAYED, keyframes, codes: [[0], [0]] }, limits, HERE);
  assert.equal(read(viewIn(link)).names[0], "😀".repeat(limits.linkName));
});

test("what a link leaves out is said", () => {
  assert.equal(leftOut(3, 3), "");
  assert.match(leftOut(2, 3), /the first 2 of 3 keyframes/);
  assert.match(leftOut(0, 3), /no keyframes/);
});
