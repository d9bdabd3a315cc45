/**
 * Weekly opening hours on a venue's wall clock. The rule is that of `venues/hours.py`, which explains it: a span begins at
 * the first instant the clock reaches `opens` and ends at the last one it reaches `closes`.
 *
 * @typedef {object} WeeklyHours
 * @property {string} zone IANA time zone
 * @property {[weekday: number, opens: number, closes: number][]} spans Monday is 0; minutes after that day's midnight,
 *   `opens` inside, `closes` outside; `closes` passes 1440 for a span over midnight
 */

const DAY_MIN = 1440;
/** 1 January 1970 was a Thursday. */
const FIRST_WEEKDAY = 3;
/** Formatters by zone, cached because creating one is more expensive than a whole decision. @type {Map<string, Intl.DateTimeFormat>} */
const clocks = new Map();

/** @param {string} zone @returns {Intl.DateTimeFormat} @throws {RangeError} for an unknown zone */
export function wallClock(zone) {
  let clock = clocks.get(zone);
  if (!clock) {
    clock = new Intl.DateTimeFormat("en-GB", {
      timeZone: zone, year: "numeric", month: "2-digit", day: "2-digit", hour: "2-digit", minute: "2-digit", hourCycle: "h23",
    });
    clocks.set(zone, clock);
  }
  return clock;
}

/**
 * @param {string} zone
 * @param {number} minute Unix minutes
 * @returns {number} the wall clock's time then, in minutes since its midnight of 1 January 1970
 */
function shown(zone, minute) {
  /** @type {Record<string, number>} */
  const parts = Object.fromEntries(wallClock(zone).formatToParts(minute * 60_000).map((part) => [part.type, Number(part.value)]));
  const { year = 0, month = 0, day = 0, hour = 0, minute: past = 0 } = parts;
  return Date.UTC(year, month - 1, day, hour, past) / 60_000;
}

/**
 * @param {string} zone
 * @param {number} low Unix minutes
 * @param {number} high Unix minutes, at most a day later
 * @returns {number | null} the first minute after the clock is set back between them, if it is
 */
function setBack(zone, low, high) {
  const before = shown(zone, low) - low;
  if (shown(zone, high) - high >= before) return null;
  while (high - low > 1) {
    const middle = Math.floor((low + high) / 2);
    if (shown(zone, middle) - middle === before) low = middle;
    else high = middle;
  }
  return high;
}

/**
 * A span is open once the latest time that the clock has shown is past `opens`, while the earliest that it will show is
 * before `closes`. Both are the present time, except within a day of the clock being set back.
 *
 * @param {WeeklyHours} hours
 * @param {number} at Unix seconds
 * @returns {boolean} whether a span is open; false without spans
 */
export function isOpen({ zone, spans }, at) {
  const minute = Math.floor(at / 60);
  const now = shown(zone, minute);
  const past = setBack(zone, minute - DAY_MIN, minute);
  const coming = setBack(zone, minute, minute + DAY_MIN);
  const latest = past === null ? now : Math.max(now, shown(zone, past - 1));
  const earliest = coming === null ? now : Math.min(now, shown(zone, coming) - 1); // a time that the clock is set back to occurs twice
  for (let day = Math.floor(earliest / DAY_MIN) - 1; day <= latest / DAY_MIN; day += 1) {
    const weekday = (day + FIRST_WEEKDAY) % 7;
    const begun = latest - day * DAY_MIN;
    const left = earliest - day * DAY_MIN;
    if (spans.some(([on, opens, closes]) => on === weekday && opens <= begun && left < closes)) return true;
  }
  return false;
}
