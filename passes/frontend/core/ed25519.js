/**
 * Ed25519 signatures (RFC 8032): WebCrypto where the browser has it, else a JavaScript implementation, which is a file
 * of its own, because few browsers need it.
 */

/** @typedef {(signature: Uint8Array<ArrayBuffer>, message: Uint8Array<ArrayBuffer>, publicKey: Uint8Array<ArrayBuffer>) => Promise<boolean>} Verify */

/** @type {Verify} */
export async function verifyNatively(signature, message, publicKey) {
  const key = await crypto.subtle.importKey("raw", publicKey, "Ed25519", false, ["verify"]);
  return crypto.subtle.verify("Ed25519", key, signature, message);
}

/** Address of the JavaScript implementation; a page that checks signatures names it before it does. */
let scriptAddress = "";

/** @param {string} address */
export function useScript(address) {
  scriptAddress = address;
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
  if (!(await hasNative())) {
    /** @type {{verifyInScript: Verify}} */
    const { verifyInScript } = await import(scriptAddress);
    return verifyInScript(signature, message, publicKey);
  }
  try {
    return await verifyNatively(signature, message, publicKey);
  } catch {
    return false;
  }
}
