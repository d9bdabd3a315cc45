/** Tickets: what a phone derives, blinds, finishes and refuses. */
import assert from "node:assert/strict";
import { webcrypto } from "node:crypto";
import { test } from "node:test";
import { concat, fromBase64Url, toBase64Url, toHex } from "../../passes/frontend/core/bytes.js";
import { invert, invertAll, powF4, toBytes, toNumber } from "../../passes/frontend/core/rsa.js";
import { blindTickets, blindingFactor, classOf, encodePss, indexesOf, readTicketKey, spkiOf, ticketAuthorization, ticketMessage, ticketRoot, unblindTicket, verifierOf, verifyTicket } from "../../passes/frontend/core/tickets.js";
import { readData } from "./vectors.mjs";

const { vectors, refused } = readData("ticket_vectors.json");
const bytes = fromBase64Url;
const one = (name) => refused.find(({ what }) => what === name);

/** Return what the phone computes from a vector: its key, its blinded ticket, and the verifier of signatures. */
async function drawn(vector) {
  const key = readTicketKey(vector.key);
  const root = await ticketRoot(bytes(vector.secret));
  const [ticket] = await blindTickets(root, vector.epoch_start, key, [vector.i]);
  return { key, root, ticket, verifier: await verifierOf(key) };
}

test("all that a phone derives equals the vectors, to the header that spends", async () => {
  assert.equal(vectors.length, 6);
  for (const vector of vectors) {
    const { key, root, ticket, verifier } = await drawn(vector);
    assert.equal(classOf(vector.i), vector.class);
    assert.equal(toBase64Url(ticket.nonce), vector.nonce);
    assert.equal(toBase64Url(ticket.salt), vector.salt);
    assert.equal(toBase64Url(toBytes(ticket.r, 256)), vector.r);
    assert.equal(toBase64Url(ticketMessage(vector.epoch_start, ticket.nonce)), vector.message);
    assert.equal(toBase64Url(ticket.blinded), vector.blinded);
    const signature = await unblindTicket(ticket, key, verifier, vector.epoch_start, bytes(vector.blind_signature));
    assert.equal(toBase64Url(signature), vector.signature);
    assert.equal(await ticketAuthorization(root, vector.epoch_start, key, vector.i, signature), vector.authorization);
  }
});

test("the encoding is the one that WebCrypto signs with the same salt", async () => {
  for (const vector of vectors) {
    const key = readTicketKey(vector.key);
    const opened = toBytes(powF4(toNumber(bytes(vector.signature)), toNumber(key.modulus)), 256);
    assert.deepEqual(await encodePss(bytes(vector.message), bytes(vector.salt)), opened);
  }
});

test("a set has three counted tickets and thirteen others", () => {
  assert.deepEqual(indexesOf("counted"), [0, 1, 2]);
  assert.deepEqual(indexesOf("other"), [3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15]);
});

test("a ticket follows from the key as well: under another key nothing is the same", async () => {
  const [vector] = vectors;
  const { root, ticket } = await drawn(vector);
  const other = readTicketKey(vectors.find(({ key }) => key.n !== vector.key.n).key);
  const [elsewhere] = await blindTickets(root, vector.epoch_start, other, [vector.i]);
  for (const part of ["nonce", "salt", "blinded"]) assert.notDeepEqual(elsewhere[part], ticket[part], part);
  assert.notEqual(elsewhere.r % 65_537n, ticket.r % 65_537n);
});

test("tickets of one set share no value", async () => {
  const { key, root } = await drawn(vectors[2]);
  const tickets = await blindTickets(root, vectors[2].epoch_start, key, indexesOf("other"));
  for (const part of ["nonce", "salt", "blinded"]) assert.equal(new Set(tickets.map((each) => toHex(each[part]))).size, 13);
});

test("what is blinded says nothing of the message: any message fits with some factor", async () => {
  const { key, ticket } = await drawn(vectors[0]);
  const n = toNumber(key.modulus);
  const encoded = toNumber(await encodePss(ticketMessage(vectors[0].epoch_start, ticket.nonce), ticket.salt));
  assert.equal((toNumber(ticket.blinded) * powF4(ticket.inverse, n)) % n, encoded);
  assert.notEqual(toNumber(ticket.blinded), encoded);
});

test("keys of another size, exponent or name are refused", () => {
  for (const { what, key } of refused.filter(({ where }) => where === "key list")) assert.equal(readTicketKey(key), null, what);
  const { key } = vectors[0];
  assert.ok(readTicketKey(key));
  const modulus = bytes(key.n);
  const even = modulus.with(255, modulus[255] & 0xfe);
  const wrong = {
    "another type": { kty: "EC" },
    "another algorithm": { alg: "RS256" },
    "another class": { class: "third" },
    "no epoch": { epoch: undefined },
    "the kid of another key": { kid: vectors[2].key.kid },
    "a kid of 9 bytes": { kid: toBase64Url(concat(bytes(key.kid), Uint8Array.of(0))) },
    "an even modulus": { n: toBase64Url(even) },
    "2,056 bits": { n: toBase64Url(concat(Uint8Array.of(1), modulus)) },
    "a modulus with a leading zero": { n: toBase64Url(concat(Uint8Array.of(0), modulus)) },
    "an exponent with a leading zero": { e: "AAEAAQ" },
    "padding": { n: `${key.n}=` },
    "a number for a text": { n: 5 },
  };
  for (const [what, change] of Object.entries(wrong)) assert.equal(readTicketKey({ ...key, ...change }), null, what);
  for (const what of [null, undefined, 3, "text", [], {}]) assert.equal(readTicketKey(what), null);
});

