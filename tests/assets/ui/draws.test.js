import assert from "node:assert/strict";
import { test } from "node:test";
import { gaussian, priorDraw } from "../../../app/live/assets/ui/draws.js";

test("draws from N(0, 1) have its mean and variance", () => {
  const values = gaussian(100_000);
  const mean = values.reduce((sum, value) => sum + value, 0) / values.length;
  const variance = values.reduce((sum, value) => sum + (value - mean) ** 2, 0) / values.length;
  assert.ok(Math.abs(mean) < 0.03, `mean ${mean}`); // ten standard errors
  assert.ok(Math.abs(variance - 1) < 0.045, `variance ${variance}`);
  assert.ok(values.every(Number.isFinite));
});

test("a plain autoencoder has no prior to draw from", () => {
  assert.equal(priorDraw({ variational: true }).textContent, "Random (prior)");
  assert.equal(priorDraw({ variational: false }).textContent, "Random N(0, I)");
});
