"""Forecasts after each release: made once a week, from what was known, and never changed."""

from __future__ import annotations

import datetime as dt
import io

import numpy as np
import pytest
from django.core.management import call_command

from exports.radar import shown
from exports.radar.models import RadarForecast, RadarRun
from exports.radar.outlooks import Known, outlooks
from exports.radar.runs import forecast_all, forecast_series
from exports.radar.skill import Published, skill_of
from exports.tasks import radar
from risk.model.forecast.score import wis
from risk.models import Series
from risk.radar.series import Number, record_numbers
from tests.exports.radar.factories import LAST, QUICK, REGIONS, moment, record, value, weekly_runs, weeks_to

pytestmark = pytest.mark.django_db
NOW = moment(LAST)
WEEK = dt.timedelta(weeks=1)


def stored() -> list[tuple[object, ...]]:
    runs = RadarRun.objects.order_by("pk").values_list("pk", "as_of", "made_at", "skill", "flags")
    rows = RadarForecast.objects.order_by("pk").values_list("region", "level", "quantiles", "baseline", "doubling")
    return [*runs, *rows]


def test_a_new_week_is_forecast_once() -> None:
    record(weeks_to(LAST, 30), now=NOW)
    (run,) = forecast_all(now=NOW)
    assert run.as_of == LAST
    assert sorted(run.forecasts.values_list("region", flat=True)) == sorted(REGIONS)
    before = stored()
    assert forecast_all(now=NOW + WEEK) == []
    assert stored() == before


def test_a_forecast_has_quantiles_of_four_weeks_and_a_chance_of_doubling() -> None:
    record(weeks_to(LAST, 30), now=NOW)
    (run,) = forecast_all(now=NOW)
    for row in run.forecasts.all():
        quantiles = np.array(row.quantiles)
        assert quantiles.shape == (4, len(shown.LEVELS))
        assert (np.diff(quantiles, axis=1) >= 0.0).all()
        assert (quantiles >= 0.0).all()
        assert row.level == value(row.region, LAST)
        assert row.doubling is not None
        assert len(row.doubling) == 4
        assert all(0.01 <= chance <= 0.99 for chance in row.doubling)


def test_too_little_history_gives_a_wide_forecast_and_a_flag() -> None:
    record(weeks_to(LAST, 2), now=NOW)
    (run,) = forecast_all(now=NOW)
    assert run.flags == ["too_little_history"]
    row = run.forecasts.get(region="US")
    assert "short_history" in row.flags
    low, high = shown.INTERVALS[95]
    assert row.level is not None
    assert row.quantiles[3][low] < 0.3 * row.level
    assert row.quantiles[3][high] > 3.0 * row.level


@pytest.mark.parametrize("attack", ["poisoned", "backdated", "an old gap filled"])
def test_what_was_published_does_not_change(attack: str) -> None:
    runs = weekly_runs(2)
    before = stored()
    late = runs[-1].made_at + dt.timedelta(days=1)
    weeks = {
        "poisoned": [LAST, LAST - WEEK],
        "backdated": [LAST - 200 * WEEK],
        "an old gap filled": [LAST - 40 * WEEK],
    }[attack]
    record(weeks, now=late, CA=9e9, US=9e9)
    assert forecast_all(now=late) == []
    assert stored() == before
    known = shown.values_known(runs[-1], "CA")
    assert max(number for _week, number in known) < 1000.0


def test_a_forecast_is_made_from_what_was_known_when_it_was_made() -> None:
    record(weeks_to(LAST, 30), now=NOW)
    record([LAST], now=NOW + WEEK, CA=9e9)
    (run,) = forecast_all(now=NOW)
    assert run.forecasts.get(region="CA").level == value("CA", LAST)


def test_the_skill_of_past_forecasts_is_that_of_the_stored_ones() -> None:
    runs = weekly_runs(5)
    first, last = runs[0], runs[-1]
    assert first.skill == {}
    rows = RadarForecast.objects.filter(run__in=runs[:-1], region="CA").select_related("run")
    ours = theirs = tasks = 0.0
    for row in rows:
        for step in range(4):
            week = row.run.as_of + (step + 1) * WEEK
            if week <= LAST:
                truth = np.array(value("CA", week))
                ours += float(wis(np.array(row.quantiles[step]), truth))
                theirs += float(wis(np.array(row.baseline)[step], truth))
                tasks += 1
    assert last.skill["CA"]["tasks"] == tasks == 10
    assert last.skill["CA"]["relative_wis"] == pytest.approx(ours / theirs, abs=1e-4)
    assert last.skill[shown.ALL]["tasks"] == 40


