/**
 * The secret and its derived keys (HKDF-SHA256 of RFC 5869, empty salt, 32 bytes each).
 *
 * The secret never leaves the device: the server sees `auth` with each visitor request, the hash of `erase` at
 * registration and `erase` itself only to delete the row. `pass` is the root of the pass book and is never sent.
 *
 * @typedef {object} VisitorKeys
 * @property {Uint8Array<ArrayBuffer>} auth
 * @property {Uint8Array<ArrayBuffer>} pass
 * @property {Uint8Array<ArrayBuffer>} erase
 */
import { fromBase64Url, toBase64Url, utf8 } from "./bytes.js";

export const SECRET_BYTES = 32;
/** The page that a personal QR opens; the secret is after the `#`, which browsers never send. */
export const PERSONAL_PATH = "/me";

/** @returns {Uint8Array<ArrayBuffer>} a new secret */
export function makeSecret() {
  return crypto.getRandomValues(new Uint8Array(SECRET_BYTES));
}

/**
 * @param {Uint8Array<ArrayBuffer>} key
 * @param {Uint8Array<ArrayBuffer>} info
 * @returns {Promise<Uint8Array<ArrayBuffer>>} 32 bytes
 */
export async function hkdf(key, info) {
  const material = await crypto.subtle.importKey("raw", key, "HKDF", false, ["deriveBits"]);
  const parameters = { name: "HKDF", hash: "SHA-256", salt: new Uint8Array(0), info };
  return new Uint8Array(await crypto.subtle.deriveBits(parameters, material, 256));
}

/** @param {Uint8Array<ArrayBuffer>} secret 32 bytes @returns {Promise<VisitorKeys>} */
export async function deriveKeys(secret) {
  if (secret.length !== SECRET_BYTES) throw new RangeError("a secret has 32 bytes");
  const [auth, pass, erase] = await Promise.all(
    ["auth", "pass", "erase"].map((use) => hkdf(secret, utf8(`crowdtrace/v1/${use}`))),
  );
  return /** @type {VisitorKeys} */ ({ auth, pass, erase });
}

/** @param {Uint8Array<ArrayBuffer>} bytes @returns {Promise<Uint8Array<ArrayBuffer>>} */
export async function sha256(bytes) {
  return new Uint8Array(await crypto.subtle.digest("SHA-256", bytes));
}

/** @param {VisitorKeys} keys @returns {string} value of the `Authorization` header of a visitor */
export function authorization(keys) {
  return `Visitor ${toBase64Url(keys.auth)}`;
}

/** @param {string} origin @param {Uint8Array} secret @returns {string} text of the personal QR */
export function personalText(origin, secret) {
  return `${origin}${PERSONAL_PATH}#${toBase64Url(secret)}`;
}

/**
 * Read a personal QR. The origin is not compared: a printout stays valid when a deployment moves.
 *
 * @param {string} text the whole URL, or only its fragment
 * @returns {Uint8Array<ArrayBuffer> | null} the secret, or null if the text has none
 */
export function readPersonalText(text) {
  const fragment = text.slice(text.indexOf("#") + 1).trim();
  try {
    const secret = fromBase64Url(fragment);
    return secret.length === SECRET_BYTES ? secret : null;
  } catch {
    return null;
  }
}
