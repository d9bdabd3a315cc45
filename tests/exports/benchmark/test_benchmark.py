"""Predictions from the open release are scored against a town's truth."""

import datetime as dt
import json
from io import StringIO
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from django.core.management import call_command
from django.core.management.base import CommandError

from exports.benchmark.baseline import NOTHING_KNOWN, baseline
from exports.benchmark.score import BadPredictionError, read_prediction, results, score
from exports.benchmark.truth import NoTruthError, read_truth
from exports.lake.deployment import deployment_lake
from tests.exports.releases import release_day

START = dt.date(2020, 10, 1)


def a_town(folder: Path, *, days: int = 8, seed: int = 1) -> Path:
    """Write truth as `simulate` does: two areas, the second with five times the infectious visitors."""
    rng = np.random.default_rng(seed)
    venue = rng.integers(0, 4, 4000)
    chance = np.where(venue < 2, 0.02, 0.1)
    folder.mkdir(exist_ok=True)
    visits = {"day": rng.integers(0, days, 4000), "venue": venue, "infectious": rng.random(4000) < chance}
    pq.write_table(pa.table(visits), folder / "visits.parquet")
    pq.write_table(pa.table({"zip3": ["021", "021", "902", "902"]}), folder / "venues.parquet")
    (folder / "plan.json").write_text(json.dumps({"start": START.isoformat(), "days": days}))
    return folder


@pytest.fixture
def truth(tmp_path: Path) -> pd.DataFrame:
    return read_truth(a_town(tmp_path / "town"))


def as_file(share: pd.Series) -> pd.DataFrame:
    return share.rename("share").reset_index()


def test_the_truth_counts_visits_and_infectious_ones_by_day_and_area(truth: pd.DataFrame) -> None:
    assert len(truth) == 16
    assert truth["visits"].sum() == 4000
    assert truth.index[0] == ("2020-10-01", "021")
    by_area = truth.groupby("zip").sum()
    assert by_area.loc["902", "infectious"] > 3 * by_area.loc["021", "infectious"]


def test_nothing_beats_the_truth_and_knowing_the_areas_beats_one_number_for_all(truth: pd.DataFrame) -> None:
    actual = truth["infectious"] / truth["visits"]
    whole = pd.Series(truth["infectious"].sum() / truth["visits"].sum(), index=truth.index)
    areas = truth.groupby("zip").sum().eval("infectious / visits").reindex(truth.index, level="zip")
    best, knowing, plain = (score(each, truth) for each in (actual, areas, whole))
    assert best.deviance < knowing.deviance < plain.deviance
    assert (best.error, plain.rank) == (0, 0)
    assert best.rank == pytest.approx(1)
    made = results(areas, whole, truth)
    assert 0.5 < float(made["skill"]) < 1
    assert results(whole, whole, truth)["skill"] == 0
    assert results(actual, whole, truth)["skill"] == pytest.approx(1)


def test_certainty_that_is_wrong_is_expensive_but_finite(truth: pd.DataFrame) -> None:
    sure = score(pd.Series(0.0, index=truth.index), truth)
    assert 5 * score(truth["infectious"] / truth["visits"], truth).deviance > sure.deviance > 0.3


def test_a_prediction_is_read_in_any_order_and_what_is_wrong_is_named(truth: pd.DataFrame) -> None:
    share = pd.Series(np.linspace(0, 1, len(truth)), index=truth.index)
    rows = as_file(share)
    pd.testing.assert_series_equal(read_prediction(rows.sample(frac=1, random_state=1), truth), share)
    for wrong, why in (
        (rows.drop(columns="share"), "share"),
        (rows.iloc[1:], "1 predictions are missing, the first for 2020-10-01 and '021'"),
        (pd.concat([rows, rows.iloc[:1]]), "two predictions"),
        (rows.assign(share=1.5), "from 0 to 1"),
        (rows.assign(share="many"), "from 0 to 1"),
    ):
        with pytest.raises(BadPredictionError, match=why):
            read_prediction(wrong, truth)


