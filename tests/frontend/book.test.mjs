import assert from "node:assert/strict";
import { test } from "node:test";
import { derivePass, nextIndex, rotatingText, stepDown } from "../../passes/frontend/core/book.js";
import { toHex } from "../../passes/frontend/core/bytes.js";
import { EPOCH_S, SLOTS, slotAt, slotStart } from "../../passes/frontend/core/epoch.js";
import { parseCredential } from "../../passes/frontend/core/pass.js";
import { authorization, deriveKeys, hkdf } from "../../passes/frontend/core/secret.js";
import { hex, passVectors, readData } from "./vectors.mjs";

test("keys of a secret equal the vectors", async () => {
  for (const vector of passVectors) {
    const keys = await deriveKeys(hex(vector.secret));
    assert.equal(toHex(keys.auth), vector.k_auth);
    assert.equal(toHex(keys.pass), vector.k_pass);
    assert.equal(toHex(keys.erase), vector.k_erase);
    assert.match(authorization(keys), /^Visitor [A-Za-z0-9_-]{43}$/);
  }
});

test("a secret of another length derives nothing", async () => {
  await assert.rejects(deriveKeys(new Uint8Array(31)), RangeError);
});

test("HKDF agrees with the Wycheproof vectors that have no salt and 32 bytes", async () => {
  let seen = 0;
  for (const group of readData("wycheproof/hkdf_sha256_test.json").testGroups) {
    for (const row of group.tests) {
      if (row.salt !== "" || row.size !== 32 || row.result !== "valid") continue;
      assert.equal(toHex(await hkdf(hex(row.ikm), hex(row.info))), row.okm, row.comment);
      seen += 1;
    }
  }
  assert.ok(seen > 0, "the file holds such rows");
});

test("anchor, owner, chain and shown text equal the vectors", async () => {
  for (const vector of passVectors) {
    const pass = await derivePass(hex(vector.k_pass), vector.epoch_start, vector.index);
    assert.equal(toHex(pass.anchor), vector.anchor);
    assert.equal(toHex(pass.chain[0]), vector.anchor);
    assert.equal(toHex(pass.chain[1]), vector.x_1);
    assert.equal(toHex(pass.chain[SLOTS]), vector.x_last);
    assert.equal(toHex(pass.owner), vector.owner);
    assert.equal(toHex(pass.ownerHash), vector.owner_hash);
    assert.equal(slotAt(vector.epoch_start, vector.shown_at), vector.slot);
    assert.equal(rotatingText(parseCredential(vector.credential).bytes, pass, vector.slot), vector.rotating);
  }
});

test("walking down from any slot reaches the anchor", async () => {
  const { anchor, chain } = await derivePass(new Uint8Array(32), 1_763_856_000, 7);
  for (const from of [1, 2, 59, SLOTS]) {
    let value = chain[from];
    for (let slot = from; slot > 0; slot -= 1) value = stepDown(1_763_856_000, slot, value);
    assert.deepEqual(value, anchor);
  }
});

test("passes of one epoch share neither anchor nor owner", async () => {
  const passes = await Promise.all(Array.from({ length: 16 }, (_, index) => derivePass(new Uint8Array(32).fill(9), 1_763_856_000, index)));
  assert.equal(new Set(passes.map((pass) => toHex(pass.anchor))).size, 16);
  assert.equal(new Set(passes.map((pass) => toHex(pass.owner))).size, 16);
});

test("the book of an epoch has sixteen passes, used in order", async () => {
  assert.equal(nextIndex([], false), 0);
  assert.equal(nextIndex([0, 1], false), 2);
  assert.equal(nextIndex([5], false), 6, "a gap is never filled: its index may have been sent");
  assert.equal(nextIndex(Array.from({ length: 16 }, (_, index) => index), false), null);
  for (const index of [-1, 16, 1.5]) await assert.rejects(derivePass(new Uint8Array(32), 0, index), RangeError);
});

test("a key that was brought back uses its book from the end, and meets the other phone only when all is used", () => {
  assert.equal(nextIndex([], true), 15);
  assert.equal(nextIndex([15, 14], true), 13);
  assert.equal(nextIndex([0], true), null);
  const [up, down] = [[], []];
  for (let turn = 0; turn < 8; turn += 1) {
    up.push(nextIndex(up, false));
    down.push(nextIndex(down, true));
  }
  assert.equal(new Set([...up, ...down]).size, 16);
});

test("slots run from the first minute to the last of 28 hours", () => {
  const start = 1_763_856_000;
  assert.equal(slotAt(start, start - 1), 0);
  assert.equal(slotAt(start, start), 1);
  assert.equal(slotAt(start, start + 59.9), 1);
  assert.equal(slotAt(start, start + 60), 2);
  assert.equal(slotAt(start, start + EPOCH_S - 1), SLOTS);
  assert.equal(slotAt(start, start + EPOCH_S), SLOTS + 1);
  assert.equal(slotStart(start, 1), start);
});

test("no text is shown before the first slot or after the last", async () => {
  const vector = passVectors[0];
  const pass = await derivePass(hex(vector.k_pass), vector.epoch_start, vector.index);
  const { bytes } = parseCredential(vector.credential);
  assert.equal(rotatingText(bytes, pass, 0), null, "the anchor is public and never shown as a code");
  assert.equal(rotatingText(bytes, pass, SLOTS + 1), null);
});
