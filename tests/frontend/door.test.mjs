import assert from "node:assert/strict";
import { test } from "node:test";
import { Aes128Gcm, CipherSuite, DhkemX25519HkdfSha256, HkdfSha256 } from "@hpke/core";
import { encode } from "cborg";
import { derivePass, rotatingText } from "../../passes/frontend/core/book.js";
import { encodeBase45 } from "../../passes/frontend/core/base45.js";
import { fromBase64Url, toHex, utf8 } from "../../passes/frontend/core/bytes.js";
import { BundleError, openBundle } from "../../passes/frontend/door/bundle.js";
import { DoorClock } from "../../passes/frontend/door/clock.js";
import { decide } from "../../passes/frontend/door/decide.js";
import { countInside, moved } from "../../passes/frontend/door/inside.js";
import { ReplayBook } from "../../passes/frontend/door/replay.js";
import { openRows, sealRow } from "../../passes/frontend/door/replay_rows.js";
import { sealScan } from "../../passes/frontend/door/seal.js";
import { hex, readData } from "./vectors.mjs";

const vectors = readData("door_vectors.json");
const rootKey = hex(vectors.root_key);
const bundles = Object.fromEntries(
  await Promise.all(Object.entries(vectors.bundles).map(async ([door, text]) => [door, await openBundle(fromBase64Url(text), rootKey)])),
);
const book = await derivePass(hex(vectors.pass_key), vectors.epoch_start, 0);
const passBytes = hex(vectors.pass);
const paper = `GO1:${encodeBase45(passBytes)}`;
const newReplay = () => new ReplayBook(crypto.getRandomValues(new Uint8Array(32)));

/** Return how many people a kiosk counts as inside. */
const people = (door, replay, at) => (bundles[door].occupancy ? countInside(bundles[door].occupancy, replay.stays(), at) : null);

/** Return the code that the holder's screen shows some minutes after noon. */
const shown = (minutes = 0) => rotatingText(passBytes, book, 721 + minutes);

/** Decide and, if the visitor is admitted, remember the pass. */
async function scan(replay, text, { type = "Checkin", minutes = 0, door = "open", readings = {} } = {}) {
  const at = vectors.noon + minutes * 60;
  const decision = await decide({ text, type, at, readings, bundle: bundles[door], recall: (anchor, until) => replay.recall(anchor, until), people: people(door, replay, at) });
  if (decision.approved) replay.remember(decision.seen);
  return decision;
}

test("the kiosk decides every case as the server does, with the same cause", async () => {
  assert.ok(vectors.cases.length > 30);
  for (const row of vectors.cases) {
    const replay = newReplay();
    const readings = { temperatureF: row.temperature_f, o2: row.o2 };
    const decision = await decide({ text: row.text, type: row.type, at: row.at, readings, bundle: bundles[row.door], recall: (anchor, until) => replay.recall(anchor, until), people: people(row.door, replay, row.at) });
    assert.equal(decision.approved, row.approved, row.name);
    assert.equal(decision.cause, row.cause, row.name);
  }
});

test("every malformed credential of the shared list is declined", async () => {
  const rows = readData("malformed_passes.json");
  assert.ok(rows.length > 80);
  for (const row of rows) assert.equal((await scan(newReplay(), row.credential, { door: "static allowed" })).approved, false, row.name);
});

test("a code opens once, and the next minute's opens again", async () => {
  const replay = newReplay();
  assert.equal((await scan(replay, shown())).approved, true);
  assert.equal((await scan(replay, shown())).cause, "replay");
  assert.equal((await scan(replay, shown(-1))).cause, "replay", "who saw a code can compute the one before it");
  assert.equal((await scan(replay, shown(1), { minutes: 1 })).approved, true, "stepping out and in again");
});

test("leaving needs a fresh code of its own", async () => {
  const replay = newReplay();
  await scan(replay, shown());
  assert.equal((await scan(replay, shown(), { type: "Checkout" })).approved, true, "in and out in one minute");
  assert.equal((await scan(replay, shown(), { type: "Checkout" })).cause, "replay");
});

test("a paper pass opens again only after it left", async () => {
  const replay = newReplay();
  const door = "static allowed";
  assert.equal((await scan(replay, paper, { door })).approved, true);
  assert.equal((await scan(replay, paper, { door, minutes: 1 })).cause, "still_inside");
  assert.equal((await scan(replay, paper, { door, minutes: 2, type: "Checkout" })).approved, true);
  assert.equal((await scan(replay, paper, { door, minutes: 3 })).approved, true);
});

