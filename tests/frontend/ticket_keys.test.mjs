/** Which ticket keys a device accepts, and when it draws ahead. */
import assert from "node:assert/strict";
import { test } from "node:test";
import { fromBase64Url, toBase64Url } from "../../passes/frontend/core/bytes.js";
import { LEAST_WAIT_MS, MOST_WAIT_MS, OPENING_MS, mayDraw, openPage, whoDraws } from "../../passes/frontend/core/openings.js";
import { sha256 } from "../../passes/frontend/core/secret.js";
import { fingerprintOf, judgeSet, pinKeys, pinOfToday, pinnedKey, readKeyList } from "../../passes/frontend/core/ticket_keys.js";
import { readTicketKey, spkiOf } from "../../passes/frontend/core/tickets.js";
import { readData } from "./vectors.mjs";

const { vectors, refused } = readData("ticket_vectors.json");
const START = vectors[0].epoch_start;
const EPOCH = { date: "2026-12-01", start: START, end: START + 28 * 3600 };
const jwk = (day, name) => vectors.find(({ key }) => key.epoch === day && key.class === name).key;
const COUNTED = jwk("2026-12-01", "counted");
const OTHER = jwk("2026-12-01", "other");

/** A well-formed key of the day, with an invented modulus. */
async function anotherKey(name, fill) {
  const modulus = new Uint8Array(256).fill(fill).with(0, 0x80).with(255, 1);
  const kid = (await sha256(spkiOf(modulus))).slice(0, 8);
  return { ...COUNTED, class: name, n: toBase64Url(modulus), kid: toBase64Url(kid) };
}

/** Return what a device that saw `pins` before accepts from a list. */
function seen(pins, keys, epochs = [EPOCH]) {
  const listed = readKeyList({ keys, epochs });
  const next = pinKeys(pins, listed, START);
  return { pins: next, judged: judgeSet(next, listed.find(({ epoch }) => epoch.date === EPOCH.date)) };
}

test("one good key a class is good, in whatever order", () => {
  for (const keys of [[COUNTED, OTHER], [OTHER, COUNTED]]) {
    const { pins, judged } = seen([], keys);
    assert.equal(judged, "good");
    assert.deepEqual(pinnedKey(pins[0], "counted"), readTicketKey(COUNTED));
    assert.equal(pins[0].second, false);
  }
});

test("days stand in their order, and a day that is named twice is no day", () => {
  const later = { date: "2026-12-02", start: START + 86_400, end: START + 86_400 + 28 * 3600 };
  assert.deepEqual(readKeyList({ keys: [], epochs: [later, EPOCH] }).map(({ epoch }) => epoch.date), ["2026-12-01", "2026-12-02"]);
  assert.deepEqual(readKeyList({ keys: [], epochs: [EPOCH, { ...EPOCH, start: START + 60, end: START + 60 + 28 * 3600 }] }), []);
  for (const odd of [null, [], {}, { keys: [] }, { keys: {}, epochs: {} }, { keys: [], epochs: [null, 3, { date: "x" }] }]) assert.deepEqual(readKeyList(odd), []);
});

test("a start that is no midnight of the day anywhere, or another length, is no day", () => {
  for (const change of [{ start: START + 86_400, end: START + 86_400 + 28 * 3600 }, { end: EPOCH.end + 1 }, { date: "2026-13-01" }, { start: `${START}` }]) {
    assert.deepEqual(readKeyList({ keys: [COUNTED, OTHER], epochs: [{ ...EPOCH, ...change }] }), [], JSON.stringify(change));
  }
});

test("nothing is drawn under a list with a key too many, too few, or one that is wrong", async () => {
  const third = await anotherKey("other", 5);
  const [short, three] = refused.filter(({ where }) => where === "key list").map(({ key }) => key);
  for (const keys of [[COUNTED], [OTHER], [], [COUNTED, OTHER, third], [COUNTED, COUNTED, OTHER], [short, OTHER], [three, OTHER], [COUNTED, { ...OTHER, class: "counted" }]]) {
    const { pins, judged } = seen([], keys);
    assert.equal(judged, "wrong");
    assert.deepEqual(pins, [], "what was not good is not believed later either");
  }
});

test("the first key stays: a second one is refused for ever, and noted", async () => {
  const { pins } = seen([], [COUNTED, OTHER]);
  const swapped = await anotherKey("counted", 9);
  const later = seen(pins, [swapped, OTHER]);
  assert.equal(later.judged, "changed");
  assert.equal(later.pins[0].second, true);
  assert.deepEqual(pinnedKey(later.pins[0], "counted"), readTicketKey(COUNTED), "tickets are spent under the first");
  const again = seen(later.pins, [swapped, OTHER]);
  assert.equal(again.judged, "changed");
  const back = seen(again.pins, [COUNTED, OTHER]);
  assert.equal(back.judged, "good", "the first itself stays good");
  assert.equal(back.pins[0].second, true, "and the device still says what happened");
});

