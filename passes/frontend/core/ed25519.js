/**
 * Ed25519 signatures (RFC 8032): WebCrypto where the browser has it, else a JavaScript implementation.
 */
import { ed25519 } from "@noble/curves/ed25519.js";

/** @typedef {(signature: Uint8Array<ArrayBuffer>, message: Uint8Array<ArrayBuffer>, publicKey: Uint8Array<ArrayBuffer>) => Promise<boolean>} Verify */

/** @type {Verify} */
export async function verifyNatively(signature, message, publicKey) {
  const key = await crypto.subtle.importKey("raw", publicKey, "Ed25519", false, ["verify"]);
  return crypto.subtle.verify("Ed25519", key, signature, message);
}

/** RFC 8032 rules, not the looser ZIP 215 ones. @type {Verify} */
export async function verifyInScript(signature, message, publicKey) {
  try {
    return ed25519.verify(signature, message, publicKey, { zip215: false });
  } catch {
    return false;
  }
}

/** @type {Promise<boolean> | undefined} */
let native;

/** @returns {Promise<boolean>} whether this browser knows Ed25519, found out once by making a key */
function hasNative() {
  native ??= crypto.subtle.generateKey("Ed25519", false, ["sign", "verify"]).then(
    () => true,
    () => false,
  );
  return native;
}

/** A malformed key or signature is false, never an exception. @type {Verify} */
export async function verify(signature, message, publicKey) {
  if (signature.length !== 64 || publicKey.length !== 32) return false;
  if (!(await hasNative())) return verifyInScript(signature, message, publicKey);
  try {
    return await verifyNatively(signature, message, publicKey);
  } catch {
    return false;
  }
}
