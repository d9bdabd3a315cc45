/** Randomness of a kiosk: ids without meaning, and orders that reveal nothing. */
import { toBase64Url } from "../core/bytes.js";

/** @returns {string} a scan id of 128 random bits */
export function newScanId() {
  return toBase64Url(crypto.getRandomValues(new Uint8Array(16)));
}

/**
 * Shuffle by Fisher and Yates, with unbiased draws.
 *
 * @template T
 * @param {readonly T[]} items
 * @returns {T[]}
 */
export function shuffled(items) {
  const mixed = [...items];
  for (let last = mixed.length - 1; last > 0; last -= 1) {
    const other = below(last + 1);
    [mixed[last], mixed[other]] = [/** @type {T} */ (mixed[other]), /** @type {T} */ (mixed[last])];
  }
  return mixed;
}

/** @param {number} limit @returns {number} 0..limit-1, uniform */
function below(limit) {
  const fair = Math.floor(2 ** 32 / limit) * limit;
  for (;;) {
    const [value] = crypto.getRandomValues(new Uint32Array(1));
    if (value !== undefined && value < fair) return value % limit;
  }
}
