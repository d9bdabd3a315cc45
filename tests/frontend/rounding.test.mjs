import assert from "node:assert/strict";
import { test } from "node:test";
import { recovery, shieldIn } from "../../crowdtrace/site/frontend/core/outlook.js";
import { axisTop, left, shownPoints } from "../../crowdtrace/site/frontend/core/rounding.js";
import { readData } from "./vectors.mjs";

const VECTORS = readData("rounding.json");
const NOW = new Date("2026-05-13T10:00:00Z");
const DAY_MS = 24 * 3600 * 1000;

/** @param {number} cost @param {number} ageDays @returns {any} */
const visit = (cost, ageDays) => ({ shield_cost: shownPoints(cost), left: new Date(NOW.getTime() - ageDays * DAY_MS).toISOString() });

test("points, what is left and axes are those of the server", () => {
  for (const [points, shown] of VECTORS.points) assert.equal(shownPoints(points), shown);
  for (const [points, shown] of VECTORS.left) assert.equal(left(points), shown);
  for (const [most, top] of VECTORS.axis) assert.equal(axisTop(most), top);
});

test("today's outlook is the shield, and nothing comes back while visits count in full", () => {
  for (let cost = 0.005; cost < 120; cost *= 1.3) {
    const visits = [visit(cost, 1), visit(cost / 7, 0.2), visit(cost / 100, 3)];
    const spent = (cost + cost / 7 + cost / 100) / 100;
    assert.equal(shieldIn(visits, spent, NOW, 0), left(100 * spent));
    for (const days of [1, 5, 6.9]) assert.equal(shieldIn(visits, spent, NOW, days), left(100 * spent));
    assert.ok(recovery(visits, spent, NOW).every(({ days }) => days > 6));
  }
});

test("it never falls with time, is whole only once every visit is gone, and ends whole", () => {
  for (let cost = 0.005; cost < 120; cost *= 1.7) {
    const visits = [visit(cost, 9), visit(cost / 3, 2), visit(0.002, 0)];
    const spent = (cost + cost / 3 + 0.002) / 100;
    const course = Array.from({ length: 15 }, (_, days) => shieldIn(visits, spent, NOW, days));
    assert.deepEqual(course, course.toSorted((a, b) => a - b));
    assert.equal(course.findIndex((shield) => shield === 100), 14);
  }
});
