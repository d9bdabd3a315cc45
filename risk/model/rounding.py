"""How numbers are shown: rounded once, at the very end."""

import math


def shown_shield(percent: float) -> int:
    """The whole percent shown, rounded down."""
    return math.floor(percent)


def shown_points(points: float) -> float:
    """A cost as answered: up to the next tenth, so that it never looks cheaper; 0 only where there is none."""
    return math.ceil(points * 10.0 - 1e-9) / 10.0


def down(value: float, digits: int) -> float:
    """To so many decimals, down."""
    scale = 10.0**digits
    return math.floor(value * scale) / scale


def significant(value: float) -> float:
    """To three significant digits, down."""
    return 0.0 if value <= 0.0 else down(value, 2 - math.floor(math.log10(value)))