test("an even modulus is refused also under its own kid", async () => {
  const modulus = bytes(vectors[0].key.n).with(255, 2);
  const digest = new Uint8Array(await webcrypto.subtle.digest("SHA-256", spkiOf(modulus)));
  assert.equal(readTicketKey({ ...vectors[0].key, n: toBase64Url(modulus), kid: toBase64Url(digest.slice(0, 8)) }), null);
});

test("an answer that is no signature of the ticket is not kept", async () => {
  const [vector] = vectors;
  const { key, ticket, verifier } = await drawn(vector);
  const good = bytes(vector.blind_signature);
  const finish = (answer) => unblindTicket(ticket, key, verifier, vector.epoch_start, answer);
  for (const { what, blinded } of refused.filter(({ where }) => where === "draw")) assert.equal(await finish(bytes(blinded)), null, what);
  for (const at of [0, 100, 255]) assert.equal(await finish(good.with(at, good[at] ^ 1)), null, `bit ${at}`);
  assert.equal(await finish(good.slice(1)), null);
  assert.equal(await finish(concat(Uint8Array.of(0), good)), null);
  assert.equal(await finish(bytes(vectors[1].blind_signature)), null, "the answer to another ticket");
  assert.ok(await finish(good));
});

test("tickets that do not verify are refused: another nonce, a changed byte, another day", async () => {
  const [vector] = vectors;
  const { ticket, verifier } = await drawn(vector);
  for (const what of ["signature of another nonce", "last byte of the signature changed"]) {
    const ticketBytes = bytes(one(what).authorization.slice("Ticket ".length));
    assert.equal(await verifyTicket(verifier, vector.epoch_start, ticketBytes.slice(0, 32), ticketBytes.slice(32)), false, what);
  }
  const signature = bytes(vector.signature);
  assert.equal(await verifyTicket(verifier, vector.epoch_start + 86_400, ticket.nonce, signature), false);
  assert.equal(await verifyTicket(verifier, vector.epoch_start, ticket.nonce, signature), true);
});

test("the blinding factor is the first of its row that has an inverse", async () => {
  // A modulus of small primes, for which many candidates have no inverse.
  const small = [3n, 5n, 7n, 11n, 13n, 17n].reduce((product, prime) => product * prime, 1n);
  const seed = new Uint8Array(32).fill(7);
  let skipped = 0;
  for (let index = 0; index < 16; index += 1) {
    const first = blindingFactor(seed, index, small, () => true);
    const good = blindingFactor(seed, index, small, (r) => invert(r, small) !== null);
    if (invert(first, small) === null) skipped += 1;
    else assert.equal(good, first);
    assert.equal((good * invert(good, small)) % small, 1n);
  }
  assert.ok(skipped > 0 && skipped < 16);
  assert.throws(() => blindingFactor(seed, 0, 1n, () => true), RangeError);
});

test("blinding skips a factor without an inverse, wherever in the set it comes", async () => {
  // 2,048 bits and odd, so the list's checks accept it; many small primes divide it.
  const primes = [3n, 5n, 7n, 11n, 13n, 17n, 19n, 23n].reduce((product, prime) => product * prime, 1n);
  const n = primes * (((1n << 2047n) / primes + 2n) | 1n);
  const modulus = toBytes(n, 256);
  const key = { date: "", class: "other", modulus, spki: spkiOf(modulus) };
  const tickets = await blindTickets(new Uint8Array(32), 0, key, indexesOf("other"));
  for (const { r, inverse } of tickets) assert.equal((r * inverse) % n, 1n);
});

test("numbers become bytes and come back, inverses are inverses", () => {
  assert.deepEqual(toBytes(258n, 3), Uint8Array.of(0, 1, 2));
  assert.equal(toNumber(Uint8Array.of(0, 1, 2)), 258n);
  assert.equal(toNumber(new Uint8Array()), 0n);
  assert.throws(() => toBytes(256n, 1), RangeError);
  assert.equal(powF4(3n, 1_000_003n), 3n ** 65_537n % 1_000_003n);
  assert.deepEqual(invertAll([2n, 3n, 4n], 7n), [4n, 5n, 2n]);
  assert.equal(invertAll([2n, 3n, 4n], 9n), null);
  assert.deepEqual(invertAll([], 9n), []);
  assert.equal(invert(0n, 9n), null);
});
