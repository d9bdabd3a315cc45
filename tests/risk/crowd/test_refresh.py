"""Crowd state in the database: event time, lateness, repeats, erasure, and equal results for any order of events."""

import datetime as dt
from typing import Any

import numpy as np
import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from passes.models import Change, Visit
from risk.crowd import venue_days
from risk.crowd.refresh import recompute_crowd, refresh_crowd
from risk.crowd.venue_days import Crowd
from risk.models import CrowdClock, CrowdDay, VenueCard
from tests.factories import NOW, make_venue
from tests.risk.crowds import HOUR, MINUTE, Stay, crowd, queue, rate, stay
from venues.models import Venue

pytestmark = pytest.mark.django_db


def states_of(venue: Venue) -> list[Crowd]:
    return [venue_days.unpack(row.data) for row in CrowdDay.objects.filter(venue=venue).order_by("day")]


def assert_same(some: list[Crowd], others: list[Crowd]) -> None:
    assert [(one.first_edge, one.last_edge) for one in some] == [(one.first_edge, one.last_edge) for one in others]
    for one, other in zip(some, others, strict=True):
        for name in ("present", "lingering", "arrivals"):
            np.testing.assert_array_equal(getattr(one.state, name), getattr(other.state, name), name)
        for name in ("concentration_per_m3", "integral_h2_per_m3", "person_h", "removal_rate_per_h"):
            np.testing.assert_allclose(
                getattr(one.state, name), getattr(other.state, name), rtol=1e-9, atol=1e-12, err_msg=name
            )
        for name in ("again", "returns", "ratings"):
            np.testing.assert_array_equal(getattr(one, name), getattr(other, name), name)


def test_a_state_read_back_is_the_state_written() -> None:
    venue = make_venue()
    crowd(venue, 7, symptoms=True)
    refresh_crowd(now=NOW)
    (one,) = states_of(venue)
    assert venue_days.pack(one) == venue_days.pack(venue_days.unpack(venue_days.pack(one)))
    assert one.state.present[:, 0].max() == 7
    assert not one.state.present[:, 1:].any(), "what they answered is not in it"


def test_a_refresh_empties_the_queue_and_repeating_it_changes_nothing() -> None:
    venue = make_venue()
    crowd(venue, 3)
    done = refresh_crowd(now=NOW)
    assert (done.venues, done.visits, done.days) == (1, 3, 1)
    assert not Change.objects.exists()
    before = bytes(CrowdDay.objects.get().data)
    assert refresh_crowd(now=NOW + 5 * MINUTE).venues == 0
    queue(venue, NOW - 3 * HOUR)
    refresh_crowd(now=NOW + 10 * MINUTE)
    assert bytes(CrowdDay.objects.get().data) == before


def test_the_clock_of_the_crowd_never_goes_back() -> None:
    refresh_crowd(now=NOW)
    first = CrowdClock.objects.get().as_of
    refresh_crowd(now=NOW - dt.timedelta(days=3))
    assert CrowdClock.objects.get().as_of == first < NOW


def test_somebody_who_did_not_check_out_counts_until_the_time_out() -> None:
    venue = make_venue()
    stay(venue, NOW - HOUR, 90, open_end=True)
    refresh_crowd(now=NOW)
    card = VenueCard.objects.get(venue=venue)
    assert np.frombuffer(card.inside, "<i4").tolist() == [1, 1, 0]


def test_a_late_scan_changes_the_hours_it_happened_in() -> None:
    venue = make_venue()
    crowd(venue, 2, NOW - 3 * HOUR)
    refresh_crowd(now=NOW)
    stay(venue, NOW - 26 * HOUR, 30)
    refresh_crowd(now=NOW + 5 * MINUTE)
    first, second = states_of(venue)
    assert (first.state.arrivals[:, 0].sum(), second.state.arrivals[:, 0].sum()) == (1, 2)


def test_erased_visits_disappear() -> None:
    venue = make_venue()
    kept, erased = stay(venue, NOW - 3 * HOUR), stay(venue, NOW - 3 * HOUR, symptoms=True)
    refresh_crowd(now=NOW)
    Visit.objects.filter(pk=erased.visit.pk).delete()
    queue(venue, erased.visit.arrived_at)
    refresh_crowd(now=NOW)
    (one,) = states_of(venue)
    assert one.state.arrivals.sum(axis=0).tolist() == [1, 0, 0, 0]
    Visit.objects.filter(pk=kept.visit.pk).delete()
    queue(venue, kept.visit.arrived_at)
    refresh_crowd(now=NOW)
    assert states_of(venue) == []


