/** What a visitor's device computes by itself: owners, outlook, reminders, the text of a poster. */
import assert from "node:assert/strict";
import test from "node:test";
import { byDay, recovery, shieldIn, weight } from "../../crowdtrace/site/frontend/core/outlook.js";
import { deriveOwners, derivePass } from "../../passes/frontend/core/book.js";
import { toBase64Url } from "../../passes/frontend/core/bytes.js";
import { MOST_OWNERS, ownerOf, ownersOf } from "../../passes/frontend/core/owners.js";
import { readPlaceText } from "../../passes/frontend/core/places.js";
import { calendarFile, rateable, toRate } from "../../passes/frontend/core/reminders.js";
import { deriveKeys } from "../../passes/frontend/core/secret.js";

const DAY_S = 86_400;
const START = 1_778_630_400;
const person = { id: "p", label: "", secret: Uint8Array.from({ length: 32 }, (_, at) => at), kept: true, registered: true };
const epochs = [0, 1, 2].map((day) => ({ date: `day ${day}`, start: START + day * DAY_S, end: START + day * DAY_S + 28 * 3600 }));

/** A pass as a device stores it. */
function kept(change = {}) {
  return { person: "p", epochStart: START, index: 3, epoch: epochs[0], venue: { id: "v_1", name: "The Corner" }, credential: "GO1:", ...change };
}

test("owners without their chains are the owners of the passes", async () => {
  const { pass } = await deriveKeys(person.secret);
  const whole = await derivePass(pass, START, 3);
  const [owner] = await deriveOwners(pass, START, [3]);
  assert.deepEqual(owner, whole.owner);
  assert.equal(await ownerOf(person, kept()), toBase64Url(whole.owner));
});

test("every place of every known day is named, however many passes there are", async () => {
  const none = await ownersOf(person, epochs, []);
  const some = await ownersOf(person, epochs, [kept()]);
  assert.equal(none.length, 48);
  assert.equal(new Set(none).size, 48);
  assert.deepEqual(some, none);
  assert.ok(none.includes(await ownerOf(person, kept())));
});

test("a pass of a former secret is named by the key that drew it", async () => {
  const former = await deriveKeys(new Uint8Array(32));
  const old = kept({ passKey: former.pass });
  const owners = await ownersOf(person, epochs, [old]);
  assert.equal(owners.length, 49);
  assert.equal(owners[0], await ownerOf(person, old));
  assert.notEqual(owners[0], await ownerOf(person, kept()));
});

test("no more owners are named than the server takes", async () => {
  const days = Array.from({ length: 80 }, (_, day) => ({ date: "", start: START + day * DAY_S, end: 0 }));
  assert.equal((await ownersOf(person, days, [])).length, MOST_OWNERS);
});

test("a visit counts in full for ten days and is gone after fourteen", () => {
  assert.deepEqual([0, 10, 12, 14, 20].map(weight), [1, 1, 0.5, 0, 0]);
});

const now = new Date(2026, 4, 13, 20, 0);
/** A visit that ended some days ago. */
function visit(daysAgo, cost) {
  const left = new Date(now.getTime() - daysAgo * DAY_S * 1000);
  return { venue: "v_1", arrived: new Date(left.getTime() - 3_600_000).toISOString(), left: left.toISOString(), dose: 1, shield_cost: cost, why: [] };
}

test("the shield comes back as visits fade", () => {
  const visits = [visit(0, 20), visit(9, 10)];
  assert.equal(shieldIn(visits, 0.3, now, 0), 70);
  assert.equal(shieldIn(visits, 0.3, now, 3), 75);
  assert.equal(shieldIn(visits, 0.3, now, 5), 80);
  assert.equal(shieldIn(visits, 0.3, now, 14), 100);
  const steps = recovery(visits, 0.3, now);
  assert.deepEqual(steps[0], { days: 2, shield: 72.5 });
  assert.equal(steps.at(-1).shield, 100);
  assert.equal(steps.at(-1).days, 14);
});

test("an overspent shield stays at nothing until enough has come back", () => {
  const visits = [visit(9, 150), visit(0, 100)];
  assert.equal(shieldIn(visits, 2.5, now, 1), 0);
  assert.equal(shieldIn(visits, 2.5, now, 14), 100);
  assert.ok(recovery(visits, 2.5, now)[0].days > 4);
});

test("an untouched shield has nothing to recover", () => {
  assert.deepEqual(recovery([], 0, now), []);
});

test("fourteen days are shown, quiet ones too", () => {
  const days = byDay([visit(0, 2), visit(0.1, 3), visit(5, 1), visit(20, 9)], now);
  assert.equal(days.length, 14);
  assert.equal(days.at(-1).points, 5);
  assert.equal(days.reduce((sum, { points }) => sum + points, 0), 6);
});

test("a poster opens a place or an event, whatever its origin and case, and nothing else", () => {
  assert.equal(readPlaceText("https://old.example/check-in/v_7h3kq2m4xz"), "/check-in/v_7h3kq2m4xz");
  assert.equal(readPlaceText("HTTPS://CROWD.EXAMPLE/VENUES/V_7H3KQ2M4XZ"), "/check-in/v_7h3kq2m4xz");
  assert.equal(readPlaceText("https://old.example/events/e_7h3kq2m4xz#Ab-1"), "/events/e_7h3kq2m4xz#Ab-1");
  for (const text of ["v_7h3kq2m4xz", "https://x.example/owner/v_7h3kq2m4xz", "javascript:alert(1)//venues/v_7h3kq2m4xz", "https://x.example/venues/v_1/../../owner", "GO1:ABC", ""]) {
    assert.equal(readPlaceText(text), null, text);
  }
});

test("visits can be rated from their day on for two weeks, unrated ones first", () => {
  const rated = kept({ index: 1, rated: { masks: 1, distancing: 1 } });
  const refused = kept({ index: 2, credential: null });
  assert.deepEqual(rateable([rated, refused, kept()], START).map(({ index }) => index), [3, 1]);
  assert.deepEqual(rateable([kept()], START - 1), []);
  assert.deepEqual(rateable([kept()], START + 28 * 3600 + 14 * DAY_S), []);
  assert.deepEqual(toRate([rated, kept()], START + 3600), []);
  assert.deepEqual(toRate([rated, kept()], START + DAY_S).map(({ index }) => index), [3]);
});

test("a reminder is a calendar file with an alarm", () => {
  const lines = calendarFile({ title: "Time, now", text: "a\nb", atS: START, uid: "u" }).split("\r\n");
  assert.ok(lines.includes("DTSTART:20260513T000000Z"));
  assert.ok(lines.includes("SUMMARY:Time\\, now"));
  assert.ok(lines.includes("DESCRIPTION:a\\nb"));
  assert.ok(lines.includes("BEGIN:VALARM"));
});

test("no line of a reminder is longer than 75 bytes, and none is cut in a character", () => {
  const text = "Ya es hora de salir: señal 👍 ".repeat(12);
  const file = calendarFile({ title: "Time", text, atS: START, uid: "u" });
  for (const line of file.split("\r\n")) assert.ok(new TextEncoder().encode(line).length <= 75, line);
  assert.ok(file.replaceAll("\r\n ", "").includes(`DESCRIPTION:${text}`));
});
