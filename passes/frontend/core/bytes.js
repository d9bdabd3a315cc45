/**
 * Bytes and their encodings as text. Decoding is strict: each value has exactly one valid encoding.
 */

const encoder = new TextEncoder();

/** @param {string} text @returns {Uint8Array<ArrayBuffer>} its UTF-8 bytes */
export function utf8(text) {
  return new Uint8Array(encoder.encode(text));
}

/** @param {...Uint8Array} parts @returns {Uint8Array<ArrayBuffer>} the parts joined */
export function concat(...parts) {
  const joined = new Uint8Array(parts.reduce((length, part) => length + part.length, 0));
  let offset = 0;
  for (const part of parts) {
    joined.set(part, offset);
    offset += part.length;
  }
  return joined;
}

/** @param {Uint8Array} a @param {Uint8Array} b @returns {boolean} whether both have the same bytes */
export function equal(a, b) {
  return a.length === b.length && a.every((byte, at) => byte === b[at]);
}

/** @param {number} value 0..65535 @returns {Uint8Array<ArrayBuffer>} two bytes, big endian */
export function u16(value) {
  const bytes = new Uint8Array(2);
  new DataView(bytes.buffer).setUint16(0, value);
  return bytes;
}

/** @param {number} value 0..2^32-1 @returns {Uint8Array<ArrayBuffer>} four bytes, big endian */
export function u32(value) {
  const bytes = new Uint8Array(4);
  new DataView(bytes.buffer).setUint32(0, value);
  return bytes;
}

/** @param {Uint8Array} bytes @param {number} [offset] @returns {number} two bytes read big endian */
export function readU16(bytes, offset = 0) {
  return new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength).getUint16(offset);
}

/** @param {Uint8Array} bytes @param {number} [offset] @returns {number} four bytes read big endian */
export function readU32(bytes, offset = 0) {
  return new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength).getUint32(offset);
}

/** @param {Uint8Array} bytes @returns {string} lower-case hexadecimal text */
export function toHex(bytes) {
  return Array.from(bytes, (byte) => byte.toString(16).padStart(2, "0")).join("");
}

/** @param {string} text hexadecimal, two digits a byte @returns {Uint8Array<ArrayBuffer>} */
export function fromHex(text) {
  if (!/^([0-9a-f]{2})*$/i.test(text)) throw new TypeError("not hexadecimal text");
  return Uint8Array.from(text.match(/../g) ?? [], (pair) => Number.parseInt(pair, 16));
}

/** @param {Uint8Array} bytes @returns {string} base64url without padding (RFC 4648, section 5) */
export function toBase64Url(bytes) {
  let binary = "";
  for (const byte of bytes) binary += String.fromCharCode(byte);
  return btoa(binary).replaceAll("+", "-").replaceAll("/", "_").replace(/=+$/, "");
}

/**
 * @param {string} text base64url without padding
 * @returns {Uint8Array<ArrayBuffer>}
 * @throws {TypeError} for padding, invalid characters, or unused bits that are not zero
 */
export function fromBase64Url(text) {
  if (!/^[A-Za-z0-9_-]*$/.test(text) || text.length % 4 === 1) throw new TypeError("not base64url text");
  const bytes = Uint8Array.from(atob(text.replaceAll("-", "+").replaceAll("_", "/")), (mark) => mark.charCodeAt(0));
  if (toBase64Url(bytes) !== text) throw new TypeError("not canonical base64url text");
  return bytes;
}
