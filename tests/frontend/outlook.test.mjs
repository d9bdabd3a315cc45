import assert from "node:assert/strict";
import { test } from "node:test";
import { MOST_TIMES, beyondBudget } from "../../crowdtrace/site/frontend/core/outlook.js";

test("within the budget nothing is beyond it", () => {
  for (const spent of [0, 0.5, 1]) assert.equal(beyondBudget(spent), 0);
});

test("beyond it the ring keeps a scale: more is longer, and it is full at its end", () => {
  const lengths = [1.1, 2.3, 4.1, 9, MOST_TIMES].map(beyondBudget);
  assert.deepEqual(lengths, lengths.toSorted((a, b) => a - b));
  assert.equal(new Set(lengths).size, lengths.length);
  assert.ok(Math.abs((lengths.at(-1) ?? 0) - 100) < 1e-9);
  assert.equal(beyondBudget(1000), 100);
});
