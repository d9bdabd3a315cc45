/**
 * The random prompt. Voluntarily reported results are mostly positive ones, and from people who worry. So the app asks
 * a few people to report any result. A coin tossed on this device decides who; the server learns of it only with a
 * result.
 *
 * @typedef {object} Toss the coin of one person
 * @property {number} atMs when it was tossed
 * @property {boolean} asks
 * @property {boolean} settled answered, or declined
 */

const DAY_MS = 86_400_000;
/** Time between two tosses. */
export const ROUND_MS = 28 * DAY_MS;
/** Time for which the question is shown. */
export const OPEN_MS = 7 * DAY_MS;

/**
 * @param {Toss | undefined} before
 * @param {number} nowMs
 * @param {number} share of the tosses that ask
 * @param {() => number} random 0..1
 * @returns {Toss} the same until its round is over; a clock that was set back causes no earlier toss
 */
export function toss(before, nowMs, share, random) {
  if (before && nowMs - before.atMs < ROUND_MS) return before;
  return { atMs: nowMs, asks: random() < share, settled: false };
}

/** @param {Toss | undefined} tossed @param {number} nowMs @returns {boolean} whether the question is open */
export function isAsked(tossed, nowMs) {
  return tossed !== undefined && tossed.asks && !tossed.settled && nowMs - tossed.atMs < OPEN_MS;
}

/** @returns {number} 0 to below 1, from the device's random generator */
export function coin() {
  return (crypto.getRandomValues(new Uint32Array(1))[0] ?? 0) / 2 ** 32;
}
