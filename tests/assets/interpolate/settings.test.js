import assert from "node:assert/strict";
import { test } from "node:test";
import { gifRate } from "../../../app/live/assets/interpolate/export_panel.js";
import { mostPerLeg } from "../../../app/live/assets/interpolate/path_panel.js";
import rates from "../../contracts/gif_rates.json" with { type: "json" };
import limits from "../../contracts/limits.json" with { type: "json" };

test("a GIF's rate is told as Python makes it", () => {
  for (const { fps, rate } of rates) assert.ok(Math.abs(gifRate(fps, limits.gifDelays) - rate) < 1e-9, `${fps}`);
});

test("so many frames fit in each leg that all legs together are few enough", () => {
  for (const legs of [1, 2, 3, 63, 64]) {
    const most = mostPerLeg(legs, limits.frames);
    assert.ok(legs * (most - 1) + 1 <= limits.frames);
    assert.ok(legs * most + 1 > limits.frames, "one more a leg would be too many");
  }
});
