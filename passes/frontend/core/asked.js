/**
 * The random prompt. Results that people report when they like are mostly positive ones, and from people who worry. So
 * the app asks a few to tell a result whatever it is. A coin tossed on this device decides who; the server learns of it
 * only what comes with a result.
 *
 * @typedef {object} Toss the coin of one person
 * @property {number} atMs when it was tossed
 * @property {boolean} asks
 * @property {boolean} settled answered, or declined
 */

const DAY_MS = 86_400_000;
/** One toss in so long. */
export const ROUND_MS = 28 * DAY_MS;
/** For so long the question stays. */
export const OPEN_MS = 7 * DAY_MS;

/**
 * @param {Toss | undefined} before
 * @param {number} nowMs
 * @param {number} share of the tosses that ask
 * @param {() => number} random 0..1
 * @returns {Toss} the same until its round is over; a clock that was turned back tosses no sooner
 */
export function toss(before, nowMs, share, random) {
  if (before && nowMs - before.atMs < ROUND_MS) return before;
  return { atMs: nowMs, asks: random() < share, settled: false };
}

/** @param {Toss | undefined} tossed @param {number} nowMs @returns {boolean} whether the question is open */
export function isAsked(tossed, nowMs) {
  return tossed !== undefined && tossed.asks && !tossed.settled && nowMs - tossed.atMs < OPEN_MS;
}

/** @returns {number} 0 to below 1, from the device's own source of randomness */
export function coin() {
  return (crypto.getRandomValues(new Uint32Array(1))[0] ?? 0) / 2 ** 32;
}
