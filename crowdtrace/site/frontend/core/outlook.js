/**
 * The response of `/shield` by day: what each day cost, and how the shield recovers.
 *
 * A visit counts in full for ten days, then gradually less until fourteen days (`risk/model/shield.py`;
 * `tests/data/limits.json` checks that both use the same days).
 *
 * @typedef {{venue: string, arrived: string, left: string | null, dose: number, shield_cost: number, why: {code: string, text: string}[], infection_probability: number, like: Comparison | null}} Visit
 * @typedef {{kind: string, minutes: number}} Comparison
 * @typedef {{day: Date, points: number, visits: Visit[]}} Day
 */

import { left } from "./rounding.js";

export const FULL_DAYS = 10;
export const GONE_DAYS = 14;
export const MOST_TIMES = 10;
export const DAYS_SHOWN = 14;
const DAY_MS = 24 * 3600 * 1000;

/** @param {number} ageDays @returns {number} share of its points that a visit of this age still costs, 0 to 1 */
export function weight(ageDays) {
  return Math.min(1, Math.max(0, (GONE_DAYS - ageDays) / (GONE_DAYS - FULL_DAYS)));
}

/**
 * @param {number} spent share of the budget
 * @returns {number} the part of a ring that shows how far the budget is exceeded, 0 to 100: logarithmic, full at `MOST_TIMES`
 */
export function beyondBudget(spent) {
  return spent <= 1 ? 0 : Math.min(100, (100 * Math.log(spent)) / Math.log(MOST_TIMES));
}

/** @param {Visit} visit @param {Date} now @returns {number} its age in days since its end */
function ageOf(visit, now) {
  return Math.max(0, (now.getTime() - new Date(visit.left ?? now).getTime()) / DAY_MS);
}

/** @param {Date} moment @returns {Date} the midnight that begins its day, on this device's clock */
export function dayOf(moment) {
  return new Date(moment.getFullYear(), moment.getMonth(), moment.getDate());
}

/** @param {Visit[]} visits @param {Date} now @returns {Day[]} the last days, earliest first, including days without visits */
export function byDay(visits, now) {
  return Array.from({ length: DAYS_SHOWN }, (_, at) => {
    const today = dayOf(now);
    const day = new Date(today.getFullYear(), today.getMonth(), today.getDate() - (DAYS_SHOWN - 1 - at));
    const on = visits.filter((visit) => dayOf(new Date(visit.arrived)).getTime() === day.getTime());
    return { day, visits: on, points: on.reduce((sum, visit) => sum + visit.shield_cost, 0) };
  });
}

/**
 * Each visit has a fixed part of the spent budget, so that a cost that was rounded up does not return more than was spent.
 *
 * @param {Visit[]} visits
 * @param {number} spent share of the budget
 * @param {Date} now
 * @param {number} daysAhead
 * @returns {number} the shield after this many days, in percent, without further visits
 */
export function shieldIn(visits, spent, now, daysAhead) {
  let [today, then] = [0, 0];
  for (const visit of visits) {
    const counts = weight(ageOf(visit, now));
    if (counts === 0) continue;
    today += visit.shield_cost;
    then += (visit.shield_cost * weight(ageOf(visit, now) + daysAhead)) / counts;
  }
  return today > 0 ? left((100 * spent * then) / today) : left(100 * spent);
}

/**
 * @param {Visit[]} visits
 * @param {number} spent
 * @param {Date} now
 * @returns {{days: number, shield: number}[]} when it has visibly risen, half recovered, and fully recovered
 */
export function recovery(visits, spent, now) {
  const shield = left(100 * spent);
  const ahead = Array.from({ length: GONE_DAYS }, (_, at) => ({ days: at + 1, shield: shieldIn(visits, spent, now, at + 1) }));
  const last = ahead.at(-1);
  const first = ahead.find((each) => each.shield > shield);
  if (!first || !last) return [];
  const half = ahead.find((each) => each.shield >= (shield + last.shield) / 2);
  const whole = ahead.find((each) => each.shield === last.shield);
  return [first, half, whole].filter((each, at, all) => each !== undefined && all.findIndex((other) => other?.days === each.days) === at).flatMap((each) => each ?? []);
}
