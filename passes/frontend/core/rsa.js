/**
 * Integers modulo an RSA modulus, for blinding, with BigInt because WebCrypto has no raw RSA.
 *
 * Nothing here runs in constant time: it could be timed only on the holder's own device.
 */

/** Number of squarings for `x^65537`: 65537 is 2^16 + 1. */
const SQUARINGS = 16;

/** @param {Uint8Array} bytes big endian @returns {bigint} */
export function toNumber(bytes) {
  let text = "0x0";
  for (const byte of bytes) text += byte.toString(16).padStart(2, "0");
  return BigInt(text);
}

/** @param {bigint} value not negative @param {number} length @returns {Uint8Array<ArrayBuffer>} big endian */
export function toBytes(value, length) {
  const text = value.toString(16).padStart(2 * length, "0");
  if (text.length > 2 * length) throw new RangeError("the number does not fit");
  return Uint8Array.from({ length }, (_, at) => Number.parseInt(text.slice(2 * at, 2 * at + 2), 16));
}

/** @param {bigint} base @param {bigint} modulus @returns {bigint} `base^65537` modulo `modulus` */
export function powF4(base, modulus) {
  let power = base;
  for (let step = 0; step < SQUARINGS; step += 1) power = (power * power) % modulus;
  return (power * base) % modulus;
}

/**
 * @param {bigint} value
 * @param {bigint} modulus
 * @returns {bigint | null} the inverse, by Euclid's extended algorithm; null if the two share a factor
 */
export function invert(value, modulus) {
  let [older, newer, before, after] = [modulus, value % modulus, 0n, 1n];
  while (newer !== 0n) {
    const quotient = older / newer;
    [older, newer] = [newer, older - quotient * newer];
    [before, after] = [after, before - quotient * after];
  }
  if (older !== 1n) return null;
  return before < 0n ? before + modulus : before;
}

/**
 * Invert several numbers at the cost of one inversion and three products each (Montgomery 1987, section 10.3.1).
 *
 * @param {bigint[]} values
 * @param {bigint} modulus
 * @returns {bigint[] | null} in the same order; null if one of them shares a factor with the modulus
 */
export function invertAll(values, modulus) {
  let product = 1n;
  const products = values.map((value) => {
    const before = product;
    product = (product * value) % modulus;
    return before;
  });
  const inverted = invert(product, modulus);
  if (inverted === null) return null;
  let rest = inverted;
  const inverses = new Array(values.length);
  for (let at = values.length - 1; at >= 0; at -= 1) {
    inverses[at] = (rest * /** @type {bigint} */ (products[at])) % modulus;
    rest = (rest * /** @type {bigint} */ (values[at])) % modulus;
  }
  return inverses;
}
