/**
 * Sealing of queued scans (HPKE, RFC 9180, base mode), so that a stolen kiosk reveals none.
 * `docs/protocol.md`, section 10.
 *
 * @typedef {object} Scan the body of `POST /api/v1/scans`
 * @property {string} credential
 * @property {import("./decide.js").ScanType} type
 * @property {string} scanned_at ISO 8601 in UTC
 * @property {"Approved" | "Declined"} [kiosk_result]
 * @property {number} [temperature_f]
 * @property {number} [o2]
 */
import { Aes128Gcm, CipherSuite, DhkemX25519HkdfSha256, HkdfSha256 } from "@hpke/core";
import { concat, toBase64Url, utf8 } from "../core/bytes.js";

const INFO = utf8("crowdtrace/v1/scan");
/** Length to which every scan is padded, so that it does not reveal a reading or a long code. */
const PADDED_TO = 512;

/** URL of X25519 in JavaScript, a separate file, because few browsers need it. */
let scriptAddress = "";

/** @param {string} address */
export function useSealingScript(address) {
  scriptAddress = address;
}

/** @type {CipherSuite | undefined} */
let made;

/** @returns {Promise<CipherSuite>} with WebCrypto's X25519 if the browser has it (Chrome since 133, Firefox 130, Safari 17) */
async function suite() {
  if (made) return made;
  const native = await crypto.subtle.generateKey("X25519", false, ["deriveBits"]).then(() => true, () => false);
  const Kem = native ? DhkemX25519HkdfSha256 : (await import(scriptAddress)).DhkemX25519HkdfSha256;
  made = new CipherSuite({ kem: new Kem(), kdf: new HkdfSha256(), aead: new Aes128Gcm() });
  return made;
}

/**
 * @param {Uint8Array<ArrayBuffer>} sealingKey raw X25519 public key from the bundle
 * @param {string} scanId
 * @param {Scan} scan
 * @returns {Promise<string>} base64url of the encapsulated key and the cipher text
 */
export async function sealScan(sealingKey, scanId, scan) {
  const text = utf8(JSON.stringify(scan));
  const padded = new Uint8Array(Math.ceil(text.length / PADDED_TO) * PADDED_TO).fill(0x20);
  padded.set(text);
  const sealing = await suite();
  const recipientPublicKey = await sealing.kem.deserializePublicKey(sealingKey);
  const { enc, ct } = await sealing.seal({ recipientPublicKey, info: INFO }, padded, utf8(scanId));
  return toBase64Url(concat(new Uint8Array(enc), new Uint8Array(ct)));
}
