/**
 * When a device draws tickets ahead. A draw contains the visitor's key and a check-in does not, but a draw minutes
 * before a check-in would reveal whose it is. So they never happen in the same session (*opening*) of the app, and of
 * several people on one device only one draws per opening.
 *
 * @typedef {object} Opening a period in which somebody uses the app
 * @property {number} lastAt  when the last page was opened, Unix milliseconds
 * @property {number} drawAt  when tickets may be drawn ahead, Unix milliseconds; random
 * @property {boolean} checksIn whether a check-in was started
 * @property {string | null} drewFor the person whose tickets were drawn
 */

/** After this time without a page of the app, the next page begins a new opening. */
export const OPENING_MS = 30 * 60_000;
/** Tickets are drawn after a random part of this time, and no sooner than `LEAST_WAIT_MS`. */
export const MOST_WAIT_MS = 75_000;
export const LEAST_WAIT_MS = 15_000;

/** @param {() => number} random 0..1 @returns {number} milliseconds */
function wait(random) {
  return LEAST_WAIT_MS + random() * (MOST_WAIT_MS - LEAST_WAIT_MS);
}

/**
 * @param {Opening | null} before
 * @param {number} nowMs
 * @param {{checksIn: boolean, random: () => number}} page
 * @returns {Opening} the continued one, or a new one
 */
export function openPage(before, nowMs, { checksIn, random }) {
  const goesOn = before !== null && nowMs >= before.lastAt && nowMs - before.lastAt < OPENING_MS;
  if (!goesOn) return { lastAt: nowMs, drawAt: nowMs + wait(random), checksIn, drewFor: null };
  return { ...before, lastAt: nowMs, checksIn: before.checksIn || checksIn };
}

/** @param {Opening | null} opening @param {number} nowMs @returns {boolean} */
export function mayDraw(opening, nowMs) {
  return opening !== null && !opening.checksIn && opening.drewFor === null && nowMs >= opening.drawAt;
}

/**
 * @template {{missing: number}} Candidate
 * @param {Candidate[]} candidates people of the device
 * @returns {Candidate | undefined} the one with the most missing days; undefined if no day is missing
 */
export function whoDraws(candidates) {
  return candidates.filter(({ missing }) => missing > 0).sort((a, b) => b.missing - a.missing)[0];
}
