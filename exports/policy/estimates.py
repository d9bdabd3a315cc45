"""Unbiased estimates from a day's noisy counts, with their standard errors: sums and weighted means, nothing clipped.

The estimand of the whole release is *counted check-ins*: passes that were scanned or refused, at most three of one
secret and epoch. The server's coin keeps nine in ten of them, so counts are divided by the constant `keep`: a factor
estimated from the day would be random, and its error would affect every count.
"""

import math
from dataclasses import dataclass
from functools import cached_property
from typing import Final

import numpy as np

from exports.policy.cut import cut_counts
from exports.policy.domain import OUTCOME, RESULT, TOTAL, Axis, Workload
from exports.policy.draw import Drawn
from exports.policy.noise import Floats, variance

# Half width of an interval in standard errors. It covers a count whose error is one draw of Laplace noise in 95 of 100
# draws, and one whose error is nearly normal (noise of many cells, or mostly the coin's) in 96.6.
REACH: Final = math.log(20) / math.sqrt(2)


@dataclass(frozen=True)
class Estimates:
    """Estimates of one draw, in counted check-ins."""

    drawn: Drawn

    @cached_property
    def counts(self) -> dict[str, Floats]:
        """Return the noisy counts of marked passes by table, with refusals cut."""
        return dict(cut_counts(self.drawn))

    @cached_property
    def outcome(self) -> str:
        """Return the name of the outcome axis; in format 1 it is `result`, without separate refusals."""
        return outcome_axis(self.drawn).name

    def of(self, *names: str) -> tuple[Floats, float]:
        """Return the counts by the axes `names`, in their order, and the variance of the noise of each.

        Every table with these axes has the same counts: return their mean, weighted by the inverse of the variance.
        """
        weighted: Floats | float = 0.0
        weights = 0.0
        for table in self.drawn.tables:
            axes = [axis.name for axis in table.workload.axes]
            if not set(names) <= set(axes) or is_all_passes(table.workload):
                continue
            others = tuple(at for at, name in enumerate(axes) if name not in names)
            summed = self.counts[table.workload.name].sum(axis=others)
            left = [name for name in axes if name in names]
            summed = np.transpose(summed, [left.index(name) for name in names]) if names else summed
            cells = table.workload.cells / max(1, summed.size)
            weight = 1 / (cells * variance(table.scale))
            weighted, weights = weighted + weight * summed, weights + weight
        return np.asarray(weighted / weights / self.drawn.keep), 1 / weights / self.drawn.keep**2

    def has(self, *names: str) -> bool:
        """Return whether some table has all these axes."""
        return any(set(names) <= {axis.name for axis in table.workload.axes} for table in self.drawn.tables)

    @cached_property
    def total(self) -> float:
        """Return the counted check-ins of the day, which may be negative."""
        return float(self.of()[0])

    def stderr(self, value: float, noise: float) -> float:
        """Return the standard error of a count: the noise's variance and the coin's, value x (1 - keep) / keep."""
        coin = max(0.0, value) * (1 - self.drawn.keep) / self.drawn.keep
        return math.sqrt(noise + coin)


def interval(value: float, stderr: float) -> tuple[int, int]:
    """Return the interval of the counted check-ins in whole numbers, widened outwards and never below 0."""
    return max(0, math.floor(value - REACH * stderr)), max(0, math.ceil(value + REACH * stderr))


def outcome_axis(drawn: Drawn) -> Axis:
    """Return the axis of the outcome of a pass."""
    axes = {axis.name: axis for table in drawn.tables for axis in table.workload.axes}
    return axes[OUTCOME.name] if OUTCOME.name in axes else axes[RESULT.name]


def is_all_passes(workload: Workload) -> bool:
    """Return whether a table of format 1 counts all passes, not only marked ones within the cap."""
    return not workload.axes and workload.name != TOTAL
