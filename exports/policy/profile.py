"""Statistics of a released day, and its drift from the day before, from drawn counts alone.

Nothing here reads a row of a person, so a profile costs no budget. Shares, means and quantiles are those of the
released rows; noise and sampling are accounted for in figures that decide something (`drifts`).
"""

import math
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from itertools import combinations
from typing import Any, Final

import numpy as np

from exports.dataset.tables import ANSWERS, CROWD_TRACING
from exports.policy.domain import ANSWER_AXES, CORE, NONE, OUTCOME, RESULT, RISK, Axis
from exports.policy.draw import Drawn
from exports.policy.estimates import Estimates
from exports.policy.fit import Fitted
from exports.policy.noise import Floats

QUANTILES: Final = (0.05, 0.25, 0.5, 0.75, 0.95)
# Columns whose values are ordered.
ORDERED: Final = (
    "hour", "location_maxcapacity", "location_capacity_enforcedlimit", "duration", "temp", "o2", "m_score", "s_score",
)  # fmt: skip
BINNED: Final = ("duration", "temp", "o2")
# Two days are compared only if both have at least this many counted check-ins.
COMPARABLE: Final = 1000
# A change within this many standard errors of noise and sampling is no drift.
EXPLAINED: Final = 3.0
# Columns whose drift stops a release. The class of risk is not one: published case numbers may change it overnight.
GATED: Final = ("answers", "result", "hour", "type_of_scan", "accesslevel", "readingtype", "zip")


@dataclass(frozen=True)
class Limits:
    """Thresholds that stop a release: total variation of a distribution, and the factor between day totals."""

    variation: float = 0.5
    factor: float = 20.0


def profile(*, drawn: Drawn, fitted: Fitted, before: Drawn | None) -> dict[str, Any]:
    """Return a day's profile: `statistics` with column, name and value, and `drift` since the day before."""
    found = [
        {"column": column, "statistic": name, "value": _rounded(value)}
        for column, name, value in _statistics(drawn, fitted)
    ]
    compared = None if before is None else {name: _rounded(value) for name, value in drifts(drawn, before).items()}
    return {
        "statistics": found,
        "drift": {"against": before.day.isoformat() if before else None, "total_variation": compared or {}},
    }


def _rounded(value: float) -> float | None:
    return float(f"{value:.6g}") if math.isfinite(value) else None


Statistic = tuple[str, str, float]


def _statistics(drawn: Drawn, fitted: Fitted) -> Iterator[Statistic]:
    yield "", "rows", fitted.total
    yield "", "rows_without_zip", int(fitted.cells[0].sum())
    yield "", "cells", fitted.published[1:].size
    yield "", "cells_suppressed", int((~fitted.published[1:]).sum())
    yield "", "zips_with_rows", int((fitted.cells[1:].sum(axis=(1, 2)) > 0).sum())
    yield from _nulls(drawn, fitted)
    for column, shares in _distributions(drawn, fitted).items():
        yield from ((column, f"share of {value}", share) for value, share in shares.items())
    for column in ORDERED:
        if column in fitted.attributes or any(name.endswith("_" + column) for name in fitted.attributes):
            yield from _of_ordered(column, *_ordered(column, drawn, fitted))
    yield from _correlations(fitted)


def _nulls(drawn: Drawn, fitted: Fitted) -> Iterator[Statistic]:
    """Return the share of null rows of each column."""
    axes = {axis.name: table.workload for table in drawn.tables for axis in table.workload.axes}
    known = {"scandate", "scannerdevice_zipcode", "scan_date", RESULT.name}
    for column in CROWD_TRACING.names:
        share = 0.0 if column in known else 1.0
        if column in axes:
            counts, axis = _counts_of(column, drawn, fitted)
            shown = counts[1:] if axis.values[0] == NONE else counts
            share = 1 - float(shown.sum()) / fitted.total if fitted.total else 0.0
        yield column, "share of nulls", share


def _counts_of(column: str, drawn: Drawn, fitted: Fitted) -> tuple[Floats, Axis]:
    """Return the released counts of a column's values, and its axis."""
    if column == RESULT.name:
        outcomes = fitted.cells.sum(axis=(0, 1)).astype(float)
        return np.array([outcomes[0], outcomes[1:].sum()]), RESULT
    table = next(each for each in drawn.tables if any(axis.name == column for axis in each.workload.axes))
    axis = next(each for each in table.workload.axes if each.name == column)
    place = ("zip", RISK.name, OUTCOME.name)
    if column in place:
        others = tuple(number for number, name in enumerate(place) if name != column)
        return fitted.cells.sum(axis=others).astype(float), axis
    if column in ANSWERS:
        others = tuple(number for number in range(6) if number != 2 + ANSWERS.index(column))
        return fitted.answers.sum(axis=others).astype(float), axis
    counts = fitted.attributes[table.workload.name].astype(float)
    return (counts if counts.ndim == 1 else counts.sum(axis=0)), axis


def _distributions(drawn: Drawn, fitted: Fitted) -> dict[str, Mapping[str, float]]:
    """Return the share of each value, for columns of few values."""
    columns = ("risklevel", "result", "type_of_scan", "accesslevel", "readingtype", *ANSWERS)
    made: dict[str, Mapping[str, float]] = {}
    for column in columns:
        counts, axis = _counts_of(column, drawn, fitted)
        shares = counts / max(1.0, counts.sum())
        made[column] = dict(zip(axis.values, map(float, shares), strict=True))
    return made


