/**
 * Rounding of displayed points, as in `risk/model/rounding.py`; `tests/data/rounding.json` checks both.
 *
 * Points are in tenths. Spent points are rounded up, and the rest is 100 minus them, so that a shield before, a cost and
 * the shield after always add up. The smallest cost is shown as a tenth, and only an unused shield is 100.
 */
const WHOLE = 100;
const SLACK = 1e-6;
const LEAST_AXIS = 10;

/** @param {number} points @returns {number} rounded up to the next tenth */
export function shownPoints(points) {
  return Math.max(0, Math.ceil(points * 10 - SLACK)) / 10;
}

/** @param {number} points spent, may pass 100 @returns {number} the rest of a shield, in percent with one decimal */
export function left(points) {
  return Math.max(0, Math.round(10 * (WHOLE - shownPoints(points))) / 10);
}

/** @param {number} most @returns {number} the end of the axis of a chart of points, as `points_top` in `crowdtrace/site/charts/axes.py`: the next of 10, 20, 50, 100, 200 and so on */
export function axisTop(most) {
  if (most <= LEAST_AXIS) return LEAST_AXIS;
  const power = 10 ** Math.floor(Math.log10(most));
  return [1, 2, 5, 10].map((step) => step * power).find((step) => step >= most) ?? 10 * power;
}
