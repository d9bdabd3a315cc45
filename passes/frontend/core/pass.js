/**
 * Strict parsing of a GO pass: COSE_Sign1 (RFC 9052) with Ed25519 over deterministic CBOR.
 *
 * Deterministic CBOR has one encoding only: every length and every map order is fixed, so a pass is a template of 112
 * bytes with four gaps (key id, end, start, anchor) and the signature. Comparison with the template refuses
 * duplicate keys, long integers, trailing bytes and unprotected headers in one step, without a CBOR decoder.
 *
 * @typedef {object} ParsedPass
 * @property {Uint8Array<ArrayBuffer>} bytes     the 112 signed bytes
 * @property {Uint8Array<ArrayBuffer>} kid       4 bytes
 * @property {number} validFrom  Unix seconds, start of the epoch
 * @property {number} validUntil Unix seconds, end of the epoch
 * @property {Uint8Array<ArrayBuffer>} anchor    16 bytes
 * @property {Uint8Array<ArrayBuffer>} signature 64 bytes
 * @property {{slot: number, value: Uint8Array<ArrayBuffer>} | null} shown the rotating part; null on paper
 */
import { decodeBase45 } from "./base45.js";
import { concat, equal, readU16, readU32, u32, utf8 } from "./bytes.js";

export const PREFIX = "GO1:";
export const PASS_BYTES = 112;
export const CHAIN_VALUE_BYTES = 16;
const SHOWN_BYTES = PASS_BYTES + 2 + CHAIN_VALUE_BYTES;
/** Base45 encodes 2 bytes as 3 characters: 168 for 112 bytes, 195 for 130. */
const TEXT_LENGTHS = new Map([
  [PREFIX.length + 168, PASS_BYTES],
  [PREFIX.length + 195, SHOWN_BYTES],
]);

const PROTECTED_HEAD = Uint8Array.of(0xa2, 0x01, 0x27, 0x04, 0x44);
const SIGN1_HEAD = concat(Uint8Array.of(0xd2, 0x84, 0x49), PROTECTED_HEAD);
const CLAIMS_START = Uint8Array.of(0xa0, 0x58, 0x1f);
const END_HEAD = Uint8Array.of(0xa3, 0x04, 0x1a);
const START_HEAD = Uint8Array.of(0x06, 0x1a);
const ANCHOR_HEAD = Uint8Array.of(0x07, 0x50);
const SIGNATURE_HEAD = Uint8Array.of(0x58, 0x40);

/**
 * @param {Uint8Array} kid @param {number} end @param {number} start @param {Uint8Array} anchor
 * @returns {{protectedHeader: Uint8Array<ArrayBuffer>, claims: Uint8Array<ArrayBuffer>}}
 */
function parts(kid, end, start, anchor) {
  return {
    protectedHeader: headerOf(kid),
    claims: concat(END_HEAD, u32(end), START_HEAD, u32(start), ANCHOR_HEAD, anchor),
  };
}

/**
 * @param {string} text from a reader
 * @returns {ParsedPass | null} null for any text that is not exactly one pass
 */
export function parseCredential(text) {
  if (!text.startsWith(PREFIX)) return null;
  const length = TEXT_LENGTHS.get(text.length);
  if (length === undefined) return null;
  const bytes = decodeBase45(text.slice(PREFIX.length));
  if (bytes === null || bytes.length !== length) return null;
  const pass = bytes.slice(0, PASS_BYTES);
  const parsed = {
    bytes: pass,
    kid: pass.slice(8, 12),
    validUntil: readU32(pass, 18),
    validFrom: readU32(pass, 24),
    anchor: pass.slice(30, 46),
    signature: pass.slice(48),
    shown: length === PASS_BYTES ? null : { slot: readU16(bytes, PASS_BYTES), value: bytes.slice(PASS_BYTES + 2) },
  };
  return equal(assemble(parsed), pass) ? parsed : null;
}

/** @param {Omit<ParsedPass, "bytes" | "shown">} pass @returns {Uint8Array<ArrayBuffer>} its only encoding */
function assemble({ kid, validFrom, validUntil, anchor, signature }) {
  const { claims } = parts(kid, validUntil, validFrom, anchor);
  return concat(SIGN1_HEAD, kid, CLAIMS_START, claims, SIGNATURE_HEAD, signature);
}

/**
 * Return the bytes that the issuer signed: `Sig_structure` of RFC 9052, section 4.4, with the venue's public id as
 * `external_aad`, so that a pass verifies for its venue only.
 *
 * @param {ParsedPass} pass
 * @param {string} venue public id
 * @returns {Uint8Array<ArrayBuffer>}
 */
export function signedBytes({ kid, validFrom, validUntil, anchor }, venue) {
  const { protectedHeader, claims } = parts(kid, validUntil, validFrom, anchor);
  return signatureInput(protectedHeader, utf8(venue), claims);
}

/** @param {Uint8Array} kid 4 bytes @returns {Uint8Array<ArrayBuffer>} the protected header of a message that this key signs */
export function headerOf(kid) {
  return concat(PROTECTED_HEAD, kid);
}

/**
 * @param {Uint8Array} header protected
 * @param {Uint8Array} aad `external_aad`
 * @param {Uint8Array} payload
 * @returns {Uint8Array<ArrayBuffer>} `Sig_structure` of RFC 9052, section 4.4
 */
export function signatureInput(header, aad, payload) {
  return concat(Uint8Array.of(0x84, 0x6a), utf8("Signature1"), byteString(header), byteString(aad), byteString(payload));
}

/** @param {Uint8Array} bytes @returns {Uint8Array<ArrayBuffer>} a CBOR byte string */
function byteString(bytes) {
  const { length } = bytes;
  if (length < 24) return concat(Uint8Array.of(0x40 | length), bytes);
  if (length < 256) return concat(Uint8Array.of(0x58, length), bytes);
  if (length < 65_536) return concat(Uint8Array.of(0x59, length >> 8, length & 0xff), bytes);
  return concat(Uint8Array.of(0x5a), u32(length), bytes);
}
