/**
 * What a chart of chosen columns shows: values against one column, with intervals where the answer has them. Pure.
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

/** Ends of names that say what belongs to a value. */
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

/** @param {Choice} choice @param {number} column @returns {boolean} whether it is the end of another's interval */
export function isInterval(choice, column) {
  const name = choice.names[column] ?? "";
  return [STDERR, LOW, HIGH].some((ending) => ending.test(name));
}

/** @param {Choice} choice @returns {{across: number, lines: number[]}} what is drawn unless another is chosen */
export function usual(choice) {
  const across = Math.max(0, choice.kinds.findIndex((kind) => kind !== "number"));
  const lines = choice.kinds.flatMap((kind, at) => (kind === "number" && at !== across && !isInterval(choice, at) ? [at] : []));
  return { across, lines: lines.slice(0, 6) };
}

/** @param {unknown} value @returns {number | null} */
const number = (value) => (typeof value === "number" ? value : null);

/**
 * @param {Choice} choice @param {number} across @param {number[]} lines
 * @returns {{x: string[], lines: Line[], repeats: boolean}} the values of the first column in their order, and each line
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
      // Ends of intervals do not add up, so sums are drawn without.
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

/** A step of days is a gap if it is more than so many times the usual one. */
const GAP = 14;

/**
 * @param {number[]} x ascending @param {(number | null)[][]} columns of the same length
 * @returns {{x: number[], columns: (number | null)[][]}} the same with an empty point in each gap, so that no line crosses it
 */
export function withGaps(x, columns) {
  const steps = x.slice(1).map((at, index) => at - /** @type {number} */ (x[index]));
  const usualStep = [...steps].sort((one, other) => one - other)[Math.floor(steps.length / 2)] ?? 0;
  const before = steps.flatMap((step, index) => (step > GAP * usualStep ? [index + 1] : []));
  /** @template T @param {T[]} values @param {(index: number) => T} empty @returns {T[]} */
  const spread = (values, empty) => values.flatMap((value, index) => (before.includes(index) ? [empty(index), value] : [value]));
  return {
    x: spread(x, (index) => (/** @type {number} */ (x[index - 1]) + /** @type {number} */ (x[index])) / 2),
    columns: columns.map((column) => spread(column, () => null)),
  };
}
