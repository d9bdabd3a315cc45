/** Ed25519 for browsers whose WebCrypto lacks it. */
import { ed25519 } from "@noble/curves/ed25519.js";

/** Verify by the rules of RFC 8032, not the looser ones of ZIP 215. @type {import("./ed25519.js").Verify} */
export async function verifyInScript(signature, message, publicKey) {
  try {
    return ed25519.verify(signature, message, publicKey, { zip215: false });
  } catch {
    return false;
  }
}
