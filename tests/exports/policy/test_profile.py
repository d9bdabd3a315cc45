"""The profile of a day follows from its drawn counts."""

import datetime as dt
from dataclasses import replace
from typing import Any

import numpy as np
import pyarrow as pa
import pytest

from exports.policy.domain import TOTAL
from exports.policy.draw import Drawn, _draw, draw
from exports.policy.fit import fit
from exports.policy.profile import GATED, Limits, drift_failures, drifts, profile
from exports.policy.rows import deal
from tests.exports.policy.factories import DAY, a_day_of, seeded_noise, tables, without_noise

BEFORE = DAY - dt.timedelta(days=1)


def exact(day: dt.date = DAY, counts: dict[str, Any] | None = None, size: int = 4000) -> Drawn:
    """Draw a day without noise."""
    return _draw(day=day, counts=counts or a_day_of(size), tables=tables(), budget=4.0, mechanism=without_noise)


def noisy(day: dt.date, seed: int) -> Drawn:
    """Draw a small day at an epsilon of 1, with the same noise in each run."""
    counts, mechanism = a_day_of(3000, seed=seed), seeded_noise(seed)
    return _draw(day=day, counts=counts, tables=tables(), budget=1.0, mechanism=mechanism)


@pytest.fixture(scope="module")
def made() -> tuple[dict[tuple[str, str], float | None], pa.Table]:
    drawn = draw(day=DAY, counts=a_day_of(40_000), tables=tables(), budget=8.0)
    fitted = fit(drawn)
    found = profile(drawn=drawn, fitted=fitted, before=None)["statistics"]
    rows = pa.Table.from_batches(deal(drawn, fitted).batches())
    return {(each["column"], each["statistic"]): each["value"] for each in found}, rows


def test_it_has_many_statistics_each_once(made: Any) -> None:
    found, _ = made
    assert len(found) > 130
    assert {name for _, name in found} >= {
        "share of nulls",
        "minimum",
        "maximum",
        "mean",
        "quantile 0.5",
        "correlation",
    }


def test_shares_and_nulls_are_those_of_the_rows(made: Any) -> None:
    found, rows = made
    frame = rows.to_pandas()
    for column in frame.columns:
        assert found[column, "share of nulls"] == pytest.approx(frame[column].isna().mean(), abs=1e-5), column
    for column in ("risklevel", "result", "type_of_scan", "accesslevel", "readingtype"):
        for value, share in frame[column].value_counts(normalize=True, dropna=True).items():
            assert found[column, f"share of {value}"] == pytest.approx(share, abs=1e-5)
    assert found["", "rows"] == len(frame)
    assert found["", "rows_without_zip"] == (frame["scannerdevice_zipcode"] == "").sum()


def test_means_and_correlations_are_those_of_the_rows(made: Any) -> None:
    found, rows = made
    frame = rows.to_pandas()
    for column in ("m_score", "s_score", "location_maxcapacity", "temp"):
        assert found[column, "mean"] == pytest.approx(frame[column].mean(), rel=1e-4), column
        assert found[column, "standard deviation"] == pytest.approx(frame[column].std(ddof=0), rel=1e-4), column
    for one, other in (("symptoms", "diagnosed"), ("contact", "near")):
        expected = np.corrcoef(frame[one].astype(float), frame[other].astype(float))[0, 1]
        assert found[f"{one}, {other}", "correlation"] == pytest.approx(expected, abs=1e-5)


def test_quantiles_rise_and_lie_in_the_range(made: Any) -> None:
    found, rows = made
    for column in ("hour", "duration", "temp", "o2", "m_score", "location_maxcapacity"):
        line = [found[column, f"quantile {share:g}"] for share in (0.05, 0.25, 0.5, 0.75, 0.95)]
        assert line == sorted(line)
        assert found[column, "minimum"] <= line[0] <= line[-1] <= found[column, "maximum"]
    hours = rows["scandate"].to_pandas().str[11:13].astype(int)
    assert found["hour", "quantile 0.5"] == hours.quantile(0.5, interpolation="lower")


def test_an_empty_day_has_a_profile_too() -> None:
    drawn = exact(counts=a_day_of(0))
    found = profile(drawn=drawn, fitted=fit(drawn), before=exact(BEFORE))
    assert found["statistics"][0] == {"column": "", "statistic": "rows", "value": 0.0}
    assert drift_failures(drawn=drawn, before=exact(BEFORE), limits=Limits()) == []


class TestDrift:
    """A day that looks like another is stopped; noise and small days are not."""

    def test_days_of_the_same_kind_do_not_drift(self) -> None:
        for seed in range(5):
            one = noisy(DAY, seed)
            other = noisy(BEFORE, 100 + seed)
            found = drifts(one, other)
            assert set(found) > set(GATED)
            assert max(found[name] for name in GATED) < 0.05
            assert drift_failures(drawn=one, before=other, limits=Limits()) == []

    def test_noise_larger_than_the_sum_of_a_table_is_not_drift(self) -> None:
        quiet = exact(BEFORE, size=2000)
        # Eight times the scale of these counts at an epsilon of 1.
        noise = np.array([[-2400, 0], [0, 0], [0, 0]])
        day = exact(size=2000)
        table = day.table("accesslevel")
        moved = replace(table, noisy=table.noisy + noise, scale=300.0)
        loud = replace(day, tables=tuple(moved if each is table else each for each in day.tables))
        assert loud.table("accesslevel").noisy.sum() < 0
        assert drift_failures(drawn=loud, before=quiet, limits=Limits()) == []

    @pytest.mark.parametrize(("name", "axis"), [("hour", "hour"), ("result_answers", "answers")])
    def test_a_distribution_that_turns_over_is_named(self, name: str, axis: str) -> None:
        counts = a_day_of(4000)
        turned = np.zeros_like(counts[name])
        # All into the last value of those that were scanned, so that no refusals are cut.
        turned[(1, *[-1] * (turned.ndim - 1))] = counts[name].sum()
        [failure] = [
            each
            for each in drift_failures(
                drawn=exact(counts=counts | {name: turned}), before=exact(BEFORE), limits=Limits()
            )
            if f"distribution of {axis} " in each
        ]
        assert str(BEFORE) in failure

    def test_a_total_of_another_size_is_named(self) -> None:
        huge = {name: count * 40 for name, count in a_day_of(4000).items()}
        assert int(huge[TOTAL].sum()) == 160_000
        [failure] = drift_failures(drawn=exact(counts=huge), before=exact(BEFORE), limits=Limits())
        assert "40 times" in failure

    def test_small_days_are_not_compared(self) -> None:
        assert drifts(exact(size=300), exact(BEFORE, size=300)) == {}
