"""The renewal identity in simulated towns: the level of shields compared with infections at venues."""

import dataclasses

import pytest

from crowdtrace.town.comparators.renewal import Renewal, equilibrium, renewal
from docs.plots import level
from docs.plots.markers import between
from risk.model.parameters import Adaptive, Parameters

LOW, HIGH = 1.0, 1.3
"""What an equilibrium may imply, and what shields may show relative to what happened: too high rather than too low."""


@pytest.fixture(scope="module")
def few() -> Renewal:
    return renewal(equilibrium(2, visitors=1000, days=16), Parameters())


def test_shields_of_a_town_in_equilibrium_imply_a_reproduction_number_from_visits_of_about_one(few: Renewal) -> None:
    """With so few towns, infections are subject to chance; the long test has enough for both sides."""
    assert LOW <= few.implied <= HIGH


def test_shields_twice_as_strong_would_not_pass() -> None:
    plans = equilibrium(1, visitors=500, days=14)
    base, twice = (renewal(plans, Parameters(adaptive=Adaptive(dose_scale=scale))) for scale in (1.0, 2.0))
    assert twice.implied > 1.8 * base.implied
    assert (twice.visits, twice.total) == (base.visits, base.total)
    assert dataclasses.replace(base, implied=2 * LOW).implied > HIGH


@pytest.mark.long
def test_over_many_towns_shields_say_what_happened_and_up_to_a_third_more() -> None:
    many = renewal(equilibrium(level.TOWNS), Parameters())
    assert 0.85 < many.total < 1.15
    assert LOW <= many.implied <= HIGH
    assert LOW <= many.ratio <= HIGH


@pytest.mark.long
def test_the_figures_of_towns_in_the_document_are_what_they_give() -> None:
    text = level.DOCUMENT.read_text()
    assert between(text, level.TOWNS_BEGIN, level.TOWNS_END, level.towns_table()) == text
