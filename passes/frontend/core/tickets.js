/**
 * Tickets: drawn ahead with a blind signature, one spent per check-in, so that the server cannot tell who spends.
 *
 * RSABSSA-SHA384-PSS-Deterministic of RFC 9474. Nonce, salt and blinding factor follow from the secret, the epoch and
 * the key, so a key that was restored on a new phone has the same tickets again, and draws under two keys share
 * nothing. Nothing here uses a network or a store.
 *
 * @typedef {"counted" | "other"} TicketClass
 *
 * @typedef {object} TicketKey a public key of one class and epoch that passed every check
 * @property {string} date the epoch's day
 * @property {TicketClass} class
 * @property {Uint8Array<ArrayBuffer>} modulus 256 bytes
 * @property {Uint8Array<ArrayBuffer>} spki
 *
 * @typedef {object} BlindTicket the request for one ticket, and the values that unblind its response
 * @property {number} index 0..15
 * @property {Uint8Array<ArrayBuffer>} nonce 32 bytes
 * @property {Uint8Array<ArrayBuffer>} salt 48 bytes
 * @property {bigint} r
 * @property {bigint} inverse of `r`
 * @property {Uint8Array<ArrayBuffer>} blinded 256 bytes
 */
import { expand } from "@noble/hashes/hkdf.js";
import { hmac } from "@noble/hashes/hmac.js";
import { sha256 } from "@noble/hashes/sha2.js";
import { concat, equal, fromBase64Url, toBase64Url, u32, utf8 } from "./bytes.js";
import { PASSES_PER_EPOCH } from "./epoch.js";
import { invert, invertAll, powF4, toBytes, toNumber } from "./rsa.js";
import { hkdf } from "./secret.js";

/** Tickets `0` to `COUNTED - 1` are of the class `counted`. */
export const COUNTED = 3;
export const MODULUS_BYTES = 256;
export const NONCE_BYTES = 32;
/** @type {readonly TicketClass[]} */
export const CLASSES = ["counted", "other"];
const HASH_BYTES = 48;
const SALT_BYTES = 48;
const BLIND_BYTES = 272;
const KID_BYTES = 8;
const EXPONENT = "AQAB";
const TICKET_DOMAIN = utf8("crowdtrace/v1/ticket");
const EPOCH_DOMAIN = utf8("crowdtrace/v1/epoch");
/** DER of a SubjectPublicKeyInfo (RFC 5280, RFC 8017) around a modulus of 2,048 bits and the exponent 65537. */
const SPKI_HEAD = Uint8Array.of(0x30, 0x82, 0x01, 0x22, 0x30, 0x0d, 0x06, 0x09, 0x2a, 0x86, 0x48, 0x86, 0xf7, 0x0d, 0x01, 0x01, 0x01, 0x05, 0x00, 0x03, 0x82, 0x01, 0x0f, 0x00, 0x30, 0x82, 0x01, 0x0a, 0x02, 0x82, 0x01, 0x01, 0x00);
const SPKI_TAIL = Uint8Array.of(0x02, 0x03, 0x01, 0x00, 0x01);
const PSS = /** @type {const} */ ({ name: "RSA-PSS", hash: "SHA-384" });

/** @param {TicketClass} name @returns {number[]} the indexes of its tickets */
export function indexesOf(name) {
  const [from, to] = name === "counted" ? [0, COUNTED] : [COUNTED, PASSES_PER_EPOCH];
  return Array.from({ length: to - from }, (_, at) => from + at);
}

/** @param {number} index 0..15 @returns {TicketClass} */
export function classOf(index) {
  return index < COUNTED ? "counted" : "other";
}

/** @param {Uint8Array<ArrayBuffer>} modulus 256 bytes @returns {Uint8Array<ArrayBuffer>} */
export function spkiOf(modulus) {
  return concat(SPKI_HEAD, modulus, SPKI_TAIL);
}

