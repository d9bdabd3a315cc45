"""The commands, as an operator runs them."""

from __future__ import annotations

import io
import json
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from django.core.management import CommandError, call_command

import manage
from risk.model.forecast import radar
from risk.model.forecast.boosting import Boosting
from risk.model.forecast.panel import Rows
from tests.risk.model.forecast.seasons import made, reference


def table(rows: Rows, week: str = "date", area: str = "location", value: str = "value") -> pd.DataFrame:
    return pd.DataFrame({week: rows.week.astype(str), area: rows.area.astype(object), value: rows.value})


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setattr(radar, "Boosting", lambda: Boosting(rounds=5, bags=1))
    season = made()
    table(season.history).to_csv(tmp_path / "history.csv.gz", index=False)
    vintages = [table(one.rows).assign(as_of=str(one.as_of)) for one in season.vintages[:2]]
    pd.concat(vintages).to_parquet(tmp_path / "vintages.parquet")
    table(reference(), "week_end", "region", "ili_percent").assign(source="ili").to_parquet(tmp_path / "ili.parquet")
    people = pd.DataFrame({"location": list(season.population), "population": list(season.population.values())})
    people.iloc[1:].to_csv(tmp_path / "people.csv", index=False)
    return tmp_path


def forecast(folder: Path, out: str, *more: str) -> str:
    log = io.StringIO()
    given = ["--vintages", f"{folder}/vintages.parquet", "--history", f"{folder}/history.csv.gz"]
    call_command("forecast", *given, "--out", f"{folder}/{out}", *more, stdout=io.StringIO(), stderr=log)
    return log.getvalue()


def score(folder: Path, *given: str) -> str:
    out = io.StringIO()
    call_command("score", *given, "--truth", f"{folder}/history.csv.gz", stdout=out)
    return out.getvalue()


def test_a_forecast_is_made_and_scored_against_the_baseline(folder: Path) -> None:
    log = forecast(folder, "f", "--reference", f"{folder}/ili.parquet", "--populations", f"{folder}/people.csv")
    assert "01: no population: its own level represents it (as of 2023-11-25 to 2023-12-02, 2 dates)" in log
    forecast(folder, "g", "--model", "baseline")
    found = json.loads(score(folder, f"{folder}/f", "--against", f"{folder}/g", "--json"))
    mine = found["models"]["radar"]
    assert mine["tasks"] == 2 * 4 * 12
    assert 0.0 < mine["against"]["baseline"]["relative_wis"] < 1.0
    shown = score(folder, f"{folder}/f", "--against", f"{folder}/g")
    assert f"relative WIS {mine['against']['baseline']['relative_wis']:.3f}" in shown


def test_writing_a_file_again_gives_the_same_bytes(folder: Path) -> None:
    forecast(folder, "one.parquet", "--reference", f"{folder}/ili.parquet")
    forecast(folder, "two.parquet", "--reference", f"{folder}/ili.parquet")
    assert (folder / "one.parquet").read_bytes() == (folder / "two.parquet").read_bytes()
    forecast(folder, "three.parquet", "--reference", f"{folder}/ili.parquet", "--seed", "1")
    assert (folder / "one.parquet").read_bytes() != (folder / "three.parquet").read_bytes()


@pytest.mark.parametrize("model", ["radar", "baseline"])
def test_bad_input_is_a_sentence_and_leaves_no_file(folder: Path, model: str) -> None:
    with pytest.raises(CommandError, match="There is no file"):
        forecast(folder, "out.parquet", "--populations", "nothing.csv", "--model", model)
    history = pd.read_csv(folder / "history.csv.gz", dtype=str)
    shifted = pd.to_datetime(history["date"]) + pd.Timedelta(days=1)
    history.assign(date=shifted.dt.strftime("%Y-%m-%d")).to_csv(folder / "history.csv.gz", index=False)
    with pytest.raises(CommandError, match="different weekdays"):
        forecast(folder, "out.parquet", "--model", model)
    assert not (folder / "out.parquet").exists()


def test_a_folder_that_is_not_there_is_a_sentence(folder: Path) -> None:
    with pytest.raises(CommandError, match=r"folder .*nowhere does not exist"):
        forecast(folder, "nowhere/out.parquet", "--model", "baseline")


def test_forecasts_for_other_weeks_than_the_truth_are_a_sentence(folder: Path) -> None:
    forecast(folder, "f.parquet", "--model", "baseline")
    late = pd.read_parquet(folder / "f.parquet").assign(target_end_date="2030-01-05")
    late = late.drop_duplicates(["reference_date", "location", "quantile"])
    late.to_parquet(folder / "f.parquet")
    with pytest.raises(CommandError, match="No forecast matches a week and location of the truth file"):
        score(folder, f"{folder}/f.parquet")


def test_the_commands_start_no_service() -> None:
    assert {"forecast", "score"} <= manage.WITHOUT_SERVICES
    assert not np.any([manage.needs_services([name]) for name in ("forecast", "score")])
