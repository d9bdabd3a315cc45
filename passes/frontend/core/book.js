/**
 * The pass book: the values that the device derives for pass `index` of an epoch, and the code that it shows at a door.
 *
 * The hash chain runs downwards from `x_1680` to the anchor `x_0`: showing a value reveals past values, never the next
 * one. HKDF comes from WebCrypto; the chain uses a synchronous SHA-256, because 1,680 awaited calls are slow.
 *
 * @typedef {object} BookPass
 * @property {number} epochStart Unix seconds
 * @property {number} index      0..15
 * @property {Uint8Array<ArrayBuffer>} anchor    16 bytes, the pass id
 * @property {Uint8Array<ArrayBuffer>} owner     32 bytes, stays on the device
 * @property {Uint8Array<ArrayBuffer>} ownerHash 32 bytes, goes to the server with the check-in
 * @property {Uint8Array<ArrayBuffer>[]} chain   `chain[j]` is `x_j`, 0..1680
 */
import { hmac } from "@noble/hashes/hmac.js";
import { sha256 } from "@noble/hashes/sha2.js";
import { encodeBase45 } from "./base45.js";
import { concat, u16, u32, utf8 } from "./bytes.js";
import { PASSES_PER_EPOCH, SLOTS } from "./epoch.js";
import { CHAIN_VALUE_BYTES, PREFIX } from "./pass.js";
import { hkdf } from "./secret.js";

const CHAIN_DOMAIN = utf8("crowdtrace/v1/chain");
const EPOCH_DOMAIN = utf8("crowdtrace/v1/epoch");

/** @param {Uint8Array} digest @returns {Uint8Array<ArrayBuffer>} */
function head(digest) {
  return new Uint8Array(digest.slice(0, CHAIN_VALUE_BYTES));
}

/**
 * Compute one step of the chain: `x_{j-1}` from `x_j`. A door computes the same steps to check a shown value.
 *
 * @param {number} epochStart Unix seconds
 * @param {number} slot       `j`, 1..1680
 * @param {Uint8Array} value  `x_j`, 16 bytes
 * @returns {Uint8Array<ArrayBuffer>} `x_{j-1}`
 */
export function stepDown(epochStart, slot, value) {
  return head(sha256(concat(CHAIN_DOMAIN, u32(epochStart), u16(slot), value)));
}

/** @param {Uint8Array<ArrayBuffer>} passKey @param {number} epochStart @returns {Promise<Uint8Array<ArrayBuffer>>} */
function epochSeed(passKey, epochStart) {
  return hkdf(passKey, concat(EPOCH_DOMAIN, u32(epochStart)));
}

/** @param {Uint8Array} seed @param {number} index @returns {Uint8Array<ArrayBuffer>} */
function ownerOf(seed, index) {
  return new Uint8Array(hmac(sha256, seed, concat(utf8("owner"), Uint8Array.of(index))));
}

/**
 * Derive the owners of passes of an epoch, without the chains, which only doors need.
 *
 * @param {Uint8Array<ArrayBuffer>} passKey `K_pass`
 * @param {number} epochStart Unix seconds
 * @param {Iterable<number>} indexes
 * @returns {Promise<Uint8Array<ArrayBuffer>[]>} owners, in the order of the indexes
 */
export async function deriveOwners(passKey, epochStart, indexes) {
  const seed = await epochSeed(passKey, epochStart);
  return Array.from(indexes, (index) => ownerOf(seed, index));
}

/**
 * @param {Uint8Array<ArrayBuffer>} passKey `K_pass`
 * @param {number} epochStart Unix seconds
 * @param {number} index 0..15
 * @returns {Promise<BookPass>}
 */
export async function derivePass(passKey, epochStart, index) {
  if (!Number.isInteger(index) || index < 0 || index >= PASSES_PER_EPOCH) throw new RangeError("no such pass in the book");
  const seed = await epochSeed(passKey, epochStart);
  const place = Uint8Array.of(index);
  /** @type {Uint8Array<ArrayBuffer>[]} */
  const chain = new Array(SLOTS + 1);
  let value = head(hmac(sha256, seed, concat(utf8("chain"), place)));
  chain[SLOTS] = value;
  for (let slot = SLOTS; slot > 0; slot -= 1) {
    value = stepDown(epochStart, slot, value);
    chain[slot - 1] = value;
  }
  const owner = ownerOf(seed, index);
  return { epochStart, index, anchor: value, owner, ownerHash: new Uint8Array(sha256(owner)), chain };
}

/**
 * Choose the next index of the book, which names a pass and a ticket. A phone goes up from 0, where the `counted` tickets
 * are. A phone whose key was restored goes down from 15: it does not know what the other phone spent, and a ticket that
 * is spent twice links two visits.
 *
 * @param {Iterable<number>} used indexes of this epoch that were spent or may have been
 * @param {boolean} fromTop
 * @returns {number | null} the next index, or null if the epoch's book is used up
 */
export function nextIndex(used, fromTop) {
  const next = fromTop ? Math.min(PASSES_PER_EPOCH, ...used) - 1 : Math.max(-1, ...used) + 1;
  return next >= 0 && next < PASSES_PER_EPOCH ? next : null;
}

/**
 * @param {Uint8Array} pass the signed bytes
 * @param {BookPass} book   the same pass of the book
 * @param {number} slot     1..1680
 * @returns {string | null} the text that a screen shows in that slot; null outside the epoch
 */
export function rotatingText(pass, book, slot) {
  const value = slot >= 1 ? book.chain[slot] : undefined;
  return value ? PREFIX + encodeBase45(concat(pass, u16(slot), value)) : null;
}