/**
 * Parse a key. A modulus of another size, or a small exponent, would let a server mark the tickets that it signs.
 *
 * @param {any} jwk an entry of the published list
 * @returns {TicketKey | null} null for any key that does not match `docs/protocol.md` exactly
 */
export function readTicketKey(jwk) {
  if (jwk?.kty !== "RSA" || jwk.alg !== "PS384" || jwk.e !== EXPONENT || !CLASSES.includes(jwk.class)) return null;
  if (typeof jwk.epoch !== "string" || typeof jwk.n !== "string" || typeof jwk.kid !== "string") return null;
  try {
    const modulus = fromBase64Url(jwk.n);
    if (modulus.length !== MODULUS_BYTES) return null;
    if (/** @type {number} */ (modulus[0]) < 0x80 || /** @type {number} */ (modulus.at(-1)) % 2 === 0) return null;
    const spki = spkiOf(modulus);
    if (!equal(fromBase64Url(jwk.kid), sha256(spki).slice(0, KID_BYTES))) return null;
    return { date: jwk.epoch, class: jwk.class, modulus, spki };
  } catch {
    return null;
  }
}

/** @param {Uint8Array<ArrayBuffer>} secret @returns {Promise<Uint8Array<ArrayBuffer>>} `K_ticket` */
export function ticketRoot(secret) {
  return hkdf(secret, TICKET_DOMAIN);
}

/** @param {Uint8Array<ArrayBuffer>} root `K_ticket` @param {number} epochStart @param {TicketKey} key */
function seedOf(root, epochStart, key) {
  return hkdf(root, concat(EPOCH_DOMAIN, u32(epochStart), sha256(key.spki)));
}

/** @param {string} use @param {...number} places one byte each */
const info = (use, ...places) => concat(utf8(use), Uint8Array.from(places));

/** @param {Uint8Array} seed @param {number} index @returns {Uint8Array<ArrayBuffer>} */
function nonceOf(seed, index) {
  return new Uint8Array(hmac(sha256, seed, info("nonce", index)));
}

/**
 * @param {Uint8Array} seed
 * @param {number} index
 * @param {bigint} n
 * @param {(r: bigint) => boolean} fits
 * @returns {bigint} the first `r` above 1 that fits
 */
export function blindingFactor(seed, index, n, fits) {
  for (let count = 0; count < 256; count += 1) {
    const r = toNumber(expand(sha256, seed, info("blind", index, count), BLIND_BYTES)) % n;
    if (r > 1n && fits(r)) return r;
  }
  throw new RangeError("no blinding factor fits this modulus");
}

/** @param {number} epochStart @param {Uint8Array} nonce @returns {Uint8Array<ArrayBuffer>} what is signed */
export function ticketMessage(epochStart, nonce) {
  return concat(TICKET_DOMAIN, u32(epochStart), nonce);
}

/** @param {Uint8Array<ArrayBuffer>} bytes @returns {Promise<Uint8Array<ArrayBuffer>>} */
async function sha384(bytes) {
  return new Uint8Array(await crypto.subtle.digest("SHA-384", bytes));
}

/**
 * EMSA-PSS-ENCODE of RFC 8017, section 9.1.1, with SHA-384, MGF1 of it, and 2,047 bits.
 *
 * @param {Uint8Array<ArrayBuffer>} message
 * @param {Uint8Array<ArrayBuffer>} salt 48 bytes
 * @returns {Promise<Uint8Array<ArrayBuffer>>} 256 bytes
 */