def test_skill_counts_only_weeks_that_have_come() -> None:
    flat = np.tile(np.arange(23.0), (4, 1))
    one = Published(LAST, "CA", flat, flat + 5.0)
    found = skill_of([one], {("CA", LAST + WEEK): 11.0, ("NY", LAST + WEEK): 3.0})
    assert found["CA"]["tasks"] == 1
    assert found["CA"]["coverage_95"] == 1.0
    assert found["CA"]["relative_wis"] == pytest.approx(
        float(wis(flat[0], np.array(11.0)) / wis(flat[0] + 5.0, np.array(11.0))), abs=1e-4
    )
    assert skill_of([one], {}) == {}


def test_with_an_earlier_season_it_learns_and_takes_what_was_known_before_into_account() -> None:
    regions = ("AZ", "CO", "CT", "FL", "GA", "IL", "MA", "MI", "MN", "NC", "NY", "OH", "PA", "TX", "WA")
    first, second = weekly_runs(2, history=75, regions=regions)
    assert first.flags == second.flags == []
    row = second.forecasts.get(region="TX")
    assert row.quantiles != row.baseline
    low, high = shown.INTERVALS[95]
    assert row.quantiles[0][low] <= value("TX", LAST + WEEK) <= row.quantiles[0][high]


def test_areas_of_a_state_agree_with_it() -> None:
    record(weeks_to(LAST, 30), now=NOW, regions=("CA", "941", "900"))
    (run,) = forecast_all(now=NOW)
    rows = {row.region: row for row in run.forecasts.all()}
    share = (value("941", LAST) + value("900", LAST)) / value("CA", LAST)
    for step in range(4):
        parts = sum(rows[zip3].quantiles[step][shown.MEDIAN] for zip3 in ("941", "900"))
        assert parts == pytest.approx(share * rows["CA"].quantiles[step][shown.MEDIAN], rel=1e-3)
    assert all("reconciled" in row.flags for row in rows.values())


def test_an_area_without_a_recent_value_is_left_to_its_state() -> None:
    record(weeks_to(LAST, 30), now=NOW, regions=("CA", "US"))
    record(weeks_to(LAST - 6 * WEEK, 20), now=NOW, regions=("941",))
    (run,) = forecast_all(now=NOW)
    forecasts = list(run.forecasts.all())
    found = shown.find_forecast(forecasts, "941")
    assert found is not None
    assert (found.forecast.region, found.is_fallback) == ("CA", True)
    other = shown.find_forecast(forecasts, "TX")
    assert other is not None
    assert other.forecast.region == "US"
    assert shown.find_forecast([row for row in forecasts if row.region == "CA"], "TX") is None


def test_a_percentage_stays_one_and_its_areas_count_by_their_sample() -> None:
    numbers = {
        (region, week): Number(region, week, 60.0 + 10.0 * (region == "941"), sample_size=size)
        for week in weeks_to(LAST, 30)
        for region, size in (("CA", 1000.0), ("941", 300.0), ("900", 700.0))
    }
    found, _flags = outlooks(Known(LAST, numbers), [], unit="percent", settings=QUICK)
    rows = {one.region: one for one in found}
    assert max(float(one.quantiles.max()) for one in found) <= 100.0
    medians = {region: one.quantiles[0][shown.MEDIAN] for region, one in rows.items()}
    assert 0.3 * medians["941"] + 0.7 * medians["900"] == pytest.approx(63.0 / 60.0 * medians["CA"], rel=1e-3)


def test_a_series_that_fails_stops_no_other(monkeypatch: pytest.MonkeyPatch) -> None:
    record(weeks_to(LAST, 5), now=NOW)
    record(weeks_to(LAST, 5), now=NOW, source="Other")
    broken = Series.objects.get(source="Office")

    def forecast(*, series: Series, **more: object) -> RadarRun | None:
        if series == broken:
            raise RuntimeError
        return forecast_series(series=series, **more)  # type: ignore[arg-type]

    def broken_signals(**_more: object) -> int:
        raise RuntimeError

    monkeypatch.setattr("exports.radar.runs.forecast_series", forecast)
    monkeypatch.setattr("exports.radar.runs.record_released_weeks", broken_signals)
    (run,) = forecast_all(now=NOW)
    assert run.series.source == "Other"


def test_the_task_and_the_command_make_what_is_due() -> None:
    record(weeks_to(LAST, 5), now=NOW)
    radar()
    assert RadarRun.objects.count() == 1
    out = io.StringIO()
    call_command("radar", stdout=out)
    assert out.getvalue() == f"Office: admissions as of {LAST}: 5 regions, not scored yet\n"


def test_scores_from_one_to_five_are_recorded_but_not_forecast() -> None:
    record_numbers(source="x", signal="masks", unit="score", numbers=[Number("US", LAST, 3.0)], now=NOW)
    assert forecast_all(now=NOW) == []
