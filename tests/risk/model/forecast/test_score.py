"""Scores against definitions and hand-made cases."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st

from risk.model.forecast.levels import LEVELS, MEDIAN
from risk.model.forecast.score import common, interval, phase, relative, report, scored, wis

values = st.floats(0.0, 1e4)


@given(st.lists(values, min_size=23, max_size=23), values)
def test_the_score_is_that_of_its_intervals(drawn: list[float], truth: float) -> None:
    """Bracher's definition: half the absolute error of the median, and each interval's score by half its level."""
    quantiles = np.sort(drawn)
    total = 0.5 * abs(truth - quantiles[MEDIAN])
    for low, high, alpha in zip(quantiles[:11], quantiles[:11:-1], 2.0 * LEVELS[:11], strict=True):
        outside = max(low - truth, 0.0) + max(truth - high, 0.0)
        total += alpha / 2.0 * ((high - low) + 2.0 / alpha * outside)
    assert wis(quantiles, np.array(truth)) == pytest.approx(total / 11.5, rel=1e-9, abs=1e-9)


def test_a_certain_forecast_scores_its_absolute_error() -> None:
    assert wis(np.full((2, 23), 7.0), np.array([7.0, 10.0])).tolist() == pytest.approx([0.0, 3.0])


def tasks(model: str, *, off: float, weeks: int = 12, areas: tuple[str, ...] = ("01", "02", "US")) -> pd.DataFrame:
    """Return forecasts of horizon 0 around 100 + ``off`` with a width of 20."""
    dates = pd.date_range("2023-11-04", periods=weeks, freq="7D").strftime("%Y-%m-%d")
    rows = [(model, date, 0, date, area) for date in dates for area in areas]
    keys = pd.DataFrame(rows, columns=["model", "reference_date", "horizon", "target_end_date", "location"])
    quantiles = 100.0 + off + 20.0 * (LEVELS - 0.5)
    return keys.join(pd.DataFrame([quantiles] * len(keys), columns=LEVELS))


def truth(*, weeks: int = 12) -> pd.DataFrame:
    dates = pd.date_range("2023-11-04", periods=weeks, freq="7D").strftime("%Y-%m-%d")
    return pd.DataFrame(
        [(date, area, 100.0) for date in dates for area in ("01", "02", "US")], columns=["date", "location", "value"]
    )


def test_coverage_and_logs_are_of_each_task() -> None:
    exact, off = scored(tasks("a", off=0.0), truth()), scored(tasks("b", off=7.0), truth())
    assert exact[["in_50", "in_95"]].all(axis=None)
    assert not off["in_50"].any()
    assert off["in_95"].all()
    assert (off["log_wis"] < off["wis"]).all()


def test_relative_scores_use_common_tasks_only() -> None:
    ours = scored(tasks("a", off=0.0), truth())
    theirs = scored(tasks("b", off=20.0, weeks=6), truth())
    both = common(ours, theirs)
    assert len(both) == 18
    assert relative(both) == pytest.approx(ours["wis"].mean() / theirs["wis"].mean())
    assert np.isnan(relative(common(ours, theirs.iloc[:0])))


def test_the_interval_of_equal_ratios_has_no_width_and_of_unequal_ones_holds_the_ratio() -> None:
    both = common(scored(tasks("a", off=0.0), truth()), scored(tasks("b", off=20.0), truth()))
    assert interval(both, rng=np.random.default_rng(0)) == pytest.approx([relative(both)] * 2)
    both["wis"] *= np.random.default_rng(1).uniform(0.5, 1.5, len(both))
    low, high = interval(both, rng=np.random.default_rng(0))
    assert low < relative(both) < high


def test_a_season_rises_peaks_and_declines() -> None:
    dates = pd.date_range("2023-12-02", periods=9, freq="7D").strftime("%Y-%m-%d")
    series = pd.DataFrame({"date": dates, "location": "01", "value": [1, 2, 3, 4, 9, 4, 3, np.nan, 1]})
    assert phase(series).tolist() == ["rise"] * 2 + ["peak"] * 5 + ["decline"] * 2


def test_a_report_leaves_the_national_area_out_of_means_and_scores_it_apart() -> None:
    mine = tasks("mine", off=0.0)
    mine.loc[mine["location"] == "US", LEVELS.tolist()] += 1000.0
    found = report(mine, truth(weeks=10), tasks("other", off=20.0))["models"]["mine"]
    assert found["tasks"] == 20
    assert found["without_truth"] == 4
    assert found["wis"] < 10.0 < found["national"]["wis"]
    assert found["against"]["other"]["tasks"] == 20
    assert found["against"]["other"]["relative_wis"] < 0.5
    assert set(found["by_phase"]) <= {"rise", "peak", "decline"}


def test_a_forecast_without_a_truth_is_counted_and_not_scored() -> None:
    found = report(tasks("mine", off=0.0), truth().iloc[:0])["models"]["mine"]
    assert (found["tasks"], found["without_truth"], found["wis"]) == (0, 24, None)


def test_tables_of_several_models_are_scored_together_as_alone() -> None:
    mine, yours = tasks("mine", off=0.0), tasks("yours", off=3.0)
    together = report(pd.concat([mine, yours]), truth())["models"]
    assert together == {
        "mine": report(mine, truth())["models"]["mine"],
        "yours": report(yours, truth())["models"]["yours"],
    }
