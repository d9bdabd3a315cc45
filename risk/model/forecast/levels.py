"""Quantile levels, and quantiles between the fitted ones."""

from __future__ import annotations

from typing import Final

import numpy as np
from scipy.special import ndtri

from risk.model.forecast.panel import Floats

LEVELS: Final = np.array([0.01, 0.025, *(round(0.05 * step, 2) for step in range(1, 20)), 0.975, 0.99])
"""The 23 levels of FluSight."""
MEDIAN: Final = 11
CENTRAL: Final = {"50": (6, 16), "95": (1, 21)}
"""Indices, among the levels, of the ends of central intervals."""


def at_all_levels(quantiles: Floats, levels: Floats) -> Floats:
    """Return quantiles (..., levels) at the 23 levels: linear in the normal score, outer slopes extrapolated."""
    known, wanted = ndtri(levels), ndtri(LEVELS)
    left = np.clip(np.searchsorted(known, wanted, side="right") - 1, 0, len(known) - 2)
    share = (wanted - known[left]) / (known[left + 1] - known[left])
    return np.asarray(quantiles[..., left] + share * (quantiles[..., left + 1] - quantiles[..., left]))
