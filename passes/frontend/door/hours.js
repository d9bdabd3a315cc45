/**
 * Weekly opening hours on a venue's wall clock.
 *
 * @typedef {object} WeeklyHours
 * @property {string} zone IANA time zone
 * @property {[weekday: number, opens: number, closes: number][]} spans Monday is 0; minutes after that day's midnight,
 *   `opens` inside, `closes` outside; `closes` passes 1440 for a span over midnight
 */

const DAY_MIN = 1440;
const WEEKDAYS = ["Mon", "Tue", "Wed", "Thu", "Fri", "Sat", "Sun"];
/** Built once a zone: making a formatter costs more than a whole decision. @type {Map<string, Intl.DateTimeFormat>} */
const clocks = new Map();

/** @param {string} zone @returns {Intl.DateTimeFormat} @throws {RangeError} for an unknown zone */
export function wallClock(zone) {
  let clock = clocks.get(zone);
  if (!clock) {
    clock = new Intl.DateTimeFormat("en-GB", { timeZone: zone, weekday: "short", hour: "2-digit", minute: "2-digit", hourCycle: "h23" });
    clocks.set(zone, clock);
  }
  return clock;
}

/**
 * @param {WeeklyHours} hours
 * @param {number} at Unix seconds
 * @returns {boolean} whether the wall clock lies in a span; without a span it never does
 */
export function isOpen(hours, at) {
  /** @type {Record<string, string>} */
  const parts = Object.fromEntries(wallClock(hours.zone).formatToParts(at * 1000).map((part) => [part.type, part.value]));
  const weekday = WEEKDAYS.indexOf(parts.weekday ?? "");
  const minute = Number(parts.hour) * 60 + Number(parts.minute);
  return hours.spans.some(([day, opens, closes]) => {
    const today = day === weekday && opens <= minute && minute < closes;
    const sinceYesterday = day === (weekday + 6) % 7 && opens <= minute + DAY_MIN && minute + DAY_MIN < closes;
    return today || sinceYesterday;
  });
}
