import assert from "node:assert/strict";
import { test } from "node:test";
import { decodeBase45, encodeBase45 } from "../../passes/frontend/core/base45.js";
import { concat, toHex } from "../../passes/frontend/core/bytes.js";
import { verify, verifyNatively } from "../../passes/frontend/core/ed25519.js";
import { verifyInScript } from "../../passes/frontend/core/ed25519_script.js";
import { parseCredential, PASS_BYTES, PREFIX, signedBytes } from "../../passes/frontend/core/pass.js";
import { hex, passVectors, readData } from "./vectors.mjs";

/** @param {Uint8Array} bytes */
const text = (bytes) => PREFIX + encodeBase45(bytes);
const vector = passVectors[0];
const good = hex(vector.pass_hex);

test("paper and screen texts of the vectors parse to their parts", () => {
  for (const row of passVectors) {
    for (const written of [row.credential, row.rotating]) {
      const pass = parseCredential(written);
      assert.equal(toHex(pass.bytes), row.pass_hex);
      assert.equal(toHex(pass.kid), row.kid);
      assert.equal(toHex(pass.anchor), row.anchor);
      assert.equal(pass.validFrom, row.epoch_start);
      assert.equal(pass.validUntil, row.epoch_start + 28 * 3600);
    }
    assert.equal(parseCredential(row.credential).shown, null);
    assert.equal(parseCredential(row.rotating).shown.slot, row.slot);
  }
});

test("the signature holds for the pass's own venue and for no other", async () => {
  for (const row of passVectors) {
    const pass = parseCredential(row.credential);
    for (const check of [verify, verifyNatively, verifyInScript]) {
      assert.equal(await check(pass.signature, signedBytes(pass, row.venue), hex(row.issuer_public)), true);
      assert.equal(await check(pass.signature, signedBytes(pass, `${row.venue}x`), hex(row.issuer_public)), false);
      assert.equal(await check(pass.signature, signedBytes(pass, ""), hex(row.issuer_public)), false);
    }
  }
});

test("a venue id longer than 255 bytes still gives a well-formed signed text", () => {
  const signed = signedBytes(parseCredential(vector.credential), "v".repeat(300));
  const afterHeader = 1 + 11 + 10; // array head, "Signature1", nine bytes of protected header
  assert.equal(toHex(signed.slice(afterHeader, afterHeader + 3)), "59012c");
});

test("every changed byte of the fixed frame is refused", () => {
  const holes = new Set([...range(8, 12), ...range(18, 22), ...range(24, 28), ...range(30, 46), ...range(48, 112)]);
  for (let at = 0; at < PASS_BYTES; at += 1) {
    const changed = good.slice();
    changed[at] ^= 1;
    assert.equal(parseCredential(text(changed)) !== null, holes.has(at), `byte ${at}`);
  }
});

test("every changed byte of a pass breaks its signature or its frame", async () => {
  for (let at = 0; at < PASS_BYTES; at += 1) {
    const changed = good.slice();
    changed[at] ^= 0x40;
    const pass = parseCredential(text(changed));
    const holds = pass !== null && (await verify(pass.signature, signedBytes(pass, vector.venue), hex(vector.issuer_public)));
    // The key id is covered by the signature as well.
    assert.equal(holds, false, `byte ${at}`);
  }
});

test("other spellings of the same claims are refused", () => {
  const trailing = concat(good, Uint8Array.of(0));
  const longInteger = concat(good.slice(0, 17), Uint8Array.of(0x1b, 0, 0, 0, 0), good.slice(18));
  const unprotected = concat(good.slice(0, 12), Uint8Array.of(0xa1, 0x04, 0x44, 1, 2, 3, 4), good.slice(13));
  for (const bytes of [trailing, longInteger, unprotected, good.slice(1), good.slice(0, -1), new Uint8Array(0)]) {
    assert.equal(parseCredential(text(bytes)), null);
  }
});

test("texts that only look like a pass are refused", () => {
  const { credential } = vector;
  const texts = ["", "GO1:", "GO2:" + credential.slice(4), credential.toLowerCase(), ` ${credential}`, `${credential} `, `${credential}\n`, credential.slice(4), credential.slice(0, -1), credential + "0", "GO1:" + ":".repeat(168), "https://example.org/me#x"];
  for (const written of texts) assert.equal(parseCredential(written), null, JSON.stringify(written));
});

test("random texts of the right length never throw and never parse", () => {
  const marks = "0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZ $%*+-./:aé€😀\u0000";
  for (let round = 0; round < 2000; round += 1) {
    const length = round % 2 ? 168 : 195;
    const random = Array.from(crypto.getRandomValues(new Uint8Array(length)), (byte) => marks[byte % marks.length]).join("");
    assert.equal(parseCredential(PREFIX + random), null);
  }
});

test("the rotating part is two bytes of slot and sixteen of value", () => {
  const bytes = decodeBase45(vector.rotating.slice(4));
  assert.equal(bytes.length, PASS_BYTES + 18);
  assert.deepEqual(bytes.slice(0, PASS_BYTES), good);
});

test("both Ed25519 implementations agree with the Wycheproof vectors", async () => {
  for (const group of readData("wycheproof/ed25519_test.json").testGroups) {
    const key = hex(group.publicKey.pk);
    for (const row of group.tests) {
      const expected = row.result === "valid";
      assert.equal(await verify(hex(row.sig), hex(row.msg), key), expected, `native ${row.tcId} ${row.comment}`);
      assert.equal(await verifyInScript(hex(row.sig), hex(row.msg), key), expected, `script ${row.tcId} ${row.comment}`);
    }
  }
});

/** @param {number} from @param {number} to */
function range(from, to) {
  return Array.from({ length: to - from }, (_, at) => from + at);
}
