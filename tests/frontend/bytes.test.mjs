import assert from "node:assert/strict";
import { test } from "node:test";
import { decodeBase45, encodeBase45 } from "../../passes/frontend/core/base45.js";
import { fromBase64Url, fromHex, toBase64Url, toHex, utf8 } from "../../passes/frontend/core/bytes.js";

test("base45 gives the examples of RFC 9285", () => {
  for (const [plain, text] of [["AB", "BB8"], ["Hello!!", "%69 VD92EX0"], ["base-45", "UJCLQE7W581"], ["ietf!", "QED8WEX0"]]) {
    assert.equal(encodeBase45(utf8(plain)), text);
    assert.deepEqual(decodeBase45(text), utf8(plain));
  }
});

test("base45 refuses overflow, foreign marks and lengths that cannot be", () => {
  for (const text of ["GGX", ":::", "::", "A", "BB8A", "ab8", "BB,", "BB8\n"]) assert.equal(decodeBase45(text), null, text);
  assert.deepEqual(decodeBase45("FGW"), Uint8Array.of(0xff, 0xff));
  assert.deepEqual(decodeBase45(""), new Uint8Array(0));
});

test("base45 returns every byte string of every short length", () => {
  for (let length = 0; length < 40; length += 1) {
    const bytes = crypto.getRandomValues(new Uint8Array(length));
    assert.deepEqual(decodeBase45(encodeBase45(bytes)), bytes);
  }
});

test("base64url is unpadded and has one spelling only", () => {
  assert.equal(toBase64Url(Uint8Array.of(0xfb, 0xff)), "-_8");
  assert.deepEqual(fromBase64Url("-_8"), Uint8Array.of(0xfb, 0xff));
  for (const text of ["-_9", "-_8=", "+/8", "A", " AAA"]) assert.throws(() => fromBase64Url(text), TypeError, text);
});

test("hexadecimal text returns its bytes and refuses half a byte", () => {
  assert.equal(toHex(fromHex("00ff7A")), "00ff7a");
  assert.throws(() => fromHex("abc"), TypeError);
});
