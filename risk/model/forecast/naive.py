"""Naive forecasts, which every other forecast has to beat, and which replace it if too little is known."""

from __future__ import annotations

from typing import Final

import numpy as np
from scipy.special import ndtri

from risk.model.forecast.levels import LEVELS
from risk.model.forecast.panel import HORIZONS, WEEK, Floats, Panel, after_christmas, carried, season_of

FEWEST: Final = 8
"""Number of values below which an area's past is not used."""
NEAR_WEEKS: Final = 3
WEEKLY_LOG_SD: Final = 0.5
"""Spread of a week's change if an area's is unknown: a factor 2.7 either way in 95 % of weeks; our choice."""


def same_as_last_week(panel: Panel) -> Floats:
    """Return quantiles (areas, horizons, 23) around the newest value, at most three weeks old; NaN without one.

    The spread is that of the area's past changes over the same number of weeks, in both directions, so that the median
    is the newest value. This is FluSight's baseline, but from changes over the whole horizon rather than from sums of
    weekly changes. With fewer than eight changes it is lognormal and wide.
    """
    values = carried(panel.values)
    quantiles = np.full((len(panel.areas), HORIZONS, len(LEVELS)), np.nan)
    for area, series in enumerate(panel.values.T):
        newest = values[-1, area]
        for step in range(HORIZONS):
            change = series[step + 1 :] - series[: -step - 1]
            change = change[~np.isnan(change)]
            if len(change) >= FEWEST:
                reached = newest + np.quantile(np.concatenate([change, -change]), LEVELS)
            else:
                reached = (newest + 1.0) * np.exp(WEEKLY_LOG_SD * np.sqrt(step + 1.0) * ndtri(LEVELS)) - 1.0
            quantiles[area, step] = np.maximum(reached, 0.0)
    return quantiles


def same_as_last_years(panel: Panel, population: Floats) -> Floats:
    """Return quantiles (areas, horizons, 23) of the area's values in earlier seasons, within three weeks of the week.

    With fewer than eight such values, those of all the area's values; with fewer than eight of these, of the rates of
    all areas. NaN if no area has a value.
    """
    week, season = after_christmas(panel.weeks), season_of(panel.weeks)
    rates = (panel.values / population).ravel()
    rates = rates[~np.isnan(rates)]
    quantiles = np.full((len(panel.areas), HORIZONS, len(LEVELS)), np.nan)
    for step in range(HORIZONS):
        target = panel.weeks[-1:] + (step + 1) * WEEK
        near = (np.abs(week - after_christmas(target)) <= NEAR_WEEKS) & (season < season_of(target))
        for area, series in enumerate(panel.values.T):
            known = ~np.isnan(series)
            for chosen in (series[near & known], series[known], rates * population[area]):
                if len(chosen) >= FEWEST or (chosen.size and chosen.size == rates.size):
                    quantiles[area, step] = np.quantile(chosen, LEVELS)
                    break
    return quantiles