test("a paper pass opens again when its stay has timed out", async () => {
  const bundle = structuredClone(bundles["static allowed"]);
  bundle.requirements.usualDwellS = 3600;
  const replay = newReplay();
  const at = (minutes) => decide({ text: paper, type: "Checkin", at: vectors.noon + minutes * 60, readings: {}, bundle, recall: (anchor, until) => replay.recall(anchor, until) });
  replay.remember((await at(0)).seen);
  const early = await at(59);
  assert.equal(early.cause, "still_inside");
  assert.equal(early.estimated, true, "the server may know of a Checkout elsewhere");
  assert.equal((await at(60)).approved, true);
});

test("who came and left here since the count changes it, each head once", () => {
  const noon = vectors.noon;
  const count = (stays, at = noon + 60) => countInside({ countedAt: noon, still: [5, 4] }, stays, at);
  const inAt = (from, stays = []) => moved(stays, "Checkin", from, from + 3600);
  const outAt = (at, stays = []) => moved(stays, "Checkout", at, at + 3600);
  assert.equal(count([]), 5);
  assert.equal(count([inAt(noon + 10)]), 6, "came since");
  assert.equal(count([outAt(noon + 20, inAt(noon + 10))]), 5, "came and left since");
  assert.equal(count([inAt(noon - 10)]), 5, "was counted");
  assert.equal(count([outAt(noon + 20, inAt(noon - 10))]), 4, "was counted and left");
  assert.equal(count([inAt(noon + 30, outAt(noon + 20, inAt(noon - 10)))]), 5, "was counted, left and came back");
  assert.equal(count([outAt(noon + 20)]), 4, "came through another door and left through this one");
  assert.equal(count([inAt(noon + 30, inAt(noon - 10))]), 5, "stepped out and in without a Checkout");
  assert.equal(count([], noon + 900), 4, "one has timed out");
  assert.equal(count([], noon + 1800), 0, "all have");
  assert.equal(count([inAt(noon - 3000)], noon + 900), 4, "whoever has timed out is not taken off twice");
});

test("a full place takes nobody new, and says that this is an estimate", async () => {
  const replay = newReplay();
  const door = "room for three";
  const first = await scan(replay, shown(), { door });
  assert.equal(first.approved, true);
  assert.equal((await scan(replay, shown(1), { door, minutes: 1 })).approved, true, "who is inside takes no place");
  const stranger = await scan(newReplay(), shown(), { door: "three inside" });
  assert.deepEqual([stranger.cause, stranger.estimated], ["full", true]);
  assert.equal(people(door, replay, vectors.noon), 3);
});

test("a declined scan uses nothing up", async () => {
  const replay = newReplay();
  assert.equal((await scan(replay, shown(), { door: "readings" })).cause, "reading_missing");
  assert.equal((await scan(replay, shown(), { door: "readings", readings: { temperatureF: 98, o2: 99 } })).approved, true);
});

test("readings that are no numbers decline", async () => {
  for (const temperatureF of [Number.NaN, Number.POSITIVE_INFINITY]) {
    assert.equal((await scan(newReplay(), shown(), { door: "readings", readings: { temperatureF, o2: 99 } })).approved, false);
  }
});

test("an event opens a door outside its hours, from its start up to its end", async () => {
  const bundle = structuredClone(bundles["never open"]);
  bundle.requirements.openings = [[vectors.noon, vectors.noon + 60]];
  for (const [at, text, approved] of [[vectors.noon - 1, shown(-1), false], [vectors.noon, shown(), true], [vectors.noon + 60, shown(1), false]]) {
    const replay = newReplay();
    const decision = await decide({ text, type: "Checkin", at, readings: {}, bundle, recall: (anchor, until) => replay.recall(anchor, until) });
    assert.equal(decision.approved, approved, String(at));
  }
});

