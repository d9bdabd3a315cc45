"""How numbers are shown: one rule, applied once, at the very end; pages follow it (`core/rounding.js`).

Points of a shield come in tenths. What is spent or would be is rounded up, so it never looks cheaper than it is, and
what is left is 100 less that: "0.1 points: 99.9 % instead of 100 %". So a number before, a cost and a number after
always add up, and 100 % is said only where nothing at all was spent. Rounding up to a finer step first changes nothing
of it, so an answer's `spent`, up to the next ten-thousandth, gives the same tenths as the exact number.
"""

import math

WHOLE = 100.0
_SLACK = 1e-6
"""Of a step: what binary fractions add to a number that lies on it."""
_AXIS_STEPS = (1.0, 2.0, 5.0)
LEAST_AXIS = 10.0
"""A chart of costs reaches at least so many points, so that a tenth of one does not fill it."""


def shown_shield(percent: float) -> int:
    """The whole percent shown, rounded down."""
    return math.floor(percent + _SLACK)


def shown_points(points: float) -> float:
    """A cost as answered: up to the next tenth, so that it never looks cheaper; 0 only where there is none."""
    return up(points, 1)


def left(spent_points: float) -> float:
    """What is left of a shield, in percent with one decimal: 100 less the points as shown, and never below 0."""
    return max(0.0, round(WHOLE - shown_points(spent_points), 1))


def axis_top(most: float) -> float:
    """Where the axis of a chart of points ends: the next of 10, 20, 50, 100, 200 and so on."""
    if most <= LEAST_AXIS:
        return LEAST_AXIS
    power = 10.0 ** math.floor(math.log10(most))
    return next(step * power for step in (*_AXIS_STEPS, 10.0) if step * power >= most)


def up(value: float, digits: int) -> float:
    """To so many decimals, up."""
    scale = 10**digits
    return math.ceil(value * scale - _SLACK) / scale if value > 0.0 else 0.0


def down(value: float, digits: int) -> float:
    """To so many decimals, down."""
    scale = 10.0**digits
    return math.floor(value * scale) / scale


def significant(value: float) -> float:
    """To three significant digits, down."""
    return 0.0 if value <= 0.0 else down(value, 2 - math.floor(math.log10(value)))
