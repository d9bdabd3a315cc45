"""Whole forecasts: no look ahead, reproducible, and honest if little is known."""

from __future__ import annotations

import dataclasses

import numpy as np
import pytest

from risk.model.forecast.boosting import Boosting
from risk.model.forecast.levels import MEDIAN
from risk.model.forecast.panel import HORIZONS, WEEK, Rows, Vintage, panel_of
from risk.model.forecast.radar import SHORT_SPREAD, Forecast, forecasts
from risk.model.forecast.score import wis
from tests.risk.model.forecast.seasons import Season, made, reference

QUICK = Boosting(rounds=8, bags=1)


def run(season: Season, vintages: list[Vintage], **given: object) -> list[Forecast]:
    asked = {"references": [reference()], "population": season.population, "settings": QUICK, **given}
    return list(forecasts(season.history, vintages, **asked))  # type: ignore[arg-type]


def flags(one: Forecast, area: str) -> str:
    return "; ".join(text for name, text in one.flags if name == area)


def rows_but(rows: Rows, **changed: np.ndarray) -> Rows:
    return dataclasses.replace(rows, **changed)


def added(rows: Rows, week: np.ndarray, area: str, value: float) -> Rows:
    return Rows(
        np.concatenate([rows.week, week]),
        np.concatenate([rows.area, np.full(len(week), area)]),
        np.concatenate([rows.value, np.full(len(week), value)]),
    )


@pytest.fixture(scope="module")
def season() -> Season:
    return made()


@pytest.fixture(scope="module")
def usual(season: Season) -> list[Forecast]:
    return run(season, season.vintages[:5])


def test_a_forecast_has_quantiles_in_order_for_every_area_of_the_vintage(season: Season, usual: list[Forecast]) -> None:
    for one, vintage in zip(usual, season.vintages, strict=False):
        assert one.areas.tolist() == np.unique(vintage.rows.area).tolist()
        assert one.quantiles.shape == (len(one.areas), HORIZONS, 23)
        assert np.isfinite(one.quantiles).all()
        assert (one.quantiles >= 0.0).all()
        assert (np.diff(one.quantiles, axis=-1) >= 0.0).all()
        assert not one.flags


def test_values_after_the_vintage_change_no_byte(season: Season, usual: list[Forecast]) -> None:
    at = 2
    as_of = season.vintages[at].as_of
    oldest = season.vintages[at].rows.week.min()

    def poisoned(rows: Rows, *, since: np.datetime64) -> Rows:
        value = np.where(rows.week >= since, 1e6, rows.value)
        return added(rows_but(rows, value=value), as_of + WEEK * np.arange(1, 30), "poison", 1e7)

    vintages = [
        Vintage(one.as_of, poisoned(one.rows, since=one.as_of + WEEK if one.as_of <= as_of else oldest))
        for one in season.vintages[: at + 2]
    ]
    # Of the history, what the vintage itself covers must not be read either: it holds later revisions.
    wrong = dataclasses.replace(season, history=poisoned(season.history, since=oldest))
    after = run(wrong, vintages, references=[poisoned(reference(), since=as_of + WEEK)])
    for before, one in zip(usual[: at + 1], after[: at + 1], strict=True):
        assert one.areas.tolist() == before.areas.tolist()
        assert one.quantiles.tobytes() == before.quantiles.tobytes()
        assert one.flags == before.flags
    assert after[at + 1].quantiles.tobytes() != usual[at + 1].quantiles.tobytes()


def test_later_vintages_do_not_change_a_forecast(season: Season, usual: list[Forecast]) -> None:
    alone = run(season, season.vintages[:2])
    assert [one.quantiles.tobytes() for one in alone] == [one.quantiles.tobytes() for one in usual[:2]]


def test_the_order_of_rows_and_vintages_changes_nothing(season: Season, usual: list[Forecast]) -> None:
    back = slice(None, None, -1)
    turned = [
        Vintage(one.as_of, Rows(one.rows.week[back], one.rows.area[back], one.rows.value[back]))
        for one in season.vintages[:2]
    ]
    again = run(season, turned[::-1])
    assert [one.quantiles.tobytes() for one in again] == [one.quantiles.tobytes() for one in usual[:2]]


