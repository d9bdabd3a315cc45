"""The town that benchmarks measure: every statement that fills it succeeds, and work on it takes few statements."""

import hashlib
from collections.abc import Callable

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext
from django.utils import timezone

from benchmarks.towns import fill
from passes.models import Visit
from risk.crowd.refresh import refresh_crowd
from risk.scouting.cards import cards_of
from risk.scouting.curves import refresh_cards
from risk.shield.answer import shield_of
from venues.models import Venue
from venues.selectors import find_venues

pytestmark = pytest.mark.django_db


@pytest.fixture
def _town() -> None:
    fill(venues=60, visits=1200)


def statements(work: Callable[[], object]) -> int:
    with CaptureQueriesContext(connection) as seen:
        work()
    return len(seen)


@pytest.mark.usefixtures("_town")
def test_the_town_has_the_venues_and_visits_asked_for() -> None:
    assert (Venue.objects.count(), Visit.objects.count()) == (60, 1200)
    assert refresh_crowd(now=timezone.now()).visits == 1200


@pytest.mark.usefixtures("_town")
def test_cards_are_prepared_in_as_many_statements_for_fifty_venues_as_for_two() -> None:
    now = timezone.now()
    refresh_crowd(now=now)
    refresh_cards(now=now, most=0)  # usual crowds, once a day
    parts = []

    def some(most: int) -> None:
        parts.append(refresh_cards(now=now, most=most))

    assert statements(lambda: some(2)) == statements(lambda: some(50))
    assert parts == [2, 50]


@pytest.mark.usefixtures("_town")
def test_a_shield_of_sixty_visits_takes_five_statements_and_a_search_of_fifty_four() -> None:
    now = timezone.now()
    refresh_crowd(now=now)
    refresh_cards(now=now)
    owners = [hashlib.sha256(f"owner{number}".encode()).digest() for number in range(1, 61)]
    assert len(shield_of(owners=owners, budget=0.01, now=now).visits) > 50
    assert statements(lambda: shield_of(owners=owners, budget=0.01, now=now)) == 5

    def search() -> None:
        found = [one.venue for one in find_venues(q="place", limit=50)]
        assert len(cards_of(venues=found, profile="standard", now=now)) == 50

    assert statements(search) == 4
