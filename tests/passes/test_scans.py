"""Scans through the API: what a door answers, and what becomes of the visit."""

import datetime as dt

import pytest

from passes.models import Change, Visit
from tests.factories import NOW, EnrolledDevice, make_device, make_venue
from tests.passes.people import Phone, result, scan
from venues.models import Venue

pytestmark = pytest.mark.django_db
MINUTE = dt.timedelta(minutes=1)
HOUR = dt.timedelta(hours=1)


@pytest.fixture
def venue() -> Venue:
    return make_venue()


@pytest.fixture
def door(venue: Venue) -> EnrolledDevice:
    return make_device(venue=venue)


def test_a_pass_opens_the_door_and_makes_a_visit(venue: Venue, door: EnrolledDevice) -> None:
    held = Phone().check_in(venue)

    assert result(scan(door, held.on_screen(NOW), now=NOW)) == "Approved"

    visit = Visit.objects.get()
    assert (visit.arrived_at, visit.left_at) == (NOW, None)
    assert visit.times_out_at == NOW + dt.timedelta(minutes=75)
    assert Change.objects.get().since == NOW
