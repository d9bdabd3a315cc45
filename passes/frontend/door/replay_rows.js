/**
 * Stored replay rows: encrypted with the key in memory, all of one length, so that a stolen kiosk reveals neither when
 * somebody came nor how long they stayed.
 *
 * @typedef {import("./decide.js").Seen} Seen
 * @typedef {{tag: string, sealed: Uint8Array<ArrayBuffer>}} SealedRow
 */
import { hmac } from "@noble/hashes/hmac.js";
import { sha256 } from "@noble/hashes/sha2.js";
import { concat, utf8 } from "../core/bytes.js";

const LABEL = utf8("crowdtrace/v1/replay-row");
const NONCE_BYTES = 12;
/** Size of a row, enough for a dozen re-entries in a day; larger rows grow in steps of it. */
const PADDED_TO = 512;

/** @param {Uint8Array} key the replay key, 32 bytes */
function rowKey(key) {
  return crypto.subtle.importKey("raw", new Uint8Array(hmac(sha256, key, LABEL)), "AES-GCM", false, ["encrypt", "decrypt"]);
}

/** @param {Uint8Array} key @param {Seen} seen @returns {Promise<SealedRow>} */
export async function sealRow(key, seen) {
  const text = utf8(JSON.stringify(seen));
  const padded = new Uint8Array(Math.ceil(text.length / PADDED_TO) * PADDED_TO).fill(0x20);
  padded.set(text);
  const iv = crypto.getRandomValues(new Uint8Array(NONCE_BYTES));
  const sealed = await crypto.subtle.encrypt({ name: "AES-GCM", iv, additionalData: utf8(seen.tag) }, await rowKey(key), padded);
  return { tag: seen.tag, sealed: concat(iv, new Uint8Array(sealed)) };
}

/** @param {Uint8Array} key @param {SealedRow[]} rows @returns {Promise<Seen[]>} those that were encrypted with this key */
export async function openRows(key, rows) {
  const secret = await rowKey(key);
  const opened = rows.map(async ({ tag, sealed }) => {
    const parameters = { name: "AES-GCM", iv: sealed.subarray(0, NONCE_BYTES), additionalData: utf8(tag) };
    const text = await crypto.subtle.decrypt(parameters, secret, sealed.subarray(NONCE_BYTES)).catch(() => null);
    return text && /** @type {Seen} */ (JSON.parse(new TextDecoder().decode(text)));
  });
  return (await Promise.all(opened)).filter((seen) => seen !== null);
}
