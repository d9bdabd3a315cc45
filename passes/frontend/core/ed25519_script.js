/** Ed25519 for browsers whose WebCrypto has none. */
import { ed25519 } from "@noble/curves/ed25519.js";

/** RFC 8032 rules, not the looser ZIP 215 ones. @type {import("./ed25519.js").Verify} */
export async function verifyInScript(signature, message, publicKey) {
  try {
    return ed25519.verify(signature, message, publicKey, { zip215: false });
  } catch {
    return false;
  }
}
