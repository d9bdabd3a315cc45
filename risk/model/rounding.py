"""How numbers are displayed: one rule, applied once, at the very end. Pages follow it too (`core/rounding.js`).

Points of a shield are shown in tenths. What is or would be spent is rounded up, so that it never looks cheaper than it
is, and the rest is 100 minus that: "0.1 points: 99.9 % instead of 100 %". A number before, a cost and a number after
therefore always add up, and 100 % is shown only if nothing at all was spent. Rounding up to a finer step first does not
change the result, so a response's `spent`, rounded up to the next ten-thousandth, gives the same tenths as the exact
number.
"""

import math

WHOLE = 100.0
_SLACK = 1e-6
"""Tolerance, in steps, for the error of binary fractions in a number that is exactly on a step."""


def shown_shield(percent: float) -> int:
    """Return the displayed whole percent, rounded down."""
    return math.floor(percent + _SLACK)


def shown_points(points: float) -> float:
    """Return a cost rounded up to the next tenth, so that it never looks cheaper; 0 only if there is none."""
    return up(points, 1)


def left(spent_points: float) -> float:
    """Return the rest of a shield, in percent with one decimal: 100 minus the displayed points, and never below 0."""
    return max(0.0, round(WHOLE - shown_points(spent_points), 1))


def up(value: float, digits: int) -> float:
    """Round up to ``digits`` decimals."""
    scale = 10**digits
    return math.ceil(value * scale - _SLACK) / scale if value > 0.0 else 0.0


def down(value: float, digits: int) -> float:
    """Round down to ``digits`` decimals."""
    scale = 10.0**digits
    return math.floor(value * scale) / scale


def significant(value: float) -> float:
    """Round down to three significant digits."""
    return 0.0 if value <= 0.0 else down(value, 2 - math.floor(math.log10(value)))
