"""Figures of venues: the effect of noise, what can be read, and how little one person changes."""

import datetime as dt
from math import exp
from typing import Any

import numpy as np
import pytest

from exports.policy.draw import draw
from exports.policy.noise import Counts
from exports.policy.owner_figures import (
    HOUR,
    HOURS,
    OUTCOME,
    OUTCOMES,
    REFUSED,
    Arrivals,
    figure,
    ratings,
    tables_of,
    total,
    usual_week,
)
from exports.policy.periods import SHARE, Period

DAY = dt.date(2026, 5, 14)
EPSILON = 0.5


def drawn_refusals(exact: int, copies: int) -> Any:
    """Return the noisy refusals of `copies` independent draws of one day: each venue has the same day."""
    venues = [f"v_{number}" for number in range(copies)]
    outcomes = np.zeros((copies, len(OUTCOMES)), np.int64)
    outcomes[:, OUTCOMES.index(REFUSED)] = exact
    counts: dict[str, Counts] = {OUTCOME: outcomes, HOUR: np.zeros((copies, HOURS), np.int64)}
    drawn = draw(day=DAY, counts=counts, tables=tables_of(Period.DAY, venues), budget=EPSILON * SHARE[Period.DAY])
    return drawn.table(OUTCOME).noisy[:, OUTCOMES.index(REFUSED)]


def test_nine_puppets_do_not_reveal_whether_a_tenth_was_refused() -> None:
    """The best threshold over 4,000 draws of both worlds is right no more often than the budget allows."""
    without, beside = drawn_refusals(9, 4000), drawn_refusals(10, 4000)
    thresholds = np.unique(np.concatenate([without, beside]))
    right = [((beside >= at).mean() + (without < at).mean()) / 2 for at in thresholds]
    assert max(right) <= exp(EPSILON) / (1 + exp(EPSILON)) - 0.05
    assert max(right) < 0.55


@pytest.mark.parametrize("period", Period)
def test_the_draws_of_a_day_cost_the_budget_and_no_more(period: Period) -> None:
    tables = tables_of(period, ["v_1", "v_2"])
    counts: dict[str, Counts] = {table.name: np.zeros(table.shape, np.int64) for table in tables}
    drawn = draw(day=DAY, counts=counts, tables=tables, budget=EPSILON * SHARE[period])
    assert drawn.epsilon == pytest.approx(EPSILON * SHARE[period], rel=1e-6)
    assert drawn.epsilon <= EPSILON * SHARE[period]
    assert sum(SHARE.values()) == pytest.approx(1)


def test_a_figure_is_scaled_for_the_coin_and_never_below_nothing() -> None:
    assert figure(90, 10).people == 100
    assert figure(-4, 10).people == 0
    assert total([90, -9, 9], [10, 10, 10]).people == 100
    assert 0 < figure(90, 10).within < total([90] * 4, [10] * 4).within < 4 * figure(90, 10).within


def test_means_of_ratings_show_once_noise_hides_them_no_more() -> None:
    """Forty weeks of 600 ratings, most of them fours, and two fives of seven in distancing."""
    rng = np.random.default_rng(1)
    scale = 40.0
    masks, distancing = (np.tile(np.array(row), (40, 1)) for row in ([0, 0, 100, 400, 100], [600, 0, 0, 0, 0]))
    noise = [np.rint(rng.laplace(scale=scale, size=masks.shape)).astype(np.int64) for _ in range(2)]
    few = ratings(masks[:1] // 100 + noise[0][:1], distancing[:1] // 100 + noise[1][:1], [scale])
    assert few is None
    many = ratings(masks + noise[0], distancing + noise[1], [scale] * 40)
    assert many is not None
    assert many.masks == pytest.approx(4, abs=0.2)
    assert many.distancing == pytest.approx(1, abs=0.2)
    assert many.count == pytest.approx(24_000 / 0.9, rel=0.1)


def days(*, weeks: int, scale: float, visits: int = 400) -> list[Arrivals]:
    """Return weeks of days with visits only at 18:00, none on Mondays."""
    rng = np.random.default_rng(2)
    found = []
    for at in range(7 * weeks):
        came = 0 if at % 7 == 0 else round(visits * 0.9)
        by_hour = np.rint(rng.laplace(scale=scale, size=HOURS)).astype(np.int64)
        by_hour[18] += came
        found.append(Arrivals(at % 7, came + round(rng.laplace(scale=scale)), by_hour, (scale, scale)))
    return found


def test_usual_hours_come_back_from_noisy_arrivals() -> None:
    week = usual_week(days(weeks=13, scale=20), stay_h=1.0)
    assert week is not None
    assert week.shape == (168,)
    heads = week.reshape(7, 24)
    # 400 arrive evenly within the hour and stay an hour: 200 on average in it, 200 in the next.
    assert heads[2, 18] == pytest.approx(200, rel=0.1)
    assert heads[2, 19] == pytest.approx(200, rel=0.1)
    assert heads[0].max() < 20
    assert heads[2, :18].max() < 5
    ahead = usual_week(days(weeks=13, scale=20), stay_h=1.0, shift_h=3)
    assert ahead is not None
    assert ahead.reshape(7, 24)[2, 21] == heads[2, 18]


@pytest.mark.parametrize(("weeks", "visits"), [(0, 400), (13, 0)])
def test_usual_hours_are_unknown_where_noise_hides_them(weeks: int, visits: int) -> None:
    found = usual_week(days(weeks=weeks, scale=20, visits=visits), stay_h=1.0)
    assert found is None or found.max() < 5
