/** The protocol's numbers in the browser; `tests/passes/test_limits.py` compares the server's with the same file. */
import assert from "node:assert/strict";
import { test } from "node:test";
import * as outlook from "../../crowdtrace/site/frontend/core/outlook.js";
import * as epoch from "../../passes/frontend/core/epoch.js";
import { readData } from "./vectors.mjs";

const limits = readData("limits.json");

test("the browser has the numbers of the protocol", () => {
  assert.equal(epoch.SLOTS, limits.SLOTS);
  assert.equal(epoch.SLOT_S, limits.SLOT_SECONDS);
  assert.equal(epoch.EPOCH_S, limits.EPOCH_SECONDS);
  assert.equal(epoch.CHECK_IN_OPENS_BEFORE_S, limits.CHECKIN_LEAD_SECONDS);
  assert.equal(epoch.PASSES_PER_EPOCH, limits.PASSES_PER_EPOCH);
  assert.equal(epoch.VISIT_RETENTION_S, limits.VISIT_RETENTION_DAYS * 24 * 3600);
  assert.equal(epoch.OLDEST_TEST_DAYS, limits.OLDEST_TEST_DAYS);
});

test("a visit leaves the outlook when it leaves the shield", () => {
  assert.equal(outlook.FULL_DAYS, limits.FULL_DAYS);
  assert.equal(outlook.GONE_DAYS, limits.GONE_DAYS);
});
