"""Generated seasons: weekly counts of areas, first reports that are too low, gaps and zeros; and an older series."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from risk.model.forecast.panel import WEEK, Days, Floats, Rows, Vintage, after_christmas, season_of

FIRST = np.datetime64("2022-09-03")
REPORTED = (0.85, 0.95)
"""Share of the final number in a first and in a second report."""
BIG = 1e6


@dataclass(frozen=True)
class Season:
    """The final numbers, the same as reported week after week, and people by area."""

    history: Rows
    vintages: list[Vintage]
    population: dict[str, float]


def saturdays(first: np.datetime64, last: np.datetime64) -> Days:
    """Return week ends from the first to the last."""
    return first + WEEK * np.arange(int((last - first) // WEEK) + 1)


def wave(weeks: Days, areas: int, rng: np.random.Generator) -> Floats:
    """Return rates (weeks, areas) per 100,000: one peak a season, nearly shared by the areas."""
    week, season = after_christmas(weeks), season_of(weeks)
    rate = np.zeros((len(weeks), areas))
    for year in np.unique(season):
        peak, height, width = rng.normal(2.0, 3.0), rng.lognormal(1.6, 0.3), rng.uniform(3.0, 5.0)
        shift, scale = rng.normal(0.0, 1.0, areas), rng.lognormal(0.0, 0.2, areas)
        rows = season == year
        rate[rows] = height * scale * np.exp(-0.5 * ((week[rows, None] - peak - shift) / width) ** 2)
    return rate + 0.2


def rows_of(weeks: Days, areas: list[str], values: Floats) -> Rows:
    """Return rows of a table; NaN is not reported."""
    week, area, value = np.repeat(weeks, len(areas)), np.tile(np.array(areas), len(weeks)), values.ravel()
    return Rows(week, area, value).where(~np.isnan(value))


def made(*, last: str = "2024-04-27", first_vintage: str = "2023-11-25", areas: int = 12, seed: int = 1) -> Season:
    """Return two seasons of counts, the second with vintages of 18 weeks.

    One area has a gap, the smallest has zeros.
    """
    rng = np.random.default_rng(seed)
    weeks = saturdays(FIRST, np.datetime64(last))
    names = [f"{number:02d}" for number in range(1, areas + 1)]
    people = np.geomspace(3e5, 2e7, areas)
    counts = rng.poisson(wave(weeks, areas, rng) * people / 1e5).astype(np.float64)
    counts[30:32, 1] = np.nan
    vintages = []
    for as_of in saturdays(np.datetime64(first_vintage), weeks[-1]):
        at = int((as_of - weeks[0]) // WEEK) + 1
        seen = counts[max(0, at - 18) : at].copy()
        for age, share in enumerate(REPORTED):
            seen[-1 - age] = np.round(seen[-1 - age] * share)
        vintages.append(Vintage(as_of, rows_of(weeks[max(0, at - 18) : at], names, seen)))
    return Season(rows_of(weeks, names, counts), vintages, dict(zip(names, people.tolist(), strict=True)))


def reference(*, seed: int = 2, areas: int = 10) -> Rows:
    """Return ten seasons of a percentage in areas with other names."""
    rng = np.random.default_rng(seed)
    weeks = saturdays(np.datetime64("2010-09-04"), np.datetime64("2019-06-01"))
    percent = wave(weeks, areas, rng) / 3.0 + rng.normal(0.0, 0.02, (len(weeks), areas))
    return rows_of(weeks, [f"region {number}" for number in range(areas)], np.maximum(percent, 0.0))
