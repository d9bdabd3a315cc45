"""Member: gradient boosting of quantiles of the change, over all sources, areas and horizons in one table."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

import numpy as np

from risk.model.forecast.features import COLUMN, Table
from risk.model.forecast.levels import at_all_levels
from risk.model.forecast.panel import HORIZONS, Floats

FITTED: Final = np.array([0.025, 0.1, 0.25, 0.5, 0.75, 0.9, 0.975])
"""Levels with separate trees; the others are interpolated."""


@dataclass(frozen=True, slots=True)
class Boosting:
    """Settings of the trees and of the bags that are averaged.

    A bag holds ``block_share`` of the blocks and ``area_share`` of the areas, drawn without replacement, so that no
    single season or area decides. ``feature_share``: share of the features tried at each split.
    """

    rounds: int = 80
    learning_rate: float = 0.08
    leaves: int = 31
    rows_a_leaf: int = 60
    bins: int = 63
    feature_share: float = 0.7
    block_share: float = 0.7
    area_share: float = 0.8
    bags: int = 2


def boosted(table: Table, wanted: Floats, *, settings: Boosting, rng: np.random.Generator) -> Floats:
    """Return quantiles (rows, horizons, 23) of the change for rows ``wanted`` of features."""
    inputs, targets, asked = _by_horizon(table.features), table.change.T.ravel(), _by_horizon(wanted)
    known = ~np.isnan(targets)
    total = np.zeros((len(asked), len(FITTED)))
    for _ in range(settings.bags):
        kept = _drawn(table.block, settings.block_share, rng) & _drawn(table.area, settings.area_share, rng)
        rows = np.tile(kept, HORIZONS) & known
        total += _fitted(inputs[rows], targets[rows], asked, settings, rng)
    quantiles = at_all_levels(np.sort(total / settings.bags, axis=1), FITTED)
    return quantiles.reshape(HORIZONS, len(wanted), -1).transpose(1, 0, 2)


def _by_horizon(features: Floats) -> Floats:
    """Repeat rows for each horizon (slowest axis), with weeks ahead and the week they reach as further columns."""
    ahead = np.repeat(np.arange(1.0, HORIZONS + 1.0), len(features))
    repeated = np.tile(features, (HORIZONS, 1))
    return np.column_stack([repeated, ahead, repeated[:, COLUMN["week"]] + ahead])


def _drawn(labels: np.ndarray, share: float, rng: np.random.Generator) -> np.ndarray:
    names = np.unique(labels)
    return np.isin(labels, rng.choice(names, max(1, round(share * len(names))), replace=False))


def _fitted(inputs: Floats, targets: Floats, asked: Floats, settings: Boosting, rng: np.random.Generator) -> Floats:
    # Imported late: it takes a second, and the web server never forecasts.
    from sklearn.ensemble import HistGradientBoostingRegressor
    from threadpoolctl import threadpool_limits

    quantiles = np.zeros((len(asked), len(FITTED)))
    # With more threads, sums are computed in another order and forecasts differ in their last digits.
    with threadpool_limits(1):
        for column, level in enumerate(FITTED):
            trees = HistGradientBoostingRegressor(
                loss="quantile",
                quantile=level,
                learning_rate=settings.learning_rate,
                max_iter=settings.rounds,
                max_leaf_nodes=settings.leaves,
                min_samples_leaf=settings.rows_a_leaf,
                max_bins=settings.bins,
                max_features=settings.feature_share,
                early_stopping=False,
                random_state=int(rng.integers(2**31)),
            )
            quantiles[:, column] = trees.fit(inputs, targets).predict(asked)
    return quantiles
