import assert from "node:assert/strict";
import test from "node:test";
import { OPEN_MS, ROUND_MS, coin, isAsked, toss } from "../../passes/frontend/core/asked.js";

const NOW = 1_780_000_000_000;

test("a coin is tossed once a round, whatever it showed", () => {
  const first = toss(undefined, NOW, 0.1, () => 0.05);
  assert.deepEqual(first, { atMs: NOW, asks: true, settled: false });
  assert.equal(toss(first, NOW + ROUND_MS - 1, 0.1, () => assert.fail("tossed again")), first);
  assert.equal(toss(first, NOW + ROUND_MS, 0.1, () => 0.5).asks, false);
});

test("a share of none asks nobody, a share of all everybody", () => {
  assert.equal(toss(undefined, NOW, 0, () => 0).asks, false);
  assert.equal(toss(undefined, NOW, 1, () => 0.999999).asks, true);
});

test("the question is open for a week, and gone once it is answered or declined", () => {
  const tossed = toss(undefined, NOW, 1, () => 0);
  assert.equal(isAsked(tossed, NOW), true);
  assert.equal(isAsked(tossed, NOW + OPEN_MS), false);
  assert.equal(isAsked({ ...tossed, settled: true }, NOW), false);
  assert.equal(isAsked(toss(undefined, NOW, 0.5, () => 0.5), NOW), false);
  assert.equal(isAsked(undefined, NOW), false);
});

test("a settled coin is not tossed again in its round", () => {
  const declined = { ...toss(undefined, NOW, 1, () => 0), settled: true };
  assert.equal(isAsked(toss(declined, NOW + OPEN_MS, 1, () => 0), NOW + OPEN_MS), false);
});

test("a clock turned back tosses no coin and closes no question", () => {
  const tossed = toss(undefined, NOW, 1, () => 0);
  assert.equal(toss(tossed, NOW - ROUND_MS, 1, () => assert.fail("tossed")), tossed);
});

test("the coin lies between 0 and 1, and about as often on either side", () => {
  const thrown = Array.from({ length: 4000 }, coin);
  assert.ok(thrown.every((value) => value >= 0 && value < 1));
  const low = thrown.filter((value) => value < 0.5).length;
  assert.ok(low > 1700 && low < 2300);
});
