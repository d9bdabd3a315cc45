/**
 * The data of a chart of chosen columns: values against one column, with intervals if the result has them. Pure.
 *
 * @typedef {object} Choice
 * @property {string[]} names
 * @property {("number" | "label" | "date")[]} kinds
 * @property {(string | number | boolean | null)[][]} rows
 * @property {number} reach half of a 95 % interval, in standard errors
 *
 * @typedef {object} Line
 * @property {string} name
 * @property {(number | null)[]} values
 * @property {(number | null)[] | null} low
 * @property {(number | null)[] | null} high
 */

/** Suffixes of column names that relate a column to a value. */
const STDERR = /^(?:(.*)_)?stderr$/i;
const LOW = /^(?:(.*)_)?(?:low|lower)$/i;
const HIGH = /^(?:(.*)_)?(?:high|upper)$/i;

/** @param {Choice} choice @param {RegExp} ending @param {string} of @returns {number} the column, or -1 */
function columnFor(choice, ending, of) {
  const stem = of.replace(/_(?:count|value)$/i, "");
  const alone = choice.names.findIndex((name) => ending.exec(name)?.[1] === undefined && ending.test(name));
  const own = choice.names.findIndex((name) => {
    const before = ending.exec(name)?.[1];
    return before !== undefined && (before === of || before === stem);
  });
  return own >= 0 ? own : alone;
}

/** @param {Choice} choice @param {number} column @returns {boolean} whether it is an end of another column's interval */
export function isInterval(choice, column) {
  const name = choice.names[column] ?? "";
  return [STDERR, LOW, HIGH].some((ending) => ending.test(name));
}

/** @param {Choice} choice @returns {{across: number, lines: number[]}} the columns drawn by default */
export function usual(choice) {
  const across = Math.max(0, choice.kinds.findIndex((kind) => kind !== "number"));
  const lines = choice.kinds.flatMap((kind, at) => (kind === "number" && at !== across && !isInterval(choice, at) ? [at] : []));
  return { across, lines: lines.slice(0, 6) };
}

/** @param {unknown} value @returns {number | null} */
const number = (value) => (typeof value === "number" ? value : null);

/**
 * @param {Choice} choice @param {number} across @param {number[]} lines
 * @returns {{x: string[], lines: Line[], repeats: boolean}} the values of the first column in order, and each line
 */
export function drawn(choice, across, lines) {
  const order = [...new Set(choice.rows.map((row) => String(row[across])))];
  if (choice.kinds[across] !== "label") {
    order.sort((a, b) => (choice.kinds[across] === "number" ? Number(a) - Number(b) : a < b ? -1 : 1));
  }
  const place = new Map(order.map((value, at) => [value, at]));
  const repeats = order.length < choice.rows.length;
  /** @param {number} column @param {boolean} sums */
  const gathered = (column, sums) => {
    /** @type {(number | null)[]} */
    const values = order.map(() => null);
    for (const row of choice.rows) {
      const at = /** @type {number} */ (place.get(String(row[across])));
      const value = number(row[column]);
      if (value !== null) values[at] = sums ? (values[at] ?? 0) + value : value;
    }
    return values;
  };
  return {
    x: order,
    repeats,
    lines: lines.map((column) => {
      const name = choice.names[column] ?? "";
      const values = gathered(column, true);
      // Ends of intervals cannot be added, so sums are drawn without intervals.
      if (repeats) return { name, values, low: null, high: null };
      const [error, low, high] = [STDERR, LOW, HIGH].map((ending) => columnFor(choice, ending, name));
      if (low !== undefined && high !== undefined && low >= 0 && high >= 0) {
        return { name, values, low: gathered(low, false), high: gathered(high, false) };
      }
      if (error === undefined || error < 0) return { name, values, low: null, high: null };
      const errors = gathered(error, false);
      /** @param {number} sign */
      const end = (sign) =>
        values.map((value, at) => {
          const one = errors[at];
          return value === null || one === null || one === undefined ? null : value + sign * choice.reach * one;
        });
      return { name, values, low: end(-1), high: end(1) };
    }),
  };
}

/** Number of usual steps between two times from which there is a gap between them. */
const GAP_STEPS = 3;

/**
 * @param {number[]} times @param {(number | null)[][]} lines values at these times
 * @returns {{times: number[], lines: (number | null)[][]}} in order, with an empty entry in each gap, so that no line
 *   is drawn across it
 */
export function inTime(times, lines) {
  const order = times.map((_, at) => at).sort((a, b) => Number(times[a]) - Number(times[b]));
  const steps = order.slice(1).map((at, before) => Number(times[at]) - Number(times[Number(order[before])]));
  const usualStep = [...steps].sort((a, b) => a - b)[Math.floor(steps.length / 2)] ?? 0;
  /** @type {(number | null)[]} indexes in the given lines; null is a gap */
  const places = order.flatMap((at, here) => (here > 0 && Number(steps[here - 1]) > GAP_STEPS * usualStep ? [null, at] : [at]));
  return {
    times: places.map((at, here) => (at === null ? (Number(times[Number(places[here - 1])]) + Number(times[Number(places[here + 1])])) / 2 : Number(times[at]))),
    lines: lines.map((values) => places.map((at) => (at === null ? null : (values[at] ?? null)))),
  };
}
