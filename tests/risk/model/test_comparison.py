"""Plain terms: a chance as time in a place, a profile by prevalence."""

from __future__ import annotations

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from risk.model.comparison import KNOWN, LONGEST_MINUTES, ROOM_LEFT, comparison, suggested_profile
from risk.model.kinds import Kind
from risk.model.parameters import Parameters
from risk.model.renewal import ordinary_fortnight, usual_hits
from risk.model.shield import BUDGETS

PARAMETERS = Parameters()


@settings(deadline=None, max_examples=200)
@given(st.floats(1e-9, 0.5), st.floats(1e-6, 0.1))
def test_a_comparison_has_the_chance_it_is_compared_with(probability: float, prevalence: float) -> None:
    found = comparison(PARAMETERS, probability, prevalence)
    assert found is not None
    assert found.minutes >= 1
    assert found.minutes <= LONGEST_MINUTES or found.kind is KNOWN[-1]


def test_an_hour_at_a_usual_office_is_like_an_hour_at_a_usual_office() -> None:
    hits = usual_hits(PARAMETERS, Kind.OFFICE, 1.0, 0.001)
    found = comparison(PARAMETERS, hits * 7, 0.001)
    assert found is not None
    assert found.kind is Kind.OFFICE
    assert found.minutes == pytest.approx(420, rel=0.03)


def test_places_are_in_order_of_what_an_hour_costs() -> None:
    costs = [usual_hits(PARAMETERS, kind, 1.0, 0.001) for kind in KNOWN]
    assert costs == sorted(costs)


def test_no_chance_is_like_nothing() -> None:
    assert comparison(PARAMETERS, 0.0, 0.01) is None
    assert comparison(PARAMETERS, 0.1, 0.0) is None
    assert comparison(PARAMETERS, 1.0, 0.01) is not None


@settings(deadline=None, max_examples=100)
@given(st.floats(0.0, 0.5), st.floats(1.0, 5.0))
def test_more_prevalence_never_suggests_a_smaller_budget(prevalence: float, factor: float) -> None:
    less, more = (BUDGETS[suggested_profile(PARAMETERS, at)] for at in (prevalence, min(0.5, prevalence * factor)))
    assert more >= less


@settings(deadline=None, max_examples=50)
@given(st.floats(1e-6, 0.5))
def test_an_ordinary_fortnight_leaves_room_in_what_is_suggested_unless_nothing_does(prevalence: float) -> None:
    budget, ordinary = BUDGETS[suggested_profile(PARAMETERS, prevalence)], ordinary_fortnight(PARAMETERS, prevalence)
    assert budget >= ROOM_LEFT * ordinary or budget == max(BUDGETS.values())
    assert all(other < ROOM_LEFT * ordinary for other in BUDGETS.values() if other < budget)
