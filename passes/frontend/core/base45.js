/** Strict Base45 (RFC 9285): two bytes are three characters, a last single byte is two. */

const ALPHABET = "0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZ $%*+-./:";
const VALUES = new Map(Array.from(ALPHABET, (mark, value) => [mark, value]));

/** @param {Uint8Array} bytes @returns {string} */
export function encodeBase45(bytes) {
  let text = "";
  for (let at = 0; at < bytes.length; at += 2) {
    const pair = at + 1 < bytes.length;
    let value = pair ? /** @type {number} */ (bytes[at]) * 256 + /** @type {number} */ (bytes[at + 1]) : /** @type {number} */ (bytes[at]);
    for (let mark = 0; mark < (pair ? 3 : 2); mark += 1) {
      text += ALPHABET[value % 45];
      value = Math.floor(value / 45);
    }
  }
  return text;
}

/**
 * @param {string} text
 * @returns {Uint8Array<ArrayBuffer> | null} null for anything that is not Base45
 */
export function decodeBase45(text) {
  if (text.length % 3 === 1) return null;
  /** @type {number[]} */
  const bytes = [];
  for (let at = 0; at < text.length; at += 3) {
    const marks = text.slice(at, at + 3);
    let value = 0;
    for (let place = marks.length - 1; place >= 0; place -= 1) {
      const digit = VALUES.get(/** @type {string} */ (marks[place]));
      if (digit === undefined) return null;
      value = value * 45 + digit;
    }
    if (value > (marks.length === 3 ? 0xffff : 0xff)) return null;
    if (marks.length === 3) bytes.push(value >> 8);
    bytes.push(value & 0xff);
  }
  return Uint8Array.from(bytes);
}