export async function encodePss(message, salt) {
  const hash = await sha384(concat(new Uint8Array(8), await sha384(message), salt));
  const length = MODULUS_BYTES - HASH_BYTES - 1;
  const block = new Uint8Array(length);
  block[length - SALT_BYTES - 1] = 1;
  block.set(salt, length - SALT_BYTES);
  const blocks = Array.from({ length: Math.ceil(length / HASH_BYTES) }, (_, count) => sha384(concat(hash, u32(count))));
  const mask = concat(...(await Promise.all(blocks)));
  for (let at = 0; at < length; at += 1) block[at] = /** @type {number} */ (block[at]) ^ /** @type {number} */ (mask[at]);
  block[0] = /** @type {number} */ (block[0]) & 0x7f;
  return concat(block, hash, Uint8Array.of(0xbc));
}

/**
 * @param {Uint8Array<ArrayBuffer>} root `K_ticket`
 * @param {number} epochStart Unix seconds
 * @param {TicketKey} key
 * @param {number[]} indexes of tickets of the key's class
 * @returns {Promise<BlindTicket[]>}
 */
export async function blindTickets(root, epochStart, key, indexes) {
  const seed = await seedOf(root, epochStart, key);
  const n = toNumber(key.modulus);
  let factors = indexes.map((index) => blindingFactor(seed, index, n, () => true));
  let inverses = invertAll(factors, n);
  if (inverses === null) {
    // One of them shares a factor with n, which never happens for a product of two large primes.
    factors = indexes.map((index) => blindingFactor(seed, index, n, (r) => invert(r, n) !== null));
    inverses = /** @type {bigint[]} */ (invertAll(factors, n));
  }
  return Promise.all(
    indexes.map(async (index, at) => {
      const nonce = nonceOf(seed, index);
      const salt = new Uint8Array(expand(sha256, seed, info("salt", index), SALT_BYTES));
      const [r, inverse] = /** @type {[bigint, bigint]} */ ([factors[at], inverses[at]]);
      const encoded = toNumber(await encodePss(ticketMessage(epochStart, nonce), salt));
      return { index, nonce, salt, r, inverse, blinded: toBytes((encoded * powF4(r, n)) % n, MODULUS_BYTES) };
    }),
  );
}

/** @param {TicketKey} key @returns {Promise<CryptoKey>} */
export function verifierOf(key) {
  return crypto.subtle.importKey("spki", key.spki, PSS, false, ["verify"]);
}

/**
 * @param {CryptoKey} verifier
 * @param {number} epochStart
 * @param {Uint8Array<ArrayBuffer>} nonce
 * @param {Uint8Array<ArrayBuffer>} signature
 * @returns {Promise<boolean>}
 */
export function verifyTicket(verifier, epochStart, nonce, signature) {
  return crypto.subtle.verify({ name: "RSA-PSS", saltLength: SALT_BYTES }, verifier, signature, ticketMessage(epochStart, nonce));
}

/**
 * @param {BlindTicket} ticket
 * @param {TicketKey} key
 * @param {CryptoKey} verifier of the same key
 * @param {number} epochStart
 * @param {Uint8Array} answer blind signature of the server
 * @returns {Promise<Uint8Array<ArrayBuffer> | null>} the signature; null if it is invalid: such a ticket is never kept
 */
export async function unblindTicket(ticket, key, verifier, epochStart, answer) {
  const n = toNumber(key.modulus);
  const signed = toNumber(answer);
  if (answer.length !== MODULUS_BYTES || signed >= n) return null;
  const signature = toBytes((signed * ticket.inverse) % n, MODULUS_BYTES);
  return (await verifyTicket(verifier, epochStart, ticket.nonce, signature)) ? signature : null;
}

/**
 * @param {Uint8Array<ArrayBuffer>} root `K_ticket`
 * @param {number} epochStart
 * @param {TicketKey} key that the ticket was drawn under
 * @param {number} index
 * @param {Uint8Array<ArrayBuffer>} signature
 * @returns {Promise<string>} value of the `Authorization` header that spends it
 */
export async function ticketAuthorization(root, epochStart, key, index, signature) {
  const nonce = nonceOf(await seedOf(root, epochStart, key), index);
  return `Ticket ${toBase64Url(concat(nonce, signature))}`;
}
