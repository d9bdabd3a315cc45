/** Drawing: which days are missing, and how long a request is. */
import assert from "node:assert/strict";
import { test } from "node:test";
import { toBase64Url } from "../../passes/frontend/core/bytes.js";
import { DAYS_AHEAD, missingDays, paddedBody } from "../../passes/frontend/core/draw.js";

const DAY_S = 86_400;
const START = 1_796_083_200;
const VALUE = toBase64Url(new Uint8Array(256));
const draw = (day) => ({ epoch: `2026-12-${String(day).padStart(2, "0")}`, counted: new Array(3).fill(VALUE), other: new Array(13).fill(VALUE) });

test("every request has the length of the longest, and fits the server's limit", () => {
  const lengths = Array.from({ length: 15 }, (_, days) => JSON.stringify(paddedBody(Array.from({ length: days + 1 }, (_, at) => draw(at + 1)))).length);
  assert.equal(new Set(lengths).size, 1);
  assert.ok(lengths[0] > 15 * 16 * 342 && lengths[0] < 96 * 1024);
  assert.equal(paddedBody(Array.from({ length: 15 }, (_, at) => draw(at + 1))).pad, "");
  assert.throws(() => paddedBody([]), RangeError);
});

/** A published day some days from today, with the keys that this device saw. */
function listed(day) {
  const start = START + day * DAY_S;
  const keys = ["counted", "other"].map((name) => ({ class: name, date: `day ${day}`, modulus: new Uint8Array(256).fill(day + 2) }));
  return { epoch: { date: `day ${day}`, start, end: start + 28 * 3600 }, keys, sound: true };
}

const pinned = ({ epoch, keys }) => ({ epoch, moduli: Object.fromEntries(keys.map((key) => [key.class, key.modulus])), second: false });
const days = Array.from({ length: 17 }, (_, at) => listed(at - 1));
const keys = { listed: days, pins: days.map(pinned) };
const set = (day, change = {}) => ({ person: "p", epoch: listed(day).epoch, epochStart: START + day * DAY_S, signatures: [], fromTop: false, ...change });
const NOON = START + DAY_S / 2;

test("today and the next fourteen days are drawn, no day whose check-in is closed, none further off", () => {
  assert.equal(DAYS_AHEAD, 14);
  assert.deepEqual(missingDays(keys, [], NOON).map(({ date }) => date), Array.from({ length: 15 }, (_, day) => `day ${day}`));
});

test("what lies on the phone is not drawn again, unless its key was changed for another", () => {
  const sets = Array.from({ length: 14 }, (_, day) => set(day));
  assert.deepEqual(missingDays(keys, sets, NOON).map(({ date }) => date), ["day 14"]);
  sets[3] = set(3, { signatures: null });
  assert.deepEqual(missingDays(keys, sets, NOON).map(({ date }) => date), ["day 3", "day 14"]);
});

test("a day with a key that changed, or without a sound pair, is left out and the others are drawn", () => {
  const swapped = days.map((day) => (day.epoch.date === "day 2" ? { ...day, keys: [{ ...day.keys[0], modulus: new Uint8Array(256) }, day.keys[1]] } : day));
  const missing = missingDays({ listed: swapped.map((day) => (day.epoch.date === "day 4" ? { ...day, sound: false } : day)), pins: keys.pins }, [], NOON);
  assert.equal(missing.length, 13);
  assert.ok(!missing.some(({ date }) => date === "day 2" || date === "day 4"));
});
