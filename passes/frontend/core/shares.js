/**
 * The secret in three parts, any two of which restore it (Shamir 1979, over GF(256)).
 *
 * The split value includes a checksum of four bytes, so that two parts of different secrets, or a misread part, are
 * refused and never restore a wrong secret. One part alone reveals nothing about the secret.
 */
import { combine, split } from "shamir-secret-sharing";
import { concat, equal, fromBase64Url, toBase64Url } from "./bytes.js";
import { PERSONAL_PATH, SECRET_BYTES, sha256 } from "./secret.js";

export const SHARES = 3;
export const SHARES_NEEDED = 2;
const CHECK_BYTES = 4;
const SHARE_BYTES = SECRET_BYTES + CHECK_BYTES + 1;
const MARK = "part.";

/** @param {Uint8Array<ArrayBuffer>} secret @returns {Promise<Uint8Array<ArrayBuffer>>} */
async function check(secret) {
  return (await sha256(secret)).slice(0, CHECK_BYTES);
}

/**
 * @param {string} origin
 * @param {Uint8Array<ArrayBuffer>} secret
 * @returns {Promise<string[]>} the texts of three QR codes
 */
export async function splitSecret(origin, secret) {
  const parts = await split(concat(secret, await check(secret)), SHARES, SHARES_NEEDED);
  return parts.map((part) => `${origin}${PERSONAL_PATH}#${MARK}${toBase64Url(part)}`);
}

/** @param {string} text @returns {Uint8Array<ArrayBuffer> | null} its part, or null */
export function readShare(text) {
  const fragment = text.slice(text.indexOf("#") + 1).trim();
  if (!fragment.startsWith(MARK)) return null;
  try {
    const part = fromBase64Url(fragment.slice(MARK.length));
    return part.length === SHARE_BYTES ? part : null;
  } catch {
    return null;
  }
}

/**
 * @param {Uint8Array[]} parts two or three different parts
 * @returns {Promise<Uint8Array<ArrayBuffer> | null>} the secret, or null if the parts do not belong together
 */
export async function joinShares(parts) {
  const places = new Set(parts.map((part) => part.at(-1)));
  if (parts.length < SHARES_NEEDED || places.size !== parts.length) return null;
  const joined = new Uint8Array(await combine(parts));
  const secret = joined.slice(0, SECRET_BYTES);
  return equal(joined.slice(SECRET_BYTES), await check(secret)) ? secret : null;
}
