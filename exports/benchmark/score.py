"""Scores of predictions of how infectious the visitors of an area were on a day.

Both tables are indexed by `day` and `zip`. A prediction is the share of that day's visits that infectious people made;
the truth has `visits` and how many of them were `infectious`. The main score is the rank correlation of areas within a
day: a prediction that does not distinguish areas gets 0, however well it follows the epidemic. The other scores are
calibration (whether shares are as large as predicted) and the deviance: minus the mean log likelihood of a visit, a
proper score (Gneiting and Raftery 2007, JASA 102:359). The deviance clips shares to [1e-4, 1 - 1e-4], so that one visit
cannot dominate it.
"""

from dataclasses import dataclass
from typing import Any, Final

import numpy as np
import pandas as pd
from numpy.typing import NDArray

LEAST: Final = 1e-4
KEYS: Final = ("day", "zip")
CLASSES: Final = 10
Floats = NDArray[np.float64]


class BadPredictionError(ValueError):
    """A file of predictions that cannot be scored; the text says why."""


@dataclass(frozen=True)
class Score:
    """The scores of a prediction.

    `rank`: Spearman's correlation over the areas of a day, averaged over days; 0 if predictions are equal.
    `calibration`: of visits sorted into ten classes by prediction, the mean absolute difference between predicted and
    true share, relative to the mean share; 0 is best. `deviance`: in nats per visit. `error`: mean absolute error of
    the share, weighted by visits.
    """

    rank: float
    calibration: float
    deviance: float
    error: float


def read_prediction(rows: pd.DataFrame, truth: pd.DataFrame) -> pd.Series:
    """Return the predicted share of each line of the truth; raise `BadPredictionError` unless each has exactly one."""
    missing = {*KEYS, "share"} - set(rows.columns)
    if missing:
        raise BadPredictionError("columns are missing: " + ", ".join(sorted(missing)))
    shares = pd.to_numeric(rows["share"], errors="coerce")
    if shares.isna().any() or not shares.between(0, 1).all():
        raise BadPredictionError("a share must be a number from 0 to 1")
    given = pd.Series(shares.to_numpy(), index=pd.MultiIndex.from_frame(rows[list(KEYS)].astype(str)))
    if given.index.has_duplicates:
        raise BadPredictionError("there are two predictions for one day and area")
    absent = truth.index.difference(given.index)
    if len(absent):
        day, area = absent[0]
        raise BadPredictionError(f"{len(absent)} predictions are missing, the first for {day} and {area!r}")
    return given.reindex(truth.index)


def score(share: pd.Series, truth: pd.DataFrame) -> Score:
    """Score a prediction."""
    visits, infectious = truth["visits"].to_numpy(float), truth["infectious"].to_numpy(float)
    said = np.clip(share.to_numpy(float), LEAST, 1 - LEAST)
    likelihood = infectious * np.log(said) + (visits - infectious) * np.log1p(-said)
    actual = infectious / visits
    return Score(
        rank=rank_within_days(share, pd.Series(actual, index=truth.index)),
        calibration=calibration(share.to_numpy(float), actual, visits),
        deviance=float(-likelihood.sum() / visits.sum()),
        error=float(np.average(np.abs(share.to_numpy(float) - actual), weights=visits)),
    )


def rank_within_days(share: pd.Series, actual: pd.Series) -> float:
    """Return Spearman's correlation over the areas of a day, averaged over the days on which areas differ.

    A day with equal predictions counts as 0. The result is also 0 if areas differ on no day.
    """
    found = []
    for _day, of_day in pd.DataFrame({"said": share, "was": actual}).groupby(level="day"):
        said, was = (of_day[name].rank().to_numpy() for name in ("said", "was"))
        if np.ptp(was) > 0:
            found.append(float(np.corrcoef(said, was)[0, 1]) if np.ptp(said) > 0 else 0.0)
    return float(np.mean(found)) if found else 0.0


def calibration(said: Floats, actual: Floats, visits: Floats) -> float:
    """Return the mean error of predicted shares relative to the mean share, in ten classes of equal visits."""
    order = np.argsort(said, kind="stable")
    place = np.minimum(CLASSES - 1, (np.cumsum(visits[order]) - visits[order] / 2) / visits.sum() * CLASSES).astype(int)
    sums = [np.bincount(place, values[order] * visits[order], CLASSES) for values in (said, actual)]
    whole = float((actual * visits).sum())
    return float(np.abs(sums[0] - sums[1]).sum()) / max(whole, 1.0)


def skill(mine: Score, baseline: Score, ideal: Score) -> float:
    """Return the skill relative to the baseline: 0 is as good as the baseline, 1 is perfect."""
    way = baseline.deviance - ideal.deviance
    return (baseline.deviance - mine.deviance) / way if way > 0 else 0.0


def results(share: pd.Series, baseline: pd.Series, truth: pd.DataFrame) -> dict[str, Any]:
    """Return all reported scores of a prediction. `main` is the score that it is ranked by."""
    mine, usual = score(share, truth), score(baseline, truth)
    ideal = score(truth["infectious"] / truth["visits"], truth)
    return {
        "main": mine.rank,
        "lines": len(truth),
        "visits": int(truth["visits"].sum()),
        "prediction": vars(mine),
        "baseline": vars(usual),
        "ideal": vars(ideal),
        "skill": skill(mine, usual, ideal),
    }
