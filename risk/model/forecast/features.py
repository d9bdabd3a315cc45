"""Features of an origin that the members learn from: one row for each area, the same columns for every source.

An origin is a week from which a forecast is made. Its row uses nothing later.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

import numpy as np

from risk.model.forecast.panel import HORIZONS, Days, Flags, Floats, Ints, carried, season_of

LAGS: Final = 8
SEASON_BEGINS: Final = -20
"""Week after Christmas from which a season's maximum and mean are computed."""
REACH: Final = 46
"""Number of weeks before an origin that its row can depend on."""
NAMES: Final = (
    "level", "mean2", "mean4", "slope3", "slope4", "slope6", "curvature", "below_maximum", "season_mean", "national",
    "national_slope", "relative", "log_population", "source", "week", "change1", "change2",
)  # fmt: skip
"""Columns: x at the origin, means and least-squares slopes over the last weeks, curvature, distance below the season's
maximum, the season's mean, the mean of all areas and its slope, x against that mean, log of the population, number of
the source, weeks after Christmas, and the last two weekly changes."""
COLUMN: Final = {name: index for index, name in enumerate(NAMES)}


@dataclass(frozen=True, slots=True)
class Table:
    """Origins to learn from.

    ``features`` (n, columns of `NAMES`); ``change`` (n, horizons) of x from the newest value, NaN where unknown;
    ``area`` (n,) numbers unique over sources; ``season`` (n,) the year in which it began; ``block`` (n,) numbers of
    origins that belong together.
    """

    features: Floats
    change: Floats
    area: Ints
    season: Ints
    block: Ints

    @property
    def size(self) -> int:
        """Return the number of rows."""
        return len(self.features)

    def where(self, kept: Flags) -> Table:
        """Return the selected rows."""
        return Table(self.features[kept], self.change[kept], self.area[kept], self.season[kept], self.block[kept])

    def column(self, name: str) -> Floats:
        """Return the column of one feature."""
        return np.asarray(self.features[:, COLUMN[name]])


def joined(tables: Sequence[Table]) -> Table:
    """Return all rows of all tables."""
    return Table(
        np.concatenate([np.zeros((0, len(NAMES))), *(table.features for table in tables)]),
        np.concatenate([np.zeros((0, HORIZONS)), *(table.change for table in tables)]),
        np.concatenate([np.zeros(0, np.int64), *(table.area for table in tables)]),
        np.concatenate([np.zeros(0, np.int64), *(table.season for table in tables)]),
        np.concatenate([np.zeros(0, np.int64), *(table.block for table in tables)]),
    )


def features_at(x: Floats, *, week: int, log_population: Floats, source: int) -> Floats:
    """Return rows (areas, columns) of the origin at the last week of ``x`` (weeks, areas).

    ``week``: number of that week after Christmas.
    """
    filled = carried(x[-REACH:])
    missing = max(0, LAGS - len(filled))
    lag = np.concatenate([np.full((missing, x.shape[1]), np.nan), filled])[::-1][:LAGS]
    season = filled[-max(1, min(week - SEASON_BEGINS + 1, len(filled))) :]
    maximum = np.fmax.reduce(season, axis=0)
    national = _mean(lag.T)
    columns: dict[str, Floats | float] = {
        "level": lag[0],
        "mean2": _mean(lag[:2]),
        "mean4": _mean(lag[:4]),
        **{f"slope{weeks}": _slope(lag[:weeks]) for weeks in (3, 4, 6)},
        "curvature": lag[0] - 2.0 * lag[2] + lag[4],
        "below_maximum": maximum - lag[0],
        "season_mean": _mean(season),
        "national": national[0],
        "national_slope": _slope(national[:4]),
        "relative": lag[0] - national[0],
        "log_population": log_population,
        "source": float(source),
        "week": float(week),
        "change1": lag[0] - lag[1],
        "change2": lag[1] - lag[2],
    }
    return np.stack([np.broadcast_to(columns[name], x.shape[1]) for name in NAMES], axis=1)


def changes(newest: Floats, later: Floats, weeks: Days) -> Floats:
    """Return changes (areas, horizons) from ``newest`` (areas,) to the weeks after it, ``later`` (up to 4, areas).

    ``weeks``: the week of the origin and those of ``later``. A value that is not known yet, or belongs to the next
    season, is NaN.
    """
    change = np.full((len(newest), HORIZONS), np.nan)
    same = season_of(weeks[1:]) == season_of(weeks[:1])
    change[:, : len(later)] = np.where(same[:, None], later - newest, np.nan).T
    return change


def filled_in(features: Floats) -> Floats:
    """Return features without gaps: a missing mean becomes the level, a missing change 0."""
    filled = features.copy()
    for name in ("mean2", "mean4", "season_mean", "national"):
        column = filled[:, COLUMN[name]]
        filled[:, COLUMN[name]] = np.where(np.isnan(column), filled[:, COLUMN["level"]], column)
    return np.nan_to_num(filled)


def _slope(lag: Floats) -> Floats:
    """Return the least-squares slope per week, of weeks that run newest first over the first axis."""
    steps = (len(lag) - 1) / 2.0 - np.arange(len(lag))
    return np.asarray(steps @ lag / (steps**2).sum())


def _mean(values: Floats) -> Floats:
    """Return the mean over the first axis of the known values; NaN where there is none."""
    known = ~np.isnan(values)
    count = known.sum(axis=0)
    return np.where(count, np.where(known, values, 0.0).sum(axis=0) / np.maximum(count, 1), np.nan)
