/** What staff see of today: counts and last lights, for one day. */
import assert from "node:assert/strict";
import { test } from "node:test";
import { Tally } from "../../passes/frontend/door/tally.js";

test("lights are counted by direction, and the last five are shown", () => {
  const tally = new Tally();
  for (const [light, type] of [["green", "Checkin"], ["green", "Checkout"], ["red", "Checkin"], ["red", "Checkout"], ["amber", "Checkin"], ["blue", "Checkin"]]) {
    tally.add(light, type, 1, "5/13/26");
  }
  assert.deepEqual(tally.counts, { in: 1, out: 1, red: 2 });
  assert.deepEqual(tally.last.map(({ light }) => light), ["blue", "amber", "red", "red", "green"]);
});

test("at midnight the counts begin again, with or without a scan", () => {
  const tally = new Tally();
  tally.add("green", "Checkin", 1, "5/13/26");
  tally.begin("5/13/26");
  assert.equal(tally.counts.in, 1);
  tally.begin("5/14/26");
  assert.deepEqual([tally.counts, tally.last], [{ in: 0, out: 0, red: 0 }, []]);
  tally.add("red", "Checkin", 2, "5/15/26");
  assert.deepEqual(tally.counts, { in: 0, out: 0, red: 1 });
});
