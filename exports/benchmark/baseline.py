"""The baseline: predict from the classes of risk and the refusals, given what is known of their noise.

It reads the released signals, which are unbiased and state their errors. The predictor of an area is the share of its
check-ins that are of class Moderate or were refused. That share is smoothed over days by a normal kernel and shrunk to
the share of the whole town, the more the larger its noise is (empirical Bayes, Efron and Morris 1973, JASA 68:117).
The level of a day follows from the town's share of class Moderate in excess of the share when nobody is infectious.
The constants were fitted on separate towns with the kinds of plans that contests use; those of the level on twelve.
"""

from typing import Final

import numpy as np
import pandas as pd
from numpy.typing import NDArray

SIGNALS: Final = ("checkins", "moderate", "refused")
INFORMATIVE: Final = ("moderate", "refused")
QUERY: Final = """
SELECT geo_type, geo_value, time_value, signal, value, stderr
FROM "{database}"."aspirevc_crowd_tracing_signals"
WHERE geo_type IN ('nation', 'zip3') AND signal IN ('checkins', 'moderate', 'refused') AND time_value NOT LIKE '%W%'
"""
SMOOTHED_DAYS: Final = 6.0
LEVEL_DAYS: Final = 3.0
"""Standard deviations of the kernel, for areas and for the whole town, which has less noise."""
LEVEL: Final = (0.031, 1.1)
"""Share of class Moderate among check-ins if nobody is infectious, and share of infectious visits in the excess."""
LEAST_LEVEL: Final = 0.002
NOTHING_KNOWN: Final = 0.01
LEAST: Final = 0.0005
MOST: Final = 0.9
# Minimum variance between areas, relative to the square of their mean: an estimate of 0 would make all areas equal.
LEAST_SPREAD: Final = 0.02
Floats = NDArray[np.float64]


def baseline(signals: pd.DataFrame, lines: pd.MultiIndex) -> pd.Series:
    """Return a share for each line (`day`, `zip`), from signals of these days."""
    days = sorted(lines.get_level_values("day").unique())
    areas = sorted(lines.get_level_values("zip").unique())
    if signals.empty:
        return pd.Series(NOTHING_KNOWN, index=lines)
    whole = _table(signals, "nation", "value", days, ["us"])
    own, errors = (_table(signals, "zip3", column, days, areas) for column in ("value", "stderr"))
    level = _level(_kernel(len(days), LEVEL_DAYS), whole)
    relative = _relative(_kernel(len(days), SMOOTHED_DAYS), own, errors)
    shares = pd.DataFrame(np.clip(level[:, None] * (1 + relative), LEAST, MOST), index=days, columns=areas)
    return pd.Series([float(shares.loc[day, area]) for day, area in lines], index=lines)


def _kernel(days: int, spread: float) -> Floats:
    """Return the weights of each day for each day; lines add up to one."""
    apart = np.arange(days)[:, None] - np.arange(days)
    weights = np.exp(-0.5 * (apart / spread) ** 2)
    return np.asarray(weights / weights.sum(axis=1, keepdims=True))


def _table(signals: pd.DataFrame, geo_type: str, column: str, days: list[str], places: list[str]) -> dict[str, Floats]:
    """Return one column of each signal as (days, places); 0 where nothing was released."""
    found = signals[signals["geo_type"] == geo_type]
    return {
        name: found[found["signal"] == name]
        .pivot_table(index="time_value", columns="geo_value", values=column, aggfunc="sum")
        .reindex(index=days, columns=places)
        .fillna(0.0)
        .to_numpy(float)
        for name in SIGNALS
    }


def _level(kernel: Floats, whole: dict[str, Floats]) -> Floats:
    """Return the share of each day."""
    checkins, moderate = (np.maximum(kernel @ whole[name][:, 0], 0.0) for name in ("checkins", "moderate"))
    rate = np.divide(moderate, checkins, out=np.zeros_like(moderate), where=checkins > 0)
    return np.where(checkins > 0, np.maximum(LEAST_LEVEL, LEVEL[1] * (rate - LEVEL[0])), NOTHING_KNOWN)


def _relative(kernel: Floats, own: dict[str, Floats], errors: dict[str, Floats]) -> Floats:
    """Return the relative excess of an area over the whole on a day; about 0 if it is within the noise."""
    checkins = np.maximum(kernel @ own["checkins"], 1.0)
    informative = np.sum([kernel @ own[name] for name in INFORMATIVE], axis=0)
    noise = np.sum([kernel**2 @ errors[name] ** 2 for name in INFORMATIVE], axis=0) / checkins**2
    rate = informative / checkins
    mean = informative.sum(axis=1, keepdims=True) / checkins.sum(axis=1, keepdims=True)
    mean = np.where(mean > 0, mean, np.inf)  # a mean below zero carries no information
    spread = np.average((rate - np.where(np.isfinite(mean), mean, rate)) ** 2 - noise, weights=checkins)
    finite = mean[np.isfinite(mean)]
    between = max(spread, LEAST_SPREAD * float(finite.mean()) ** 2 if finite.size else 0.0, 0.0)
    weight = np.divide(between, between + noise, out=np.zeros_like(noise), where=between + noise > 0)
    gap = np.where(np.isfinite(mean), rate - np.where(np.isfinite(mean), mean, 0.0), 0.0)
    return np.asarray(np.maximum(weight * gap / mean, -1.0))