test("a second key next to the first is refused too", async () => {
  const { pins } = seen([], [COUNTED, OTHER]);
  assert.equal(seen(pins, [COUNTED, OTHER, await anotherKey("counted", 9)]).judged, "changed");
  assert.equal(seen(pins, [await anotherKey("counted", 9), COUNTED, OTHER]).judged, "changed");
  assert.equal(seen(pins, []).judged, "wrong", "a key that is lost gives no tickets");
});

test("a start that moves is refused like a key that changes: both are signed", () => {
  const { pins } = seen([], [COUNTED, OTHER]);
  const moved = seen(pins, [COUNTED, OTHER], [{ ...EPOCH, start: START + 3600, end: START + 3600 + 28 * 3600 }]);
  assert.equal(moved.judged, "changed");
  assert.equal(moved.pins[0].epoch.start, START);
  assert.equal(moved.pins[0].second, true);
});

test("pins of days that have ended are dropped", () => {
  const { pins } = seen([], [COUNTED, OTHER]);
  assert.equal(pinKeys(pins, [], EPOCH.end - 1).length, 1);
  assert.equal(pinKeys(pins, [], EPOCH.end).length, 0);
});

test("the day that runs is the one that started last", () => {
  const pin = (start) => ({ epoch: { date: "", start, end: start + 28 * 3600 }, moduli: {}, second: false });
  const pins = [pin(START), pin(START + 86_400)];
  assert.equal(pinOfToday(pins, START + 3600), pins[0]);
  assert.equal(pinOfToday(pins, START + 86_400 + 3600), pins[1]);
  assert.equal(pinOfToday(pins, START - 1), undefined);
});

test("fingerprints equal the vectors, and show another start and exchanged keys", async () => {
  const shown = readData("ticket_fingerprints.json").vectors;
  assert.equal(shown.length, 2);
  for (const { epoch_start: start, counted, other, fingerprint } of shown) {
    const pin = { epoch: { date: "", start, end: 0 }, moduli: { counted: fromBase64Url(counted), other: fromBase64Url(other) }, second: false };
    assert.equal(await fingerprintOf(pin), fingerprint);
    assert.notEqual(await fingerprintOf({ ...pin, epoch: { ...pin.epoch, start: start + 1 } }), fingerprint);
    assert.notEqual(await fingerprintOf({ ...pin, moduli: { counted: pin.moduli.other, other: pin.moduli.counted } }), fingerprint);
  }
  assert.equal(await fingerprintOf({ epoch: EPOCH, moduli: {}, second: false }), null);
});

const NOW = 1_796_083_200_000;
const looking = { checksIn: false, random: () => 0.5 };
const checkingIn = { checksIn: true, random: () => 0.5 };

test("tickets are drawn after a random wait, never at once", () => {
  for (const share of [0, 0.5, 1]) {
    const opening = openPage(null, NOW, { checksIn: false, random: () => share });
    const waited = opening.drawAt - NOW;
    assert.equal(waited, LEAST_WAIT_MS + share * (MOST_WAIT_MS - LEAST_WAIT_MS));
    assert.equal(mayDraw(opening, opening.drawAt - 1), false);
    assert.equal(mayDraw(opening, opening.drawAt), true);
  }
  assert.equal(mayDraw(null, NOW), false);
});

test("an opening in which a check-in was begun draws nothing, before or after it", () => {
  const first = openPage(null, NOW, checkingIn);
  assert.equal(mayDraw(first, NOW + MOST_WAIT_MS), false);
  const then = openPage(first, NOW + 5 * 60_000, looking);
  assert.equal(mayDraw(then, NOW + 10 * 60_000), false, "the pass is shown at the door later in the same opening");
  const turned = openPage(openPage(null, NOW, looking), NOW + 1000, checkingIn);
  assert.equal(mayDraw(turned, NOW + MOST_WAIT_MS), false);
});

test("another opening begins after half an hour without a page, or when a clock was set back", () => {
  const first = openPage(null, NOW, checkingIn);
  assert.equal(openPage(first, NOW + OPENING_MS - 1, looking).checksIn, true);
  assert.equal(openPage(first, NOW + OPENING_MS, looking).checksIn, false);
  assert.equal(openPage(first, NOW - 1, looking).checksIn, false);
});

test("the wait goes on from page to page, and of several people one draws in an opening", () => {
  const first = openPage(null, NOW, looking);
  const second = openPage(first, NOW + 1000, { checksIn: false, random: () => 1 });
  assert.equal(second.drawAt, first.drawAt);
  assert.equal(mayDraw({ ...second, drewFor: "anna" }, NOW + MOST_WAIT_MS), false);
  assert.equal(openPage({ ...second, drewFor: "anna" }, NOW + OPENING_MS * 2, looking).drewFor, null);
});

test("who lacks most draws first, and nobody who lacks nothing", () => {
  assert.deepEqual(whoDraws([{ missing: 1 }, { missing: 15 }, { missing: 0 }]), { missing: 15 });
  assert.equal(whoDraws([{ missing: 0 }]), undefined);
  assert.equal(whoDraws([]), undefined);
});
