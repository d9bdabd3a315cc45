"""The renewal identity on simulated towns: the level of shields against who is infected at venues."""

import dataclasses
import datetime as dt

import pytest

from crowdtrace.town.comparators.renewal import Renewal, renewal
from crowdtrace.town.world.plan import TownPlan
from risk.model.parameters import Adaptive, Parameters
from risk.model.pathogens import SARS_COV_2_OMICRON

LOW, HIGH = 1.0, 1.3
"""What an equilibrium may imply: docs/model.md says why not below 1."""


def towns(count: int, *, visitors: int, days: int) -> Renewal:
    """Few are infected at first, so that those around a carrier are not immune for having met another before."""
    given = Parameters(pathogen=SARS_COV_2_OMICRON)
    plans = [
        TownPlan(
            visitors=visitors,
            venues=visitors // 50,
            days=days,
            seed=seed,
            start=dt.date(2026, 3, 2),
            first_infected=0.005,
            imported_per_day=0.0,
            parameters=given,
        )
        for seed in range(1, count + 1)
    ]
    return renewal(plans, given)


@pytest.fixture(scope="module")
def few() -> Renewal:
    return towns(3, visitors=1200, days=18)


def test_shields_of_a_town_in_equilibrium_imply_a_reproduction_number_from_visits_of_about_one(few: Renewal) -> None:
    assert LOW <= few.implied <= HIGH


def test_the_same_town_is_in_equilibrium(few: Renewal) -> None:
    """Few towns, so the sum of their infections is only roughly known; many stand in the long test."""
    assert 0.7 < few.total < 1.4
    assert few.visits < few.total


def test_a_model_twice_as_strong_would_not_pass(few: Renewal) -> None:
    """The bound can fail: shields twice as strong over the same towns."""
    base = Parameters(pathogen=SARS_COV_2_OMICRON)
    twice = dataclasses.replace(base, adaptive=Adaptive(dose_scale=2.0))
    plan = TownPlan(visitors=500, venues=10, days=14, seed=1, start=dt.date(2026, 3, 2), parameters=base)
    assert renewal([plan], twice).implied > 1.8 * renewal([plan], base).implied > 0
    assert 2 * few.implied > HIGH


@pytest.mark.long
def test_over_many_towns_shields_say_what_happened_within_a_third_above() -> None:
    many = towns(24, visitors=3000, days=28)
    assert 0.85 < many.total < 1.15
    assert LOW <= many.implied <= HIGH
    assert LOW <= many.ratio <= HIGH
