import assert from "node:assert/strict";
import { test } from "node:test";
import { drawn, inTime, isInterval, usual } from "../../crowdtrace/site/frontend/core/drawn.js";
import { begun, completed, fitting } from "../../crowdtrace/site/frontend/core/names.js";

const SIGNALS = {
  names: ["day", "value", "stderr", "n"],
  kinds: ["date", "number", "number", "number"],
  rows: [["2020-10-15", -1.5, 2, 1], ["2020-10-14", 4, 1, null]],
  reach: 2,
};

test("lines are numbers but for the ends of intervals", () => {
  assert.deepEqual(usual(SIGNALS), { across: 0, lines: [1, 3] });
  assert.ok(isInterval(SIGNALS, 2));
});

test("days are in order and intervals are around the value", () => {
  const { x, lines, repeats } = drawn(SIGNALS, 0, [1]);
  assert.deepEqual(x, ["2020-10-14", "2020-10-15"]);
  assert.equal(repeats, false);
  assert.deepEqual(lines, [{ name: "value", values: [4, -1.5], low: [2, -5.5], high: [6, 2.5] }]);
});

test("named ends belong to their value, and sums have none", () => {
  const choice = {
    names: ["area", "low", "high", "total_count", "total_stderr"],
    kinds: ["label", "number", "number", "number", "number"],
    rows: [["b", 1, 9, 5, 1], ["a", 2, 4, 3, 1]],
    reach: 2,
  };
  assert.deepEqual(drawn(choice, 0, [3]).lines[0]?.low, [1, 2]);
  const repeated = { ...choice, rows: [...choice.rows, ["a", 2, 4, 10, 1]] };
  assert.deepEqual(drawn(repeated, 0, [3]), {
    x: ["b", "a"], repeats: true, lines: [{ name: "total_count", values: [5, 13], low: null, high: null }],
  });
});

test("names complete what was begun at the cursor", () => {
  const text = "SELECT ris FROM t";
  assert.equal(begun(text, 10), "ris");
  assert.deepEqual(fitting(["risklevel", "near", "o2", "is_risky"], "ris"), ["risklevel", "is_risky"]);
  assert.deepEqual(fitting(["risklevel"], "r"), []);
  assert.deepEqual(completed(text, 10, "risklevel"), { text: "SELECT risklevel FROM t", at: 16 });
});

test("no line is drawn across months without a day, and days are in order", () => {
  const made = inTime([4, 2, 1, 3, 100, 101], [[40, 20, 10, null, 1000, 1010]]);
  assert.deepEqual(made.times, [1, 2, 3, 4, 52, 100, 101]);
  assert.deepEqual(made.lines, [[10, 20, null, 40, null, 1000, 1010]]);
  assert.deepEqual(inTime([7, 14, 28], [[1, 2, 3]]).times, [7, 14, 28]);
  assert.deepEqual(inTime([], [[]]), { times: [], lines: [[]] });
});
