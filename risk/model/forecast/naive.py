"""Forecasts that any other has to beat, and that replace it where too little is known."""

from __future__ import annotations

from typing import Final

import numpy as np
from scipy.special import ndtri

from risk.model.forecast.levels import LEVELS
from risk.model.forecast.panel import HORIZONS, WEEK, Floats, Panel, after_christmas, carried, season_of

FEWEST: Final = 8
"""With fewer values, an area's own past is not used."""
NEAR_WEEKS: Final = 3
WEEKLY_LOG_SD: Final = 0.5
"""Spread of a week's change where an area's own is not known: a factor 2.7 either way in 95 %; our choice."""


def same_as_last_week(panel: Panel) -> Floats:
    """Quantiles (areas, horizons, 23) around the newest value, at most three weeks old; NaN without one.

    The spread is that of the area's own past changes over as many weeks, taken in both directions, so that the median
    is the newest value: FluSight's baseline, but from changes over the whole horizon rather than from sums of weekly
    ones. With fewer than eight changes it is lognormal and wide.
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
    """Quantiles (areas, horizons, 23) of the area's values in the same weeks, give or take three, of earlier seasons.

    With fewer than eight of them, of all its values; with fewer of those, of the rates of all areas. NaN where no area
    has a value.
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
