"""Member: ridge regression of the change on the features and a seasonal course; a second one gives the spread."""

from __future__ import annotations

from typing import Final

import numpy as np

from risk.model.forecast.features import COLUMN, Table, filled_in
from risk.model.forecast.levels import LEVELS
from risk.model.forecast.panel import HORIZONS, Floats

PENALTY: Final = 3.0
OWN_WEIGHT: Final = 2.0
"""Weight of the source that is forecast, relative to references."""
BY_WEEK: Final = 6
"""Number of first features that also enter multiplied by the week."""
FARTHEST: Final = 5.0
"""Standard deviations at which an input is clipped, so that an unusual origin is not extrapolated."""
LEAST_RESIDUAL: Final = 1e-3


def ridged(table: Table, wanted: Floats) -> Floats:
    """Return quantiles (rows, horizons, 23) of the change for rows ``wanted`` of features."""
    weight = np.where(table.column("source") == 0.0, OWN_WEIGHT, 1.0)
    quantiles = np.zeros((len(wanted), HORIZONS, len(LEVELS)))
    for step in range(HORIZONS):
        known = ~np.isnan(table.change[:, step])
        change, mass = table.change[known, step], weight[known]
        inputs, asked = _standardised(_inputs(table.features[known], ahead=step + 1), _inputs(wanted, ahead=step + 1))
        centre = _solved(inputs, change, mass)
        residual = change - inputs @ centre
        spread = _solved(inputs, np.log(np.abs(residual) + LEAST_RESIDUAL), mass)
        standard = residual / np.exp(inputs @ spread)
        order = np.argsort(standard)
        tails = np.interp(LEVELS, np.cumsum(mass[order]) / mass.sum(), standard[order])
        quantiles[:, step] = (asked @ centre)[:, None] + np.exp(asked @ spread)[:, None] * tails
    return quantiles


def _inputs(features: Floats, *, ahead: int) -> Floats:
    filled = filled_in(features)
    week = filled[:, COLUMN["week"]]
    reached = week + ahead
    u = (reached + 1.0) / 10.0
    bumps = [np.exp(-0.5 * (reached - centre) ** 2) for centre in (0.0, 2.0)]
    return np.column_stack([u, u**2, u**3, *bumps, filled, filled[:, :BY_WEEK] * week[:, None] / 10.0])


def _standardised(inputs: Floats, asked: Floats) -> tuple[Floats, Floats]:
    """Return both arrays standardised by mean and standard deviation of the first, with a constant column in front."""
    mean, deviation = inputs.mean(axis=0), inputs.std(axis=0)
    deviation = np.where(deviation > 1e-9, deviation, 1.0)
    first, second = (np.clip((rows - mean) / deviation, -FARTHEST, FARTHEST) for rows in (inputs, asked))
    return np.insert(first, 0, 1.0, axis=1), np.insert(second, 0, 1.0, axis=1)


def _solved(inputs: Floats, targets: Floats, weight: Floats) -> Floats:
    weighted = inputs * weight[:, None]
    penalty = np.diag([1e-9, *[PENALTY] * (inputs.shape[1] - 1)])
    return np.asarray(np.linalg.solve(weighted.T @ inputs + penalty, weighted.T @ targets))