test("after the key was lost, only codes that may have been used under it are in doubt", async () => {
  const replay = new ReplayBook(new Uint8Array(32).fill(7), [], vectors.noon);
  const read = async (text) => (await scan(newReplay(), text, { minutes: 0 })).pass;
  assert.equal(replay.isForgotten(await read(shown(-1))), true);
  assert.equal(replay.isForgotten(await read(shown(1))), true, "a door takes codes a minute ahead");
  assert.equal(replay.isForgotten(await read(shown(2))), false);
  const known = await read(shown());
  replay.remember(replay.recall(known.anchor, known.validUntil));
  assert.equal(replay.isForgotten(known), false, "this page saw it itself");
  assert.equal(newReplay().isForgotten(known), false, "no key was lost");
});

test("rows of another key are unknown, and rows end with their passes", () => {
  const key = new Uint8Array(32).fill(1);
  const replay = new ReplayBook(key);
  replay.remember({ ...replay.recall(book.anchor, 2000), lastIn: 5 });
  const kept = [...replay.rows.values()];
  assert.equal(new ReplayBook(key, kept).recall(book.anchor, 2000).lastIn, 5);
  assert.equal(new ReplayBook(new Uint8Array(32), kept).recall(book.anchor, 2000).lastIn, 0);
  assert.ok(!JSON.stringify(kept).includes(toHex(book.anchor).slice(0, 16)));
  assert.deepEqual(replay.forget(1999), []);
  assert.deepEqual(replay.forget(2000), [kept[0].tag]);
  assert.equal(replay.rows.size, 0);
});

test("a bundle carries what the server signed", () => {
  const { venue, serverTime, goodUntil, keys, revocations, requirements } = bundles["full of limits"];
  assert.equal(venue, vectors.venue);
  assert.equal(serverTime, vectors.noon - 600);
  assert.equal(goodUntil, vectors.noon + 86400);
  assert.deepEqual(keys[0].epochs, [vectors.epoch_start]);
  assert.equal(revocations.entries.size, 1);
  assert.deepEqual(requirements, {
    version: 7, highestTemperatureF: 99.99, lowestO2: 90, capacity: 500, enforcedPercent: 33, hours: null,
    rotatingRequired: false, privateDoor: false, invitationEpochs: [], openings: [], usualDwellS: null,
  });
  assert.equal(bundles["full of limits"].occupancy, null);
  assert.deepEqual(bundles["three inside"].occupancy, { countedAt: vectors.noon - 600, still: [3, 2, 2] });
  assert.equal(bundles["three inside"].requirements.usualDwellS, 3600);
});

test("a bundle of another key, or with any byte changed, is refused", async () => {
  const bytes = fromBase64Url(vectors.bundles.open);
  await assert.rejects(openBundle(bytes, hex(vectors.stranger_key)), BundleError);
  for (let at = 0; at < bytes.length; at += 1) {
    const changed = bytes.slice();
    changed[at] ^= 1;
    await assert.rejects(openBundle(changed, rootKey), BundleError, `byte ${at}`);
  }
});

test("bytes that are no bundle are refused and never crash", async () => {
  const texts = [new Uint8Array(0), utf8("{}"), passBytes, encode([]), encode(new Map()), new Uint8Array(64).fill(0xff), new Uint8Array(5000).fill(0x81)];
  for (const bytes of texts) await assert.rejects(openBundle(new Uint8Array(bytes), rootKey), BundleError);
});

test("the server opens what the kiosk seals, and the kiosk's suite opens what the server seals", async () => {
  const suite = new CipherSuite({ kem: new DhkemX25519HkdfSha256(), kdf: new HkdfSha256(), aead: new Aes128Gcm() });
  const recipientKey = await suite.kem.deserializePrivateKey(hex(vectors.sealing_private));
  const open = async (sealed, aad) => {
    const bytes = fromBase64Url(sealed);
    const plain = await suite.open({ recipientKey, enc: bytes.slice(0, 32), info: utf8("crowdtrace/v1/scan") }, bytes.slice(32), utf8(aad));
    return new TextDecoder().decode(plain);
  };
  assert.equal(JSON.parse(await open(vectors.sealed, vectors.scan_id)).credential, "GO1:ABC");

  const body = { credential: shown(), type: "Checkin", scanned_at: "2025-11-23T12:00:00Z", kiosk_result: "Approved" };
  const sealed = await sealScan(bundles.open.sealingKey, "scan-1-of-this-test", body);
  const text = await open(sealed, "scan-1-of-this-test");
  assert.deepEqual(JSON.parse(text), body);
  assert.equal(text.length, 512);
  await assert.rejects(open(sealed, "scan-2-of-this-test"));
});