def signals_of_days(truth: pd.DataFrame, *, noise: float, seed: int = 1) -> pd.DataFrame:
    """Return signals as released: for each line of the truth, twice the infectious are of class Moderate or refused."""
    random = np.random.default_rng(seed)
    rows = []
    for (day, area), line in truth.iterrows():
        for name, value in (("checkins", line["visits"]), ("moderate", line["infectious"]), ("refused", 0.0)):
            rows.append(("zip3", area, day, name, value + random.normal(0, noise), noise))
    for day, line in truth.groupby("day").sum().iterrows():
        for name, value in (("checkins", line["visits"]), ("moderate", line["infectious"]), ("refused", 20.0)):
            rows.append(("nation", "us", day, name, value, noise))
    return pd.DataFrame(rows, columns=["geo_type", "geo_value", "time_value", "signal", "value", "stderr"])


def test_the_baseline_finds_the_worse_area_and_shrinks_it_by_its_noise(truth: pd.DataFrame) -> None:
    clear, noisy = (baseline(signals_of_days(truth, noise=noise), truth.index) for noise in (1.0, 200.0))
    for made in (clear, noisy):
        assert made.between(0, 1).all()
    gaps = [(made.xs("902", level="zip") - made.xs("021", level="zip")) for made in (clear, noisy)]
    assert (gaps[0] > 0).all()
    assert gaps[0].mean() > 2 * gaps[1].abs().mean()
    assert score(clear, truth).rank > 0.5


def test_the_baseline_says_something_where_nothing_was_released(truth: pd.DataFrame) -> None:
    signals = signals_of_days(truth, noise=1.0)
    assert baseline(signals.iloc[:0], truth.index).to_numpy() == pytest.approx(NOTHING_KNOWN)
    of_one = baseline(signals[signals["geo_value"] != "902"], truth.index)
    assert of_one.between(0, 1).all()
    of_none = baseline(signals[signals["geo_type"] != "nation"], truth.index)
    assert of_none.between(0, 1).all()


@pytest.mark.parametrize("plan", ["{", "[]", "{}", '{"start": 5}', '{"start": "soon"}', '{"start": "2020-10-01"}'])
@pytest.mark.parametrize("content", [b"PAR1", b"venue"])
def test_a_truth_that_is_something_else_is_named_in_a_sentence(tmp_path: Path, plan: str, content: bytes) -> None:
    (tmp_path / "plan.json").write_text(plan)
    for name in ("visits", "venues"):
        (tmp_path / f"{name}.parquet").write_bytes(content)
    with pytest.raises(NoTruthError, match="holds no truth of a town as simulate writes it"):
        read_truth(tmp_path)


def test_a_visit_to_no_venue_or_a_file_instead_of_a_folder_is_refused_as_truth(tmp_path: Path) -> None:
    (tmp_path / "plan.json").write_text('{"start": "2020-10-01"}')
    visits = pa.table({"day": [0], "venue": [7], "infectious": [True]})
    pq.write_table(visits, tmp_path / "visits.parquet")
    pq.write_table(pa.table({"zip3": ["021"]}), tmp_path / "venues.parquet")
    for folder in (tmp_path, tmp_path / "plan.json"):
        with pytest.raises(NoTruthError, match="holds no truth of a town as simulate writes it"):
            read_truth(folder)


def test_a_folder_without_a_town_is_named(tmp_path: Path) -> None:
    with pytest.raises(NoTruthError, match="plan"):
        read_truth(tmp_path)


@pytest.mark.django_db(transaction=True)
@pytest.mark.usefixtures("deployment")
def test_the_command_writes_the_baseline_and_scores_what_is_handed_in(tmp_path: Path) -> None:
    with deployment_lake() as lake:
        for number in range(3):
            release_day(lake, day=START + dt.timedelta(days=number), size=2000, seed=number)
    town, file = a_town(tmp_path / "town"), tmp_path / "mine.csv"

    def evaluate(*options: str) -> Any:
        out = StringIO()
        call_command("evaluate", str(file), "--truth", str(town), *options, stdout=out)
        return json.loads(out.getvalue())

    assert evaluate("--write-baseline")["lines"] == 16
    made = evaluate()
    assert made["skill"] == pytest.approx(0)
    assert made["prediction"]["deviance"] == pytest.approx(made["baseline"]["deviance"])
    assert made["baseline"]["deviance"] > made["ideal"]["deviance"]
    better = pd.read_csv(file, dtype={"zip": str}).assign(share=lambda rows: rows["zip"].map({"021": 0.02, "902": 0.1}))
    better.to_csv(file, index=False)
    assert evaluate()["skill"] > 0.3
    file.write_text("day,zip\n")
    with pytest.raises(CommandError, match="share"):
        evaluate()
