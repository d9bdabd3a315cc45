"""A contest over several towns: the contents of its folder, which the host and the participants read.

`open/` is for participants: the released tables and the lines to predict of every town, and the truth of training
towns. `kept/` stays with the host: seeds, plans, the truth of the other towns, the log of submissions.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

import numpy as np
import pandas as pd
import pyarrow.parquet as pq

from exports.benchmark.baseline import baseline
from exports.benchmark.leaderboard import OPEN
from exports.benchmark.score import KEYS, BadPredictionError, read_prediction, results

KEPT: Final = "kept"
TRUTH: Final = "truth.csv"
SIGNALS: Final = "signals.parquet"
TOWN: Final = "town"
MEANS: Final = ("main", "skill")


class NoContestError(LookupError):
    """A folder without a contest; the text says what is missing."""


@dataclass(frozen=True)
class ContestTown:
    """One town with its truth and its released signals."""

    name: str
    truth: pd.DataFrame
    signals: pd.DataFrame


def towns_to_learn(folder: Path) -> list[ContestTown]:
    """Return the training towns, whose truth participants get."""
    return _towns(folder, folder / OPEN)


def towns_held_back(folder: Path) -> list[ContestTown]:
    """Return the test towns, whose truth the host keeps."""
    return _towns(folder, folder / KEPT)


def _towns(folder: Path, truths: Path) -> list[ContestTown]:
    found = sorted(path.parent.name for path in truths.glob(f"*/{TRUTH}"))
    if not found:
        raise NoContestError(f"{truths} holds no truth of a town; `manage.py benchmark FOLDER` makes a contest.")
    return [
        ContestTown(
            name,
            pd.read_csv(truths / name / TRUTH, dtype=dict.fromkeys(KEYS, str)).set_index(list(KEYS)),
            pq.read_table(folder / OPEN / name / SIGNALS).to_pandas(),
        )
        for name in found
    ]


def read_shares(rows: pd.DataFrame, towns: list[ContestTown]) -> dict[str, pd.Series]:
    """Return the predicted shares by town; raise `BadPredictionError` for a missing, duplicate or wrong line."""
    if TOWN not in rows.columns:
        raise BadPredictionError("columns are missing: town")
    found = {}
    for town in towns:
        try:
            found[town.name] = read_prediction(rows[rows[TOWN].astype(str) == town.name], town.truth)
        except BadPredictionError as error:
            raise BadPredictionError(f"{town.name}: {error}") from error
    return found


def baseline_shares(town: ContestTown) -> pd.Series:
    """Return the baseline's prediction of a town."""
    return baseline(town.signals, town.truth.index)


def baseline_file(towns: list[ContestTown]) -> pd.DataFrame:
    """Return a submission with the baseline's predictions."""
    parts = [baseline_shares(town).rename("share").reset_index().assign(**{TOWN: town.name}) for town in towns]
    return pd.concat(parts)[[TOWN, *KEYS, "share"]]


def scores_of(shares: Mapping[str, pd.Series], towns: list[ContestTown]) -> dict[str, Any]:
    """Return the mean scores of a prediction and of the baseline, over towns with equal weights."""
    each = [results(shares[town.name], baseline_shares(town), town.truth) for town in towns]
    mean = {name: float(np.mean([one["prediction"][name] for one in each])) for name in each[0]["prediction"]}
    usual = {name: float(np.mean([one["baseline"][name] for one in each])) for name in each[0]["baseline"]}
    means = {name: float(np.mean([one[name] for one in each])) for name in MEANS}
    return {**means, **mean, "towns": len(towns), "baseline": usual}