def test_a_rating_changes_the_past_hours_of_the_visit_only() -> None:
    venue = make_venue()
    one = stay(venue, NOW.replace(hour=7), 60)
    stay(venue, NOW.replace(hour=8), 60)
    refresh_crowd(now=NOW)
    rate(one, 5, 2)
    refresh_crowd(now=NOW)
    (state,) = states_of(venue)
    assert state.ratings.tolist() == [[1, 5, 2]] * 4 + [[0, 0, 0]] * 4


def test_a_short_absence_does_not_count_a_second_person() -> None:
    venue = make_venue()
    one = stay(venue, NOW - 3 * HOUR, 20)
    stay(venue, NOW - 3 * HOUR + 30 * MINUTE, 20, pass_row=one.pass_row)
    refresh_crowd(now=NOW)
    (state,) = states_of(venue)
    assert state.state.arrivals[:, 0].sum() == 1
    assert state.again.sum() == state.returns.sum() == 0


def test_coming_back_while_ones_breath_lingers_is_marked() -> None:
    venue = make_venue()
    one = stay(venue, NOW - 3 * HOUR, 20, symptoms=True)
    stay(venue, NOW - 2 * HOUR, 20, pass_row=one.pass_row)
    refresh_crowd(now=NOW)
    (state,) = states_of(venue)
    assert state.again.sum(axis=0).tolist() == [1, 0, 0, 0]
    assert state.returns.sum() == 0


def test_coming_back_after_the_air_cleared_is_marked_separately() -> None:
    venue = make_venue(air_changes_per_h=30.0)
    one = stay(venue, NOW - 6 * HOUR, 20)
    stay(venue, NOW - 2 * HOUR, 20, pass_row=one.pass_row)
    refresh_crowd(now=NOW)
    (state,) = states_of(venue)
    assert (state.again.sum(), state.returns.sum()) == (0, 1)


def test_a_new_volume_recomputes_everything() -> None:
    venue = make_venue(volume_m3=300.0)
    crowd(venue, 3, NOW - 30 * HOUR)
    crowd(venue, 3)
    refresh_crowd(now=NOW)
    Venue.objects.filter(pk=venue.pk).update(volume_m3=600.0)
    refresh_crowd(now=NOW)
    assert {one.state.volume_m3 for one in states_of(venue)} == {600.0}


def test_a_refresh_takes_as_many_statements_for_ten_venues_as_for_two() -> None:
    def statements(size: int) -> int:
        for _ in range(size):
            crowd(make_venue(), 2)
        with CaptureQueriesContext(connection) as captured:
            refresh_crowd(now=NOW)
        return len(captured)

    statements(1)
    assert statements(2) == statements(10) <= 23


EVENTS = st.lists(
    st.tuples(
        st.sampled_from(["scan", "scan", "scan", "late", "rate", "erase", "refresh"]),
        st.integers(0, 60 * 60),  # minutes before NOW
        st.integers(1, 600),  # minutes of stay
        st.integers(0, 3),
    ),
    min_size=1,
    max_size=14,
)


@settings(
    max_examples=15, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow]
)
@given(events=EVENTS)
def test_step_by_step_is_the_same_as_from_the_start(events: list[tuple[str, int, int, int]]) -> None:
    venue = make_venue(volume_m3=250.0, air_changes_per_h=1.0)
    here: list[Stay] = []
    for what, before, minutes, answers in events:
        _act(venue, here, what, NOW - before * MINUTE, minutes, answers)
    refresh_crowd(now=NOW)
    step_by_step = states_of(venue)
    recompute_crowd(venues=[venue.pk], now=NOW)
    assert_same(step_by_step, states_of(venue))


def _act(venue: Venue, here: list[Stay], what: str, moment: dt.datetime, minutes: int, answers: int) -> None:
    classes: list[dict[str, Any]] = [{}, {"near": True}, {"symptoms": True}, {"diagnosed": True}]
    if what in ("scan", "late"):
        last = here[-1].pass_row if what == "late" and here else None
        again = last if last is not None and last.epoch == moment.date() else None  # a pass is good for one day
        here.append(stay(venue, moment, minutes, pass_row=again, **classes[answers]))
    elif what == "refresh":
        refresh_crowd(now=NOW)
    elif here and what == "rate":
        rate(here[minutes % len(here)], 1 + answers, 5 - answers)
    elif here:
        gone = here.pop(minutes % len(here))
        gone.visit.delete()
        queue(venue, gone.visit.arrived_at)
