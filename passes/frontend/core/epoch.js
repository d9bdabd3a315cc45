/**
 * Epochs and slots. An epoch starts at local midnight of the deployment and lasts exactly 28 hours; a slot is a
 * minute of it. The server publishes `{date, start, end}` with Unix seconds, so no time zone is computed here.
 * The protocol's numbers are those of `passes/limits.py`; tests compare both with `tests/data/limits.json`.
 *
 * @typedef {object} Epoch
 * @property {string} date  calendar day, `YYYY-MM-DD`
 * @property {number} start Unix seconds
 * @property {number} end   Unix seconds, `start` + 28 hours
 */

export const EPOCH_S = 28 * 3600;
export const SLOT_S = 60;
export const SLOTS = EPOCH_S / SLOT_S;
/** Check-in for an epoch opens this long before the epoch starts. */
export const CHECK_IN_OPENS_BEFORE_S = 24 * 3600;
/** A visitor draws at most this many passes an epoch. */
export const PASSES_PER_EPOCH = 16;
/** Visits and ratings are kept this long after the end of their epoch. */
export const VISIT_RETENTION_S = 14 * 24 * 3600;
/** A test can be reported up to this many days after it. */
export const OLDEST_TEST_DAYS = 28;

/**
 * @param {number} start Unix seconds of the epoch's start
 * @param {number} nowS  Unix seconds
 * @returns {number} the slot at that time: 1 in the first minute, `SLOTS` in the last, outside that before and after
 */
export function slotAt(start, nowS) {
  return 1 + Math.floor((nowS - start) / SLOT_S);
}

/**
 * @param {number} start Unix seconds of the epoch's start
 * @param {number} slot
 * @returns {number} Unix seconds at which the slot begins
 */
export function slotStart(start, slot) {
  return start + (slot - 1) * SLOT_S;
}
