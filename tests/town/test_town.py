"""The simulated town: the same for the same seed, and an epidemic that is made by the dose model."""

import dataclasses
import datetime as dt

import numpy as np
import pytest

from crowdtrace.town.world import epidemic
from crowdtrace.town.world.habits import DAY_END_MIN, RATES
from crowdtrace.town.world.plan import BadPlan, TownPlan, ancestral
from crowdtrace.town.world.town import NOBODY, Town, TownDay
from crowdtrace.town.world.truth import people_of, visits_of
from risk.model.far import room_integrals
from risk.model.kinds import Kind
from risk.model.parameters import Adaptive
from risk.model.visits import KINDS

START = dt.date(2026, 3, 2)  # a Monday


def make_plan(**changes: object) -> TownPlan:
    values = {"visitors": 1500, "venues": 34, "days": 10, "seed": 7, "start": START}
    return TownPlan(**{**values, **changes})  # type: ignore[arg-type]


def live(plan: TownPlan) -> tuple[Town, list[TownDay]]:
    town = Town(plan)
    return town, [town.next_day() for _ in range(plan.days)]


@pytest.fixture(scope="module")
def lived() -> tuple[Town, list[TownDay]]:
    return live(make_plan())


def test_the_same_seed_gives_the_same_town(lived: tuple[Town, list[TownDay]]) -> None:
    town, days = lived
    again, others = live(make_plan())
    assert again.venues.public_id == town.venues.public_id
    for one, other in zip(days, others, strict=True):
        for name, column in visits_of(one, town).items():
            assert np.array_equal(column, visits_of(other, again)[name]), name
        assert np.array_equal(one.answers, other.answers)
        assert np.array_equal(one.caught.infector, other.caught.infector)


def test_another_seed_gives_another_town(lived: tuple[Town, list[TownDay]]) -> None:
    other = Town(make_plan(seed=8))
    assert not set(other.venues.public_id) & set(lived[0].venues.public_id)
    assert other.next_day().stays.size != lived[1][0].stays.size


def test_a_town_of_enough_venues_has_every_kind() -> None:
    assert {KINDS[index] for index in Town(make_plan(venues=17)).venues.kind} == set(Kind)


@pytest.mark.parametrize("venues", [1, 2, 16])
def test_a_town_of_few_venues_lives_too(venues: int) -> None:
    town, days = live(make_plan(visitors=20, venues=venues, days=3))
    assert town.venues.size == venues
    assert sum(day.stays.size for day in days) > 0


def test_exactly_the_visitors_asked_for_have_the_app(lived: tuple[Town, list[TownDay]]) -> None:
    people = people_of(lived[0])
    assert people["has_app"].sum() == 1500
    assert people["has_app"].size == 2000


def test_visits_lie_in_opening_hours_and_nobody_is_in_two_places(lived: tuple[Town, list[TownDay]]) -> None:
    town, days = lived
    for day in days:
        stays, weekend = day.stays, int(day.date.weekday() >= 5)
        assert (stays.arrive_s >= town.venues.opens[stays.venue, weekend] * 60).all()
        assert (stays.leave_s <= town.venues.closes[stays.venue, weekend] * 60).all()
        assert (stays.leave_s > stays.arrive_s).all()
        assert stays.leave_s.max() <= DAY_END_MIN * 60
        order = np.lexsort((stays.arrive_s, stays.person))
        same = np.diff(stays.person[order]) == 0
        assert (stays.arrive_s[order][1:][same] >= stays.leave_s[order][:-1][same]).all()


def test_whom_a_venue_refuses_is_not_inside(lived: tuple[Town, list[TownDay]]) -> None:
    town, days = lived
    refused = sum(day.refusals.size for day in days)
    assert refused > 0
    for day in days:
        said = day.answers[day.stays.person] & town.venues.refuses[day.stays.venue]
        assert not (said.any(axis=1) & town.people.has_app[day.stays.person]).any()


def test_answers_are_sometimes_wrong_and_carriers_hidden() -> None:
    _town, days = live(make_plan(visitors=4000, first_infected=0.05, days=4))
    day = days[-1]
    carriers = day.infectious
    silent = ~day.answers[carriers].any(axis=1)
    assert 0.5 < silent.mean() < 0.9  # about 0.7 of prevalence stays with people who answer no four times
    assert day.answers[~carriers, 0].any()


def test_one_infection_makes_between_half_and_four_others_at_first() -> None:
    early = later = 0
    for seed in range(4):
        plan = make_plan(visitors=3000, venues=60, days=24, seed=seed, imported_per_day=0.0, first_infected=0.02)
        town = Town(plan)
        first = set(np.flatnonzero(town.infections.day < 0).tolist())
        caught = [town.next_day().caught for _ in range(plan.days)]
        infectors = np.concatenate([one.infector for one in caught])
        early += len(first)
        later += sum(int(one) in first for one in infectors if one != NOBODY)
    assert 0.5 < later / early < 4.0


def test_a_pair_takes_in_what_the_model_of_the_room_says() -> None:
    spans = [(0.0, 2.0, 1.0, 3.0), (0.0, 1.0, 2.0, 2.5), (1.0, 2.0, 0.0, 4.0), (3.0, 4.0, 0.0, 2.0)]
    begin, end, come, go = (np.array(column) for column in zip(*spans, strict=True))
    ours = epidemic.unit_dose(begin, end, come, go, np.full(4, 2.93))
    for dose, (a, b, s, t) in zip(ours, spans, strict=True):
        (expected,) = room_integrals(volume_m3=1.0, removal_rate_per_h=2.93, emitters_h=[(a, b)], visits_h=[(s, t)])
        assert dose == pytest.approx(expected, rel=1e-9, abs=1e-12)


def test_infections_at_venues_follow_the_dose() -> None:
    """Summed over towns, infections at venues are as many as the doses of those who could catch it say."""
    expected, found = 0.0, 0
    for seed in range(6):
        plan = make_plan(seed=seed, first_infected=0.05, imported_per_day=0.0, household_per_day=0.0, days=5)
        town = Town(plan)
        for _ in range(plan.days):
            can = town.people.susceptible & (town.infections.day > town.day)
            day = town.next_day()
            hazard = np.bincount(day.stays.person, day.quanta + day.near, town.people.size)
            expected += -np.expm1(-hazard[can]).sum()
            found += day.caught.person.size
    assert found == pytest.approx(expected, abs=4 * np.sqrt(expected))


def test_a_world_with_a_stronger_dose_response_infects_more() -> None:
    def count(scale: float) -> int:
        parameters = dataclasses.replace(ancestral(), adaptive=Adaptive(dose_scale=scale))
        _town, days = live(make_plan(first_infected=0.05, parameters=parameters, days=6))
        return sum(int((day.caught.venue >= 0).sum()) for day in days)

    assert count(0.1) < count(1.0) < count(4.0)


def test_plans_that_mean_nothing_are_refused() -> None:
    for wrong in ({"visitors": 0}, {"venues": 0}, {"days": 0}, {"seed": -1}, {"app_share": 0.0}, {"activity": -1.0}):
        with pytest.raises(BadPlan):
            make_plan(**wrong)


def test_habits_cover_every_kind() -> None:
    assert set(RATES) == set(Kind)
