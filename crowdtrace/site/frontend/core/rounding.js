/**
 * How points are shown, as `risk/model/rounding.py` says; `tests/data/rounding.json` holds both to the same numbers.
 *
 * Points come in tenths. What is spent is rounded up and what is left is 100 less that, so that a number before, a cost and a number after
 * always add up. The least that is spent shows as a tenth, and only an untouched shield is whole.
 */
const WHOLE = 100;
const SLACK = 1e-6;
const LEAST_AXIS = 10;

/** @param {number} points @returns {number} up to the next tenth */
export function shownPoints(points) {
  return Math.max(0, Math.ceil(points * 10 - SLACK)) / 10;
}

/** @param {number} points spent, may pass 100 @returns {number} what is left of a shield, in percent with one decimal */
export function left(points) {
  return Math.max(0, Math.round(10 * (WHOLE - shownPoints(points))) / 10);
}

/** @param {number} most @returns {number} where the axis of a chart of points ends: the next of 10, 20, 50, 100, 200 and so on */
export function axisTop(most) {
  if (most <= LEAST_AXIS) return LEAST_AXIS;
  const power = 10 ** Math.floor(Math.log10(most));
  return [1, 2, 5, 10].map((step) => step * power).find((step) => step >= most) ?? 10 * power;
}
