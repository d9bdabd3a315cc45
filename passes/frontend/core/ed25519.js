/**
 * Ed25519 signatures (RFC 8032): WebCrypto if the browser supports it, else a JavaScript implementation in a separate
 * file, because few browsers need it.
 */

/** @typedef {(signature: Uint8Array<ArrayBuffer>, message: Uint8Array<ArrayBuffer>, publicKey: Uint8Array<ArrayBuffer>) => Promise<boolean>} Verify */

/** @type {Verify} */
export async function verifyNatively(signature, message, publicKey) {
  const key = await crypto.subtle.importKey("raw", publicKey, "Ed25519", false, ["verify"]);
  return crypto.subtle.verify("Ed25519", key, signature, message);
}

/** URL of the JavaScript implementation; a page sets it before it verifies signatures. */
let scriptAddress = "";

/** @param {string} address */
export function useScript(address) {
  scriptAddress = address;
}

/** @type {Promise<boolean> | undefined} */
let native;

/** @returns {Promise<boolean>} whether this browser supports Ed25519, tested once by generating a key */
function hasNative() {
  native ??= crypto.subtle.generateKey("Ed25519", false, ["sign", "verify"]).then(
    () => true,
    () => false,
  );
  return native;
}

/** Return false for a malformed key or signature, never throw. @type {Verify} */
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