def _ordered(column: str, drawn: Drawn, fitted: Fitted) -> tuple[Floats, Floats, Floats]:
    """Return lower ends, upper ends and counts of an ordered column's values, without nulls; ends may be equal."""
    counts, axis = _counts_of(column, drawn, fitted)
    first = 1 if axis.values[0] == NONE else 0
    if column in BINNED:
        edges = np.array(axis.edges, dtype=float)
        return edges[:-1], edges[1:], counts[first:]
    values = np.array([float(value) for value in axis.values[first:]])
    return values, values, counts[first:]


def _of_ordered(column: str, low: Floats, high: Floats, counts: Floats) -> Iterator[Statistic]:
    """Return range, mean, deviation and quantiles, with values spread evenly over their bin."""
    whole = counts.sum()
    if whole == 0:
        return
    held = np.flatnonzero(counts)
    middle = (low + high) / 2
    mean = float((counts * middle).sum() / whole)
    yield column, "minimum", float(low[held[0]])
    yield column, "maximum", float(high[held[-1]])
    yield column, "mean", mean
    yield column, "standard deviation", float(np.sqrt((counts * (middle - mean) ** 2).sum() / whole))
    reached = np.cumsum(counts) / whole
    for quantile in QUANTILES:
        place = int(np.searchsorted(reached, quantile))
        begun = reached[place - 1] if place else 0.0
        inside = (quantile - begun) / (reached[place] - begun)
        yield column, f"quantile {quantile:g}", float(low[place] + inside * (high[place] - low[place]))


def _correlations(fitted: Fitted) -> Iterator[Statistic]:
    """Yield Pearson's correlation of each pair of answers, refusal and class of risk (0, 1, 2), from joint counts."""
    outcomes = fitted.answers.astype(float)
    joint = np.stack([outcomes[:, 0], outcomes[:, 1:].sum(axis=1)], axis=1)
    axes = {"risklevel": 0, "result": 1} | {name: 2 + place for place, name in enumerate(ANSWERS)}
    for (one, first), (other, second) in combinations(axes.items(), 2):
        rest = tuple(number for number in range(joint.ndim) if number not in (first, second))
        yield f"{one}, {other}", "correlation", _pearson(joint.sum(axis=rest))


def _pearson(table: Floats) -> float:
    whole = table.sum()
    if whole == 0:
        return math.nan
    x, y = np.arange(table.shape[0], dtype=float), np.arange(table.shape[1], dtype=float)
    rows, columns = table.sum(axis=1) / whole, table.sum(axis=0) / whole
    mean_x, mean_y = (rows * x).sum(), (columns * y).sum()
    spread = math.sqrt(float((rows * (x - mean_x) ** 2).sum() * (columns * (y - mean_y) ** 2).sum()))
    both = float(((table / whole) * np.outer(x - mean_x, y - mean_y)).sum())
    return both / spread if spread > 0 else math.nan


# Drift ----------------------------------------------------------------------------------------------------------------
def drifts(drawn: Drawn, before: Drawn) -> dict[str, float]:
    """Return the total variation between two days beyond noise and sampling; 0 if those explain all of it.

    Empty if a day has too few passes to compare.
    """
    now, then = Estimates(drawn), Estimates(before)
    if min(now.total, then.total) < COMPARABLE:
        return {}
    after, former = _shares(now), _shares(then)
    return {
        name: _variation(after[name], former[name])
        for name in after
        if name in former and len(after[name][0]) == len(former[name][0])
    }


def _shares(estimates: Estimates) -> dict[str, tuple[Floats, Floats]]:
    """Return the share of each value and its variance, by compared distribution, with refusals cut."""
    # Every table counts the same passes, and their total number is more accurate than any table's own sum, which noise
    # alone may bring near zero on small days.
    whole = max(1.0, estimates.total)
    answers = tuple(axis.name for axis in ANSWER_AXES)
    names = {RISK.name: (RISK.name,), "result": (estimates.outcome,), "answers": answers, "zip": ("zip",)}
    others = (table.workload for table in estimates.drawn.tables if table.workload.name not in CORE)
    names |= {each.axes[-1].name: (each.axes[-1].name,) for each in others if each.axes}
    return {name: _share(estimates, axes, whole) for name, axes in names.items()}


def _share(estimates: Estimates, axes: tuple[str, ...], whole: float) -> tuple[Floats, Floats]:
    counts, noise = estimates.of(*axes)
    shares = counts.ravel() / whole
    # The coin kept nine in ten, so shares of check-ins vary slightly more than those of a sample.
    sampling = np.clip(shares * (1 - shares), 0, None) / (whole * estimates.drawn.keep)
    return shares, sampling + noise / whole**2


def _variation(one: tuple[Floats, Floats], other: tuple[Floats, Floats]) -> float:
    distance = 0.5 * float(np.abs(one[0] - other[0]).sum())
    # A normal variable's mean absolute value is sqrt(2/pi) of its deviation; the distance is half of the sum.
    deviations = np.sqrt(one[1] + other[1])
    expected = 0.5 * math.sqrt(2 / math.pi) * float(deviations.sum())
    error = 0.5 * math.sqrt((1 - 2 / math.pi) * float((deviations**2).sum()))
    return min(1.0, max(0.0, distance - expected - EXPLAINED * error))


def drift_failures(*, drawn: Drawn, before: Drawn | None, limits: Limits) -> list[str]:
    """Return why a day moved too far from the day before to be published without review; empty if not.

    A day without passes never fails, because venues may be closed.
    """
    if before is None:
        return []
    failures = [
        f"the distribution of {name} moved by {value:.2f} since {before.day}, more than {limits.variation:g}"
        for name, value in drifts(drawn, before).items()
        if name in GATED and value > limits.variation
    ]
    total, former = Estimates(drawn).total / drawn.days, Estimates(before).total / before.days
    if former >= COMPARABLE / limits.factor and total > limits.factor * former:
        failures.append(f"the day's total is {total / former:.0f} times that of {before.day}")
    return failures