def test_the_radar_beats_the_same_as_last_week_on_seasons_it_has_not_seen(
    season: Season, usual: list[Forecast]
) -> None:
    truth = panel_of(season.history, as_of=season.history.week.max())
    ours, naive = [], []
    for one in usual:
        first = int((one.as_of - truth.weeks[0]) // WEEK) + 1
        came = truth.of(one.areas).values[first : first + HORIZONS].T
        ours.append(wis(one.quantiles, came).mean())
        naive.append(wis(one.members["same as last week"], came).mean())
    assert np.mean(ours) < 0.75 * np.mean(naive)


def test_without_references_and_populations_it_still_forecasts(season: Season) -> None:
    one = run(season, season.vintages[6:7], references=(), population=None)[0]
    assert "ridge" in one.members
    assert np.isfinite(one.quantiles).all()


def test_the_baseline_is_the_same_as_last_week(season: Season) -> None:
    one = run(season, season.vintages[:1], model="baseline")[0]
    newest = panel_of(season.vintages[0].rows, as_of=one.as_of).values[-1]
    np.testing.assert_allclose(one.quantiles[:, 0, MEDIAN], newest)


def test_an_area_with_a_short_history_and_no_population_is_flagged_and_wider(season: Season) -> None:
    vintage = season.vintages[4]
    near = vintage.rows.where(vintage.rows.area == "06")
    last = near.week >= vintage.as_of - 2 * WEEK
    fresh = Rows(
        np.concatenate([vintage.rows.week, near.week[last]]),
        np.concatenate([vintage.rows.area, np.full(last.sum(), "99")]),
        np.concatenate([vintage.rows.value, near.value[last]]),
    )
    one = run(season, [Vintage(vintage.as_of, fresh)])[0]
    assert "short history" in flags(one, "99")
    assert "no population" in flags(one, "99")
    width = np.diff(np.log1p(one.quantiles[[5, 12], 0][:, [6, 16]]), axis=1)[:, 0]
    assert width[1] > 1.2 * width[0]
    assert SHORT_SPREAD > 1.2


def test_an_old_newest_value_is_carried_three_weeks_and_then_no_more(season: Season) -> None:
    vintage = season.vintages[4]
    for missing, said in ((2, "2 weeks old"), (5, "no value in the last weeks")):
        rows = vintage.rows.where((vintage.rows.area != "04") | (vintage.rows.week <= vintage.as_of - missing * WEEK))
        one = run(season, [Vintage(vintage.as_of, rows)])[0]
        assert said in flags(one, "04")
        assert np.isfinite(one.quantiles).all()


def test_with_hardly_any_history_the_forecast_is_wide_and_says_so() -> None:
    season = made(last="2022-10-29", first_vintage="2022-10-22")
    one = run(season, season.vintages[:1], references=())[0]
    assert "too few past weeks" in flags(one, "")
    assert (one.quantiles[:, 3, 21] > 3.0 * one.quantiles[:, 3, MEDIAN]).all()


def test_one_unfinished_season_is_too_little_to_learn_from(season: Season) -> None:
    vintage = season.vintages[-1]
    none = season.history.where(season.history.week < np.datetime64("2022-01-01"))
    one = run(dataclasses.replace(season, history=none), [vintage], references=())[0]
    assert "too few past weeks" in flags(one, "")


def test_a_series_of_zeros_gives_a_finite_forecast(season: Season) -> None:
    still = [
        Vintage(one.as_of, rows_but(one.rows, value=np.where(one.rows.area == "01", 0.0, one.rows.value)))
        for one in season.vintages[:1]
    ]
    history = rows_but(season.history, value=np.where(season.history.area == "01", 0.0, season.history.value))
    one = run(dataclasses.replace(season, history=history), still)[0]
    assert np.isfinite(one.quantiles).all()
    assert one.quantiles[0, 0, MEDIAN] < 1.0
