"""Member: what followed the most similar past origins."""

from __future__ import annotations

from collections.abc import Mapping
from types import MappingProxyType
from typing import Final

import numpy as np

from risk.model.forecast.features import COLUMN, Table, filled_in
from risk.model.forecast.levels import LEVELS
from risk.model.forecast.panel import HORIZONS, Floats

NEIGHBOURS: Final = 150
WEIGHTS: Final[Mapping[str, float]] = MappingProxyType(
    {
        "level": 1.0,
        "change1": 1.2,
        "change2": 0.8,
        "slope4": 1.2,
        "below_maximum": 0.6,
        "national": 0.6,
        "national_slope": 0.8,
        "relative": 0.3,
        "week": 1.6,
    }
)
"""Weight of a difference of one standard deviation."""


def analogous(table: Table, wanted: Floats) -> Floats:
    """Return quantiles (rows, horizons, 23) of the change at the 150 origins nearest to each ``wanted`` row."""
    columns = [COLUMN[name] for name in WEIGHTS]
    seen, asked = filled_in(table.features)[:, columns], filled_in(wanted)[:, columns]
    factor = np.array(list(WEIGHTS.values())) / np.maximum(seen.std(axis=0), 1e-9)
    seen, asked = seen * factor, asked * factor
    distance = (seen**2).sum(axis=1) - 2.0 * asked @ seen.T
    quantiles = np.zeros((len(wanted), HORIZONS, len(LEVELS)))
    for step in range(HORIZONS):
        known = np.flatnonzero(~np.isnan(table.change[:, step]))
        count = min(NEIGHBOURS, len(known))
        for row, far in enumerate(distance[:, known]):
            nearest = known[np.argpartition(far, count - 1)[:count]]
            quantiles[row, step] = np.quantile(table.change[nearest, step], LEVELS)
    return quantiles
