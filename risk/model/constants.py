"""A number with its unit, its range and its source.

``value`` is the centre, ``low`` and ``high`` are the 5 % and 95 % points of our estimate. `uncertainty.quantile` turns
a range into a distribution: two-piece lognormal for positive quantities, two-piece logit-normal for shares.
"""

from __future__ import annotations

import math
from dataclasses import dataclass

ASSUMED = "our assumption"
NOT_SEEN = " (source not seen)"


@dataclass(frozen=True, slots=True)
class Constant:
    """One constant of the model: ``low <= value <= high``, all finite and positive (0 only if low = high = 0)."""

    value: float
    low: float
    high: float
    unit: str
    source: str

    def __post_init__(self) -> None:
        if not all(math.isfinite(number) for number in (self.value, self.low, self.high)):
            raise ValueError(f"not finite: {self}")
        if not 0.0 <= self.low <= self.value <= self.high:
            raise ValueError(f"not in order, or negative: {self}")
        if self.low == 0.0 and self.high > 0.0:
            raise ValueError(f"a range cannot start at 0, it is taken on a log or logit scale: {self}")
        if self.unit == "share" and not (self.high < 1.0 or self.low == self.high == 1.0):
            raise ValueError(f"a share has to stay below 1: {self}")
        if not self.unit or not self.source:
            raise ValueError(f"without unit or source: {self}")

    @property
    def certain(self) -> bool:
        """Return whether the range has no width."""
        return self.low == self.high


def fixed(value: float, unit: str, source: str) -> Constant:
    """Return a constant whose uncertainty is ignored."""
    return Constant(value, value, value, unit, source)
