import assert from "node:assert/strict";
import { test } from "node:test";
import { makeSecret, personalText, readPersonalText } from "../../passes/frontend/core/secret.js";
import { joinShares, readShare, splitSecret } from "../../passes/frontend/core/shares.js";

const origin = "https://crowd.example";

test("a personal text returns its secret, as an address or bare", () => {
  const secret = makeSecret();
  const text = personalText(origin, secret);
  assert.match(text, /^https:\/\/crowd\.example\/me#[A-Za-z0-9_-]{43}$/);
  assert.deepEqual(readPersonalText(text), secret);
  assert.deepEqual(readPersonalText(` ${text.split("#")[1]}\n`), secret);
});

test("texts without a whole secret restore nothing", () => {
  for (const text of ["", "#", origin, "GO1:ABC", personalText(origin, new Uint8Array(31)), personalText(origin, new Uint8Array(33)), personalText(origin, makeSecret()) + "A"]) {
    assert.equal(readPersonalText(text), null, text);
  }
});

test("any two of three parts restore the secret", async () => {
  const secret = makeSecret();
  const parts = (await splitSecret(origin, secret)).map(readShare);
  assert.equal(parts.length, 3);
  for (const pair of [[0, 1], [1, 2], [2, 0], [0, 1, 2]]) {
    assert.deepEqual(await joinShares(pair.map((at) => parts[at])), secret);
  }
});

test("one part, one part twice, or parts of two secrets restore nothing", async () => {
  const [a, b] = (await splitSecret(origin, makeSecret())).map(readShare);
  const others = (await splitSecret(origin, makeSecret())).map(readShare);
  assert.equal(await joinShares([a]), null);
  assert.equal(await joinShares([a, a]), null);
  for (const other of others) assert.equal(await joinShares([b, other]), null);
});

test("a misread part restores nothing", async () => {
  const [a, b] = (await splitSecret(origin, makeSecret())).map(readShare);
  b[5] ^= 1;
  assert.equal(await joinShares([a, b]), null);
});

test("a part is not taken for a whole secret, nor the other way round", async () => {
  const secret = makeSecret();
  const [part] = await splitSecret(origin, secret);
  assert.equal(readPersonalText(part), null);
  assert.equal(readShare(personalText(origin, secret)), null);
  assert.equal(readShare(`${origin}/me#part.AAAA`), null);
});
