// The rooms of the browser's code: imports point down, lead to files that are there, and need no page.

import assert from "node:assert/strict";
import { existsSync, readdirSync, readFileSync } from "node:fs";
import { dirname, join, relative, sep } from "node:path";
import { before, test } from "node:test";
import { fileURLToPath, pathToFileURL } from "node:url";
import { init, parse } from "es-module-lexer";
import mounted from "../contracts/components.json" with { type: "json" };

const ASSETS = join(dirname(fileURLToPath(import.meta.url)), "..", "..", "app", "live", "assets");

// From the lowest floor up; rooms on one floor do not know each other.
const FLOORS = [
  ["ui"],
  ["engine"],
  ["map"],
  ["host"],
  ["map_tools"],
  ["panels", "playback"],
  ["explore", "interpolate", "reconstruct"],
];
const SHEETS = "styles";

const files = readdirSync(ASSETS, { recursive: true, withFileTypes: true }).filter((entry) => entry.isFile());
const paths = files.map((entry) => join(entry.parentPath, entry.name));
const modules = paths.filter((path) => path.endsWith(".js"));
const roomOf = (path) => relative(ASSETS, path).split(sep)[0];
const floorOf = (room) => FLOORS.findIndex((rooms) => rooms.includes(room));

before(() => init);

test("every file lies in a room of its own floor", () => {
  assert.ok(modules.length > 50);
  for (const path of paths) {
    const known = path.endsWith(".css") ? roomOf(path) === SHEETS : floorOf(roomOf(path)) >= 0;
    assert.ok(known, relative(ASSETS, path));
  }
});

test("each room has one style sheet at most, of its name", () => {
  const sheets = paths.filter((path) => path.endsWith(".css")).map((path) => relative(join(ASSETS, SHEETS), path));
  for (const sheet of sheets) assert.ok(floorOf(sheet.replace(/\.css$/, "")) >= 0, sheet);
});

for (const path of modules) {
  const name = relative(ASSETS, path);

  test(`${name} imports what is there, below it or beside it`, () => {
    const [imports] = parse(readFileSync(path, "utf8"), name);
    for (const { specifier: target } of imports) {
      assert.ok(target?.startsWith("."), `${target} has no relative path`);
      const other = join(dirname(path), target);
      assert.ok(existsSync(other), `there is no ${target}`);
      const [from, to] = [roomOf(path), roomOf(other)];
      assert.ok(from === to || floorOf(to) < floorOf(from), `${from} must not know ${to}`);
    }
  });

  test(`${name} needs no page to be imported`, async () => {
    await import(pathToFileURL(path).href);
  });
}

test("a module that is mounted has a function for it", async () => {
  for (const name of mounted) {
    const { mount } = await import(pathToFileURL(join(ASSETS, name)).href);
    assert.equal(typeof mount, "function", name);
  }
});
