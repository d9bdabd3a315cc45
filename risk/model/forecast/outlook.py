"""What is reported about a forecast: chances, and areas that agree with the state they belong to."""

from __future__ import annotations

from typing import Final

import numpy as np
from scipy.special import ndtr, ndtri

from risk.model.forecast.levels import LEVELS, MEDIAN
from risk.model.forecast.panel import Floats

_UPPER, _LOWER = -3, 2
"""Levels 0.95 and 0.05, whose difference gives a forecast's spread."""
_SDS_BETWEEN = float(ndtri(LEVELS[_UPPER]) - ndtri(LEVELS[_LOWER]))

LEAST_FACTOR: Final = 0.5
"""Smallest factor on the forecast of an area; our choice."""


def chance_above(quantiles: Floats, threshold: Floats) -> Floats:
    """Return the chance (...) that the value reaches a threshold (...), from quantiles (..., 23).

    It is linear in the normal score and lies between 0.01 and 0.99, because nothing is known beyond the outer
    quantiles. NaN where a quantile or threshold is.
    """
    rows = np.broadcast_to(np.asarray(threshold, np.float64), quantiles.shape[:-1])
    found = [_chance(one, float(at)) for one, at in zip(quantiles.reshape(-1, len(LEVELS)), rows.ravel(), strict=True)]
    return np.array(found).reshape(rows.shape)


def _chance(quantiles: Floats, threshold: float) -> float:
    if np.isnan(threshold) or np.isnan(quantiles).any():
        return float("nan")
    below = ndtr(np.interp(threshold, quantiles, ndtri(LEVELS)))
    # Where several quantiles equal the threshold, all of them reach it.
    first = int(np.searchsorted(quantiles, threshold))
    if first < len(LEVELS) and quantiles[first] == threshold:
        below = LEVELS[first]
    return float(np.clip(1.0 - below, LEVELS[0], LEVELS[-1]))


def reconciled(
    parts: Floats, whole: Floats, *, weights: Floats, level: Floats, whole_level: float
) -> tuple[Floats, Floats]:
    """Move forecasts of a state's areas (n, horizons, 23) and of the state (horizons, 23) until their medians agree.

    The sum of the areas' weighted medians must be the same share of the state's median as the areas' newest values (n,)
    are of the state's. Each median moves in proportion to its variance, which is minimum-trace reconciliation with
    independent errors (Wickramasuriya et al. 2019, doi:10.1080/01621459.2018.1448825, equation 9, source not seen). The
    other quantiles are multiplied by the same factor, so none falls below 0. An area whose median is 0 does not move,
    and none falls below half, because its range would vanish with it: the others and the state move further instead. If
    the state's newest value or median is 0, or all areas' are, nothing moves.

    ``weights`` (n,): 1 for counts, the share of the state's people for means.
    """
    covered = float(np.sum(weights * level)) / whole_level if whole_level > 0.0 else 0.0
    if covered <= 0.0:
        return parts, whole
    medians, median = parts[..., MEDIAN], whole[..., MEDIAN] * covered
    least = LEAST_FACTOR * medians
    variance = np.where(medians > 0.0, _spread(parts) ** 2 * weights[:, None] ** 2, 0.0)
    variance_of_whole = np.where(median > 0.0, _spread(whole) ** 2 * covered**2, 0.0)
    for _ in range(len(parts) + 1):
        gap = np.where(median > 0.0, median - np.sum(weights[:, None] * medians, axis=0), 0.0)
        total = variance.sum(axis=0) + variance_of_whole
        share = np.divide(gap, total, out=np.zeros_like(gap), where=total > 0.0)
        moved = medians + variance * share / np.where(weights > 0.0, weights, 1.0)[:, None]
        below = moved < least
        if not below.any():
            break
        medians, variance = np.where(below, least, medians), np.where(below, 0.0, variance)
    return _scaled(parts, moved), _scaled(whole, (median - variance_of_whole * share) / covered)


def _spread(quantiles: Floats) -> Floats:
    """Return the standard deviation (...) of normal distributions with these 5 and 95 % points."""
    return np.asarray((quantiles[..., _UPPER] - quantiles[..., _LOWER]) / _SDS_BETWEEN)


def _scaled(quantiles: Floats, median: Floats) -> Floats:
    """Return quantiles (..., 23) multiplied so that their median is ``median`` (...); unchanged if it is 0."""
    old = quantiles[..., MEDIAN]
    factor = np.divide(np.maximum(median, 0.0), old, out=np.ones_like(old), where=old > 0.0)
    return np.asarray(quantiles * factor[..., None])