test("a browser without X25519 of its own seals with the one in JavaScript, and the server's suite opens it", async (t) => {
  const generate = crypto.subtle.generateKey.bind(crypto.subtle);
  t.mock.method(crypto.subtle, "generateKey", async (...asked) => {
    if (asked[0] === "X25519" || asked[0].name === "X25519") throw new DOMException("unknown", "NotSupportedError");
    return generate(...asked);
  });
  const fresh = await import("../../passes/frontend/door/seal.js?without-x25519");
  await assert.rejects(fresh.sealScan(bundles.open.sealingKey, "scan-3-of-this-test", {}), "without the file that has it");
  fresh.useSealingScript(new URL("../../passes/frontend/door/x25519_script.js", import.meta.url).href);
  const sealed = fromBase64Url(await fresh.sealScan(bundles.open.sealingKey, "scan-3-of-this-test", { type: "Checkin" }));
  const suite = new CipherSuite({ kem: new DhkemX25519HkdfSha256(), kdf: new HkdfSha256(), aead: new Aes128Gcm() });
  const recipientKey = await suite.kem.deserializePrivateKey(hex(vectors.sealing_private));
  const opened = await suite.open({ recipientKey, enc: sealed.slice(0, 32), info: utf8("crowdtrace/v1/scan") }, sealed.slice(32), utf8("scan-3-of-this-test"));
  assert.deepEqual(JSON.parse(new TextDecoder().decode(opened)), { type: "Checkin" });
});

test("a sealed scan has one length, with or without readings, for a code and for paper", async () => {
  const base = { type: "Checkin", scanned_at: "2025-11-23T12:00:00Z" };
  const lengths = new Set();
  for (const body of [{ ...base, credential: paper }, { ...base, credential: shown(), kiosk_result: "Declined", temperature_f: 98.6, o2: 97 }]) {
    lengths.add((await sealScan(bundles.open.sealingKey, "scan-0123456789abcdef", body)).length);
  }
  assert.equal(lengths.size, 1);
});

test("the door's clock follows the server and notices being set back", () => {
  let wall = 1_000_000;
  let timer = 0;
  const clock = new DoorClock({ wallMs: () => wall, timerMs: () => timer });
  clock.correct(5000);
  assert.equal(clock.now(), 5000.5, "half of the second that the server cut off");
  wall += 60_000;
  timer += 60_000;
  assert.equal(clock.now(), 5060.5);
  assert.equal(clock.isTrusted(5000), true);
  wall -= 3_600_000;
  assert.equal(clock.isTrusted(5000), false, "an hour back");
  clock.correct(5060);
  assert.equal(clock.isTrusted(5060), true, "a new bundle sets it right");
});

test("a clock within the second that the server cut off is right as it is", () => {
  const clock = new DoorClock({ wallMs: () => 5_000_900, timerMs: () => 0 });
  clock.correct(5000);
  assert.equal(clock.offsetS, 0);
  clock.correct(4999);
  assert.ok(Math.abs(clock.offsetS + 1.4) < 1e-6);
});

test("a clock earlier than the bundle's own time is not trusted, also on a fresh page", () => {
  const clock = new DoorClock({ wallMs: () => 4_000_000, timerMs: () => 0, offsetS: 0 });
  assert.equal(clock.isTrusted(5000), false);
  assert.equal(clock.isTrusted(4000), true);
});

test("a replay row tells nothing without its key, and all rows have one length", async () => {
  const key = crypto.getRandomValues(new Uint8Array(32));
  const seen = (lastIn, stays) => ({ tag: "0011223344556677", until: 1_800_000_000, lastIn, lastOut: 0, stays });
  const rows = await Promise.all([sealRow(key, seen(1, [])), sealRow(key, seen(900, [{ from: 1_799_990_000, until: 1_799_999_999 }]))]);
  assert.deepEqual(rows.map((row) => row.sealed.length), [540, 540]);
  assert.deepEqual((await openRows(key, rows)).map((row) => row.lastIn), [1, 900]);
  assert.deepEqual(await openRows(crypto.getRandomValues(new Uint8Array(32)), rows), []);
  assert.deepEqual(await openRows(key, [{ ...rows[0], tag: "7766554433221100" }]), [], "no row can stand for another");
});
