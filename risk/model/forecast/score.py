"""Score quantile forecasts against the values that were reported later.

A task is one reference date, horizon and area. Scores are compared on tasks that both forecasts have.
"""

from __future__ import annotations

from typing import Any, Final

import numpy as np
import pandas as pd

from risk.model.forecast.levels import CENTRAL, LEVELS
from risk.model.forecast.panel import Floats

KEYS: Final = ["reference_date", "horizon", "target_end_date", "location"]
PEAK_WEEKS: Final = 2
BLOCK_WEEKS: Final = 4
RESAMPLES: Final = 1000
NATIONAL: Final = "US"
"""Code of the area that is the sum of the others."""


def wis(quantiles: Floats, truth: Floats) -> Floats:
    """Return the weighted interval score (...) of quantiles (..., 23).

    It is twice the mean pinball loss (Bracher et al. 2021, doi:10.1371/journal.pcbi.1008618), in the unit of the truth.
    Lower is better.
    """
    error = np.asarray(truth)[..., None] - quantiles
    return np.asarray(2.0 * np.maximum(LEVELS * error, (LEVELS - 1.0) * error).mean(axis=-1))


def scored(tasks: pd.DataFrame, truth: pd.DataFrame) -> pd.DataFrame:
    """Return one row for each task that has a truth.

    Columns: keys, `model`, `wis`, `log_wis` (of log(1 + value)), `in_50`, `in_95`, `phase`. ``tasks``: keys, `model`,
    and one column for each of the 23 levels. ``truth``: `date`, `location`, `value`.
    """
    phases = truth.assign(phase=phase(truth)).rename(columns={"date": "target_end_date"})
    found = tasks.merge(phases, on=["target_end_date", "location"]).dropna(subset=["value"])
    quantiles, value = found[LEVELS.tolist()].to_numpy(), found["value"].to_numpy()
    inside = {
        f"in_{name}": (quantiles[:, low] <= value) & (value <= quantiles[:, high])
        for name, (low, high) in CENTRAL.items()
    }
    return found[[*KEYS, "model", "phase"]].assign(
        wis=wis(quantiles, value), log_wis=wis(np.log1p(quantiles), np.log1p(value)), **inside
    )


def phase(truth: pd.DataFrame) -> pd.Series:
    """Return the phase of each row: "rise", "peak" or "decline".

    A peak is within two weeks of the area's highest week of the season.
    """
    date = pd.to_datetime(truth["date"])
    season = date.dt.year - (date.dt.month < 7)
    highest = truth.assign(when=date, season=season).dropna(subset=["value"])
    highest = highest.sort_values(["value", "when"], ascending=[False, True]).drop_duplicates(["location", "season"])
    peak = pd.DataFrame({"location": truth["location"], "season": season}).merge(
        highest[["location", "season", "when"]], on=["location", "season"], how="left"
    )["when"]
    weeks = (date.to_numpy() - peak.to_numpy()) / np.timedelta64(7, "D")
    return pd.Series(np.select([weeks < -PEAK_WEEKS, weeks <= PEAK_WEEKS], ["rise", "peak"], "decline"), truth.index)


def common(ours: pd.DataFrame, theirs: pd.DataFrame) -> pd.DataFrame:
    """Return scored tasks that both have; columns of the second end in `_against`."""
    return ours.merge(theirs[[*KEYS, "wis", "log_wis"]], on=KEYS, suffixes=("", "_against"))


def relative(both: pd.DataFrame, score: str = "wis") -> float:
    """Return the mean score divided by the other's mean; NaN without a task."""
    other = both[f"{score}_against"].sum()
    return float(both[score].sum() / other) if other > 0 else float("nan")


def interval(both: pd.DataFrame, *, rng: np.random.Generator, level: float = 0.9) -> tuple[float, float]:
    """Return an interval of `relative`, from resampled blocks of four consecutive reference dates.

    Blocks are used because neighbouring dates share errors (moving blocks: Künsch 1989, doi:10.1214/aos/1176347265,
    source not seen).
    """
    weekly = both.groupby("reference_date")[["wis", "wis_against"]].sum().sort_index().to_numpy()
    if not len(weekly):
        return float("nan"), float("nan")
    length = min(BLOCK_WEEKS, len(weekly))
    begins = rng.integers(0, len(weekly) - length + 1, (RESAMPLES, -(-len(weekly) // length)))
    rows = (begins[..., None] + np.arange(length)).reshape(RESAMPLES, -1)[:, : len(weekly)]
    sums = weekly[rows].sum(axis=1)
    low, high = np.quantile(sums[:, 0] / sums[:, 1], [(1.0 - level) / 2.0, (1.0 + level) / 2.0])
    return float(low), float(high)


def wide(forecasts: pd.DataFrame) -> pd.DataFrame:
    """Return one row for each task and model, from one row for each quantile; NaN in a task that lacks a level."""
    rows = forecasts.assign(quantile=forecasts["quantile"].round(4))
    rows = rows[rows["quantile"].isin(LEVELS)]
    return rows.pivot(index=["model", *KEYS], columns="quantile", values="value").reindex(columns=LEVELS).reset_index()


def report(tasks: pd.DataFrame, truth: pd.DataFrame, others: pd.DataFrame | None = None) -> dict[str, Any]:
    """Return scores of each model, by horizon and phase, and as ratios to each model of ``others``; ready for JSON.

    Means are over areas without the national one, whose errors would outweigh all others; it is scored separately.
    """
    tasks = tasks.reset_index(drop=True)  # tables that were put together repeat their index
    local = tasks["location"] != NATIONAL
    against = {} if others is None else {str(name): scored(rows, truth) for name, rows in others.groupby("model")}
    models = {}
    for name, rows in tasks.groupby("model"):
        ours = scored(rows[local[rows.index]], truth)
        models[str(name)] = {
            **_summary(ours),
            "without_truth": int(local[rows.index].sum()) - len(ours),
            "by_horizon": {str(key): _summary(part) for key, part in ours.groupby("horizon")},
            "by_phase": {str(key): _summary(part) for key, part in ours.groupby("phase")},
            "national": _summary(scored(rows[~local[rows.index]], truth)),
            "against": {other: _ratios(common(ours, theirs)) for other, theirs in against.items()},
        }
    return {"areas": f"all areas but {NATIONAL}", "models": models}


def _summary(part: pd.DataFrame) -> dict[str, Any]:
    return {
        "tasks": len(part),
        "wis": _number(part["wis"].mean()),
        "log_wis": _number(part["log_wis"].mean()),
        **{f"coverage_{name}": _number(part[f"in_{name}"].mean()) for name in CENTRAL},
    }


def _ratios(both: pd.DataFrame) -> dict[str, Any]:
    low, high = interval(both, rng=np.random.default_rng(0))
    return {
        "tasks": len(both),
        "relative_wis": _number(relative(both)),
        "low": _number(low),
        "high": _number(high),
        "relative_log_wis": _number(relative(both, "log_wis")),
        "by_horizon": {str(key): _number(relative(part)) for key, part in both.groupby("horizon")},
        "by_phase": {str(key): _number(relative(part)) for key, part in both.groupby("phase")},
    }


def _number(value: float) -> float | None:
    return round(float(value), 6) if np.isfinite(value) else None
