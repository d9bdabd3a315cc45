"""Scores of predictions: how infectious the visitors of an area were on a day.

Both tables are indexed by `day` and `zip`. A prediction is the share of that day's visits that infectious people made;
the truth has `visits` and how many of them were `infectious`. A prediction is scored by its deviance: minus the
mean log likelihood of a visit, a proper score (Gneiting and Raftery 2007, JASA 102:359), so an honest prediction scores
best. Shares are clipped to [1e-4, 1 - 1e-4], so that one visit cannot decide the score.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final

import numpy as np
import pandas as pd

LEAST: Final = 1e-4
KEYS: Final = ("day", "zip")


class BadPredictionError(ValueError):
    """A file of predictions that cannot be scored; the text says why."""


@dataclass(frozen=True)
class Score:
    """`deviance` in nats a visit; `error`: mean absolute error of the share, weighted by visits; `rank`: Spearman's
    correlation over areas and days, 0 where all predictions are alike."""

    deviance: float
    error: float
    rank: float


def read_prediction(rows: pd.DataFrame, truth: pd.DataFrame) -> pd.Series:
    """Return the predicted share of each line of the truth; raises `BadPredictionError` unless each has exactly one."""
    missing = {*KEYS, "share"} - set(rows.columns)
    if missing:
        raise BadPredictionError("columns are missing: " + ", ".join(sorted(missing)))
    shares = pd.to_numeric(rows["share"], errors="coerce")
    if shares.isna().any() or not shares.between(0, 1).all():
        raise BadPredictionError("a share is a number from 0 to 1")
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
    ranks = [pd.Series(values).rank().to_numpy() for values in (share.to_numpy(float), actual)]
    alike = any(np.ptp(each) == 0 for each in ranks)
    return Score(
        deviance=float(-likelihood.sum() / visits.sum()),
        error=float(np.average(np.abs(share.to_numpy(float) - actual), weights=visits)),
        rank=0.0 if alike else float(np.corrcoef(*ranks)[0, 1]),
    )


def skill(mine: Score, baseline: Score, ideal: Score) -> float:
    """Return the skill over the baseline: 0 is as good as the baseline, 1 is perfect."""
    way = baseline.deviance - ideal.deviance
    return (baseline.deviance - mine.deviance) / way if way > 0 else 0.0


def results(share: pd.Series, baseline: pd.Series, truth: pd.DataFrame) -> Mapping[str, object]:
    """Return everything that is reported of a prediction."""
    mine, usual = score(share, truth), score(baseline, truth)
    ideal = score(truth["infectious"] / truth["visits"], truth)
    return {
        "lines": len(truth),
        "visits": int(truth["visits"].sum()),
        "prediction": vars(mine),
        "baseline": vars(usual),
        "ideal": vars(ideal),
        "skill": skill(mine, usual, ideal),
    }
