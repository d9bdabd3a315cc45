/** The kiosk and the server agree on when a venue is open: `tests/venues/test_hours.py` reads the same table. */
import assert from "node:assert/strict";
import { test } from "node:test";
import { isOpen } from "../../passes/frontend/door/hours.js";
import { readData } from "./vectors.mjs";

const STEP_S = 420;
const seconds = (text) => Date.parse(text) / 1000;

for (const { what, zone, hours: week, from, to, open } of readData("opening_hours.json")) {
  test(what, () => {
    const hours = { zone, spans: week.flatMap((day, weekday) => day.map(([opens, closes]) => [weekday, opens, closes])) };
    const spans = open.map(([start, end]) => [seconds(start), seconds(end)]);
    const moments = spans.flatMap(([start, end]) => [start - 1, start, end - 1, end]);
    for (let at = seconds(from); at < seconds(to); at += STEP_S) moments.push(at);
    for (const at of moments.filter((moment) => seconds(from) <= moment && moment < seconds(to))) {
      const expected = spans.some(([start, end]) => start <= at && at < end);
      assert.equal(isOpen(hours, at), expected, new Date(at * 1000).toISOString());
    }
  });
}
