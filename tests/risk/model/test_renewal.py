"""The level of the model: what ordinary weeks imply, compared with a sustained epidemic."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from docs.plots import level
from risk.model.kinds import Kind
from risk.model.parameters import Parameters, adoption_around
from risk.model.pathogens import PROFILES, SARS_COV_2_ANCESTRAL
from risk.model.renewal import (
    ORDINARY,
    SMALL,
    fortnight,
    implied_reproduction,
    ordinary_fortnight,
    usual_hits,
    usual_hits_per_prevalence,
)


def implied(parameters: Parameters, hits: float, prevalence: float = SMALL) -> float:
    return implied_reproduction(hits, prevalence, parameters.pathogen.infectious_days.value)


def test_an_ordinary_week_implies_no_epidemic_that_doubles() -> None:
    """Before, a commuter implied 3.0 and a student 5.4; a person at home contributes little."""
    parameters = Parameters()
    of = {who: implied(parameters, fortnight(parameters, week, SMALL)) for who, week in ORDINARY.items()}
    assert 0.9 <= of["commuter"] <= 1.3
    assert 1.0 <= of["student"] <= 1.5
    assert of["at home"] < 0.3
    # These weeks have no bar, service or party; a simulated town has, and results in 1.0 to 1.3 (tests/town).
    assert 0.6 <= implied(parameters, ordinary_fortnight(parameters, SMALL)) <= 1.0


@pytest.mark.parametrize("name", sorted(set(PROFILES) - {"sars-cov-2-ancestral"}))
def test_every_profile_of_a_population_that_is_partly_immune_renews_itself(name: str) -> None:
    """Before, measles implied 7, which is a basic reproduction number of 90, and influenza 0.4."""
    parameters = Parameters(pathogen=PROFILES[name])
    assert 0.65 <= implied(parameters, ordinary_fortnight(parameters, SMALL)) <= 0.95


def test_without_immunity_ordinary_weeks_would_not_be_in_equilibrium() -> None:
    """2020: nearly everybody susceptible, and crowds as before; fewer visits reduced it to 1."""
    parameters = Parameters(pathogen=SARS_COV_2_ANCESTRAL)
    mean = implied(parameters, ordinary_fortnight(parameters, SMALL))
    assert 1.2 * implied(Parameters(), ordinary_fortnight(Parameters(), SMALL)) < mean < 1.3


def test_the_identity_is_that_of_a_steady_state() -> None:
    """A number infected per day, each for a number of days, counted."""
    people, reproduction, days, prevalence = 10_000, 0.9, 8.0, 0.01
    infected_a_day = people * prevalence / days
    hits = reproduction * infected_a_day * 14 / people
    assert implied_reproduction(hits, prevalence, days) == pytest.approx(reproduction)


def test_shares_of_ordinary_weeks_add_up() -> None:
    assert sum(week.share for week in ORDINARY.values()) == pytest.approx(1.0)


@settings(deadline=None, max_examples=30)
@given(st.sampled_from(tuple(Kind)), st.floats(1e-6, 0.003), st.sampled_from(sorted(PROFILES)))
def test_hits_are_in_proportion_to_a_small_prevalence(kind: Kind, prevalence: float, profile: str) -> None:
    parameters = Parameters(pathogen=PROFILES[profile], draws=32)
    exact = usual_hits(parameters, kind, 1.0, prevalence)
    assert usual_hits_per_prevalence(parameters, kind, 1.0) * prevalence == pytest.approx(exact, rel=0.02)


def test_a_usual_crowd_is_counted_in_people_so_adoption_does_not_move_it() -> None:
    low, high = (Parameters(adoption=adoption_around(share)) for share in (0.3, 0.9))
    assert usual_hits(low, Kind.BAR, 2.0, SMALL) == pytest.approx(usual_hits(high, Kind.BAR, 2.0, SMALL), rel=1e-12)


def test_a_crowd_of_the_usual_answers_costs_what_its_prevalence_says() -> None:
    """In large crowds the classes sum to prevalence, and "admitted here" does not add to it."""
    shares = np.array([[50, 30, 5]])  # of a thousand
    assert level.hits_by_answers(1000, shares)[0] == pytest.approx(1.0, abs=0.01)


def test_privacy_costs_little_in_the_mean_and_everything_in_a_single_case() -> None:
    """No single yes is needed for prevalence, so a crowd whose answers are mostly no counts slightly too much."""
    rng = np.random.default_rng(3)
    shares = [0.915, 0.05, 0.03, 0.005]
    for people in (5, 20, 200, 1000):
        counts = rng.multinomial(people, shares, 1000)[:, 1:]
        mean = level.hits_by_answers(people, level.believed(people, counts, rng)).mean()
        assert 0.99 <= mean < 1.06
        one = level.hits_by_answers(people, level.believed(people, np.tile([0, 0, 1], (1000, 1)), rng)).mean()
        assert one < 1.25
