/**
 * Sealing of queued scans (HPKE, RFC 9180, base mode), so that a stolen kiosk gives away none.
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
/** Every scan has the length of every other: a reading or a long code cannot be told from the outside. */
const PADDED_TO = 512;

const suite = new CipherSuite({ kem: new DhkemX25519HkdfSha256(), kdf: new HkdfSha256(), aead: new Aes128Gcm() });

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
  const recipientPublicKey = await suite.kem.deserializePublicKey(sealingKey);
  const { enc, ct } = await suite.seal({ recipientPublicKey, info: INFO }, padded, utf8(scanId));
  return toBase64Url(concat(new Uint8Array(enc), new Uint8Array(ct)));
}
