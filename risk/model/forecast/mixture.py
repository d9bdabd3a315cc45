"""Average the members, and calibrate their spread by the performance of earlier forecasts."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from types import MappingProxyType
from typing import Final

import numpy as np

from risk.model.forecast.levels import MEDIAN
from risk.model.forecast.panel import HORIZONS, WEEK, Floats, Panel
from risk.model.forecast.scale import Scale
from risk.model.forecast.score import wis

WEIGHTS: Final[Mapping[str, float]] = MappingProxyType({"boosting": 2.0, "ridge": 1.0, "analogues": 1.0})
FACTORS: Final = np.round(np.arange(0.8, 1.801, 0.05), 2)
ORIGINS: Final = 10
USUAL: Final = 1.15
USUAL_WEIGHT: Final = 3.0


@dataclass(frozen=True, slots=True)
class Past:
    """An earlier forecast before calibration: ``quantiles`` (areas, horizons, 23) of x on ``scale``."""

    panel: Panel
    scale: Scale
    quantiles: Floats


def averaged(members: Mapping[str, Floats]) -> Floats:
    """Return the quantiles averaged level by level with `WEIGHTS`, in order."""
    total = sum(WEIGHTS[name] for name in members)
    mixed = sum((WEIGHTS[name] / total * quantiles for name, quantiles in members.items()), start=np.zeros(()))
    return np.sort(np.asarray(mixed), axis=-1)


def spread(quantiles: Floats, factor: Floats) -> Floats:
    """Return quantiles (..., 23) moved away from their median by a factor (...)."""
    median = quantiles[..., MEDIAN, None]
    return np.asarray(median + (quantiles - median) * factor[..., None])


def factors(past: Sequence[Past], known: Panel) -> Floats:
    """Return the factor of the spread (horizons,), from what is known now of the weeks that earlier forecasts were for.

    For each horizon it is the factor with the smallest mean WIS on the scale x over the last ten origins, shrunk
    towards 1.15 with the weight of three origins.
    """
    chosen = np.full(HORIZONS, USUAL)
    for step in range(HORIZONS):
        due = [one for one in past if one.panel.as_of + (step + 1) * WEEK <= known.as_of][-ORIGINS:]
        if not due:
            continue
        loss = np.zeros(len(FACTORS))
        for one in due:
            row = -1 - int((known.as_of - one.panel.as_of) // WEEK - (step + 1))
            truth = one.scale.x(known.of(one.panel.areas).values[row])
            seen = ~np.isnan(truth) & ~np.isnan(one.quantiles[:, step, MEDIAN])
            if seen.any():
                each = [wis(spread(one.quantiles[seen, step], np.array(factor)), truth[seen]) for factor in FACTORS]
                loss += np.mean(each, axis=1)
        best = FACTORS[np.argmin(loss)] if loss.any() else USUAL
        chosen[step] = (len(due) * best + USUAL_WEIGHT * USUAL) / (len(due) + USUAL_WEIGHT)
    return chosen
