"""The other columns: how many rows have each value, and which values and columns noise hides.

A value is shown only if its noisy count clearly exceeds its noise, and a column only if the day's rows exceed the total
noise of its values and the shown values make up most of the rows; all of this is decided from noisy counts. What is not
shown is null in the rows. Every row needs an hour: if the hours of a day are hidden, it is noon sharp.
"""

import math
from typing import Final

import numpy as np

from exports.policy.cut import refusals_axis
from exports.policy.domain import CORE, HOUR, REFUSED, RISK
from exports.policy.draw import DrawnTable
from exports.policy.estimates import Estimates
from exports.policy.noise import Counts, Floats, variance
from exports.policy.rounding import round_to

# Standard errors above which a value's count is shown.
CLEAR: Final = 3.0
# Share of the rows that the shown values must have; below, the column is null.
MOST: Final = 0.8
# A refusal's value in each of these columns by definition: it has no door, device or rating.
OF_REFUSALS: Final = {
    "type_of_scan": "Checkin",
    "accesslevel": "Public",
    "readingtype": "Personal",
    "m_score": "none",
    "s_score": "none",
    "temp": "none",
    "o2": "none",
}


def fit_attributes(estimates: Estimates, groups: Counts) -> tuple[dict[str, Counts], tuple[str, ...]]:
    """Return the rows of each value by table name, and the columns without any; `groups` is [risklevel, outcome]."""
    found, nulls = {}, []
    for table in estimates.drawn.tables:
        if table.workload.name in CORE or not table.workload.axes:
            continue
        column = table.workload.axes[-1].name
        lines = _lines(table, estimates, groups, column)
        if not lines.any() and groups.any():
            nulls.append(column)
        else:
            _add_refusals(lines, table, groups, column)
        found[table.workload.name] = lines if table.workload.axes[0].name == RISK.name else lines[0]
    return found, tuple(nulls)


def _lines(table: DrawnTable, estimates: Estimates, groups: Counts, column: str) -> Counts:
    """Return the rows of each value, by risklevel or in total; without refusals if their value is known."""
    noisy = estimates.counts[table.workload.name] / estimates.drawn.keep
    axis, rows, slices = refusals_axis(table), groups, 1
    if axis is not None:
        counted = REFUSED if column in OF_REFUSALS else REFUSED + 1
        noisy = noisy.take(range(counted), axis=axis).sum(axis=axis)
        rows, slices = groups[:, :counted], counted
    by_risk = table.workload.axes[0].name == RISK.name
    noisy = noisy if by_risk else noisy[None]
    wholes = rows.sum(axis=1) if by_risk else [rows.sum()]
    error = math.sqrt(slices * variance(table.scale)) / estimates.drawn.keep
    made = [_line(line, error, int(whole), column) for line, whole in zip(noisy, wholes, strict=True)]
    return np.stack(made)


def _line(noisy: Floats, error: float, whole: int, column: str) -> Counts:
    shown = np.where(noisy >= CLEAR * error, noisy, 0.0)
    is_noise = whole < CLEAR * error * math.sqrt(len(noisy)) or shown.sum() < MOST * whole
    if is_noise or not shown.any():
        return np.zeros(len(noisy), dtype=np.int64)
    # Every row needs an hour: rows of hidden hours are distributed over the shown ones.
    fills = column == HOUR.name or shown.sum() > whole
    return round_to(shown, whole if fills else int(shown.sum()))


def _add_refusals(lines: Counts, table: DrawnTable, groups: Counts, column: str) -> None:
    if column not in OF_REFUSALS or refusals_axis(table) is None:
        return
    value = table.workload.axes[-1].values.index(OF_REFUSALS[column])
    refused = groups[:, REFUSED]
    if table.workload.axes[0].name == RISK.name:
        lines[:, value] += refused
    else:
        lines[0, value] += refused.sum()
