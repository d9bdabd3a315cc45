"""Weekly panels as they were known on a date: rows, vintages, gaps, and the calendar of influenza seasons.

A panel never holds a week after its as-of date, so nothing computed from one can look ahead.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

import numpy as np
import numpy.typing as npt

Floats = npt.NDArray[np.float64]
Ints = npt.NDArray[np.int64]
Flags = npt.NDArray[np.bool_]
Days = npt.NDArray[np.datetime64]
Names = npt.NDArray[np.str_]

WEEK: Final = np.timedelta64(7, "D")
HORIZONS: Final = 4
"""Horizons of one to four weeks after the as-of date; FluSight numbers them 0 to 3."""
CARRIED_WEEKS: Final = 3
"""Age in weeks of the oldest value that replaces a missing one."""


@dataclass(frozen=True, slots=True)
class Rows:
    """Reported values of one source: ``week`` (n,) last days of weeks, ``area`` (n,), ``value`` (n,), not negative.

    Each combination of week and area appears once.
    """

    week: Days
    area: Names
    value: Floats

    def __post_init__(self) -> None:
        if not len(self.week) == len(self.area) == len(self.value):
            raise ValueError("rows need a week, an area and a value each")

    def where(self, kept: Flags) -> Rows:
        """Return the selected rows."""
        return Rows(self.week[kept], self.area[kept], self.value[kept])


@dataclass(frozen=True, slots=True)
class Vintage:
    """What one source had published by ``as_of``, the last day of a week."""

    as_of: np.datetime64
    rows: Rows


@dataclass(frozen=True, slots=True)
class Panel:
    """``values`` (weeks, areas) of consecutive weeks ending with the as-of date; NaN where unknown."""

    weeks: Days
    areas: Names
    values: Floats

    @property
    def as_of(self) -> np.datetime64:
        """Return the last week."""
        return np.datetime64(self.weeks[-1])

    def of(self, areas: Names) -> Panel:
        """Return the panel of some of its areas, in the given order; NaN for an area that it does not have."""
        values = np.full((len(self.weeks), len(areas)), np.nan)
        _, here, there = np.intersect1d(areas, self.areas, return_indices=True)
        values[:, here] = self.values[:, there]
        return Panel(self.weeks, areas, values)


def panel_of(rows: Rows, *, as_of: np.datetime64) -> Panel:
    """Return rows up to ``as_of`` as a panel. Later rows, and areas that have only later rows, are dropped."""
    rows = rows.where(rows.week <= as_of)
    areas, place = np.unique(rows.area, return_inverse=True)
    first = rows.week.min() if len(rows.week) else as_of
    weeks = as_of - WEEK * np.arange(int((as_of - first) // WEEK), -1, -1)
    values = np.full((len(weeks), len(areas)), np.nan)
    values[((rows.week - weeks[0]) // WEEK).astype(np.int64), place] = rows.value
    return Panel(weeks, areas, values)


def known_at(history: Rows, vintage: Vintage) -> Panel:
    """Return the panel on the vintage's date: its rows, and the history for weeks before the oldest of them.

    History within the vintage's span is never used, because it contains later revisions.
    """
    rows = vintage.rows.where(vintage.rows.week <= vintage.as_of)
    oldest = rows.week.min() if len(rows.week) else vintage.as_of
    older = history.where(history.week < oldest)
    both = Rows(
        np.concatenate([older.week, rows.week]),
        np.concatenate([older.area, rows.area]),
        np.concatenate([older.value, rows.value]),
    )
    return panel_of(both, as_of=vintage.as_of)


def carried(values: Floats) -> Floats:
    """Return values (weeks, areas) with missing ones replaced by the last before them, up to `CARRIED_WEEKS` old."""
    filled = values.copy()
    for _ in range(CARRIED_WEEKS):
        filled[1:] = np.where(np.isnan(filled[1:]), filled[:-1], filled[1:])
    return filled


def weeks_missing(values: Floats) -> Ints:
    """Return the age in weeks of the newest value of each area; the number of weeks if there is none."""
    known = ~np.isnan(values[::-1])
    return np.where(known.any(axis=0), known.argmax(axis=0), len(values)).astype(np.int64)


def season_of(weeks: Days) -> Ints:
    """Return the year in which the season of each week began; seasons begin on 1 July."""
    months = weeks.astype("datetime64[M]").astype(np.int64)
    return np.asarray(1970 + (months - 6) // 12)


def after_christmas(weeks: Days) -> Ints:
    """Return the number of weeks after the season's 25 December, negative before it."""
    december = ((season_of(weeks) - 1970) * 12 + 11).astype("datetime64[M]")
    christmas = december.astype("datetime64[D]") + np.timedelta64(24, "D")
    return np.rint((weeks.astype("datetime64[D]") - christmas).astype(np.int64) / 7.0).astype(np.int64)
