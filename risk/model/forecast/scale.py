"""The scale of the forecast: fourth roots of rates, each series divided by its in-season level.

It makes counts and percentages of large and small areas comparable, so that one model learns from all of them. The
transformation is that of Flusion (Ray et al. 2025, doi:10.1016/j.epidem.2024.100810, source not seen); its constants
are those of our prototype.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final, Literal

import numpy as np

from risk.model.forecast.panel import Days, Flags, Floats, Panel, after_christmas

Unit = Literal["count", "percent"]
RATE_OFFSET: Final = 0.75**4
"""Offset per 100,000; prevents the root from magnifying the noise of counts near 0."""
PERCENT_OFFSET: Final = float(np.exp(-7.0))
PERCENT_FACTOR: Final = 4.0
SEASON: Final = (-12, 22)
"""Weeks after Christmas that are in season."""
TOP: Final = 0.95
TOP_OFFSET: Final = 0.01
FEWEST_WEEKS: Final = 8
"""Number of known in-season weeks below which a series takes the usual level of the others."""
USUAL_TOP: Final = 5.0
"""In-season 95 % point per 100,000 assumed for an area without a population; our choice."""
LEAST_TOP_COUNT: Final = 1.0
USUAL_CENTRE: Final = 0.65
"""Centre of a series if no other series has one; our choice."""


def in_season(weeks: Days) -> Flags:
    """Return whether each week is in season."""
    week = after_christmas(weeks)
    return np.asarray((week >= SEASON[0]) & (week <= SEASON[1]))


@dataclass(frozen=True, slots=True)
class Scale:
    """Conversion of each area's values to x and back: ``x = root / top - centre``.

    ``root`` is (rate per 100,000 + 0.75^4)^(1/4) for counts and (4 * (percent + e^-7))^(1/4) for percentages.
    ``population`` (areas,): people, or a substitute. ``top`` and ``centre`` (areas,). ``short`` (areas,): whether an
    area's level was unknown.
    """

    unit: Unit
    population: Floats
    top: Floats
    centre: Floats
    short: Flags

    def x(self, values: Floats) -> Floats:
        """Return values (..., areas) on the scale."""
        return np.asarray(_root(values, self.unit, self.population) / self.top - self.centre)

    def values(self, x: Floats) -> Floats:
        """Return x (..., areas) converted to values, not negative."""
        power = np.maximum((x + self.centre) * self.top, 0.0) ** 4
        if self.unit == "percent":
            return np.maximum(power / PERCENT_FACTOR - PERCENT_OFFSET, 0.0)
        return np.maximum((power - RATE_OFFSET) * self.population / 1e5, 0.0)


def scale_of(panel: Panel, *, unit: Unit, used: Flags, population: Floats | None = None) -> Scale:
    """Return the scale of a panel, from its ``used`` weeks (weeks,).

    ``population`` (areas,), NaN where unknown: the area's 95 % point is used instead, as if it were 5 per 100,000.
    """
    seen = panel.values[used]
    people = np.full(len(panel.areas), np.nan) if population is None else population
    if unit == "count":
        usual = np.fmax(_quantile(seen, TOP), LEAST_TOP_COUNT) / USUAL_TOP * 1e5
        people = np.where(people > 0.0, people, usual)
    root = _root(seen, unit, people)
    short = (~np.isnan(seen)).sum(axis=0) < FEWEST_WEEKS
    top = _others_where(short, _quantile(root, TOP), otherwise=1.0) + TOP_OFFSET
    centre = _others_where(short, _mean(root / top), otherwise=USUAL_CENTRE)
    return Scale(unit, people, top, centre, short)


def _root(values: Floats, unit: Unit, population: Floats) -> Floats:
    if unit == "percent":
        return np.asarray(((values + PERCENT_OFFSET) * PERCENT_FACTOR) ** 0.25)
    return np.asarray((values / population * 1e5 + RATE_OFFSET) ** 0.25)


def _quantile(values: Floats, level: float) -> Floats:
    """Return the quantile of the known values in each column; NaN if there is none."""
    columns = (column[~np.isnan(column)] for column in values.T)
    return np.array([np.quantile(column, level) if len(column) else np.nan for column in columns])


def _mean(values: Floats) -> Floats:
    columns = (column[~np.isnan(column)] for column in values.T)
    return np.array([column.mean() if len(column) else np.nan for column in columns])


def _others_where(short: Flags, values: Floats, *, otherwise: float) -> Floats:
    known = values[~short]
    return np.where(short, float(np.median(known)) if len(known) else otherwise, values)
