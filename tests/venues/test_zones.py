"""Times on pages of the demonstration are in the zone of the reader; times of real places are in their own."""

import datetime as dt
from typing import Any

import pytest
from django.test import Client

from common.time import utc_now
from tests import factories
from venues.models import Event
from venues.services.accounts import DEMONSTRATION
from venues.services.presence_counts import add_presence_count

pytestmark = pytest.mark.django_db

META = '<meta name="times-in-own-zone" content="zone">'
EIGHT = dt.datetime(2026, 9, 21, 20, 0, tzinfo=dt.UTC)
HOUR = dt.timedelta(hours=1)


@pytest.fixture(autouse=True)
def _september(time_machine: Any, settings: Any) -> None:
    time_machine.move_to("2026-09-20T12:00:00Z", tick=False)
    settings.EMBEDDED = True


def party_of(username: str, *, zone: str = "Asia/Kolkata") -> tuple[Event, Client]:
    """Return an event at 20:00 UTC, and a browser of its owner that has reported its zone."""
    owner = factories.make_user(username=username, now=utc_now())
    organisation = factories.make_organisation(owner=owner, now=utc_now())
    place = factories.make_venue(organisation=organisation, now=utc_now())
    add_presence_count(venue=place, counted_at=utc_now() - HOUR, people=7, actor=username, now=utc_now())
    event = factories.make_event(venue=place, starts_at=EIGHT, ends_at=EIGHT + HOUR, size=10, now=utc_now())
    client = Client()
    client.force_login(owner)
    if zone:
        client.cookies["zone"] = zone
    return event, client


def pages_of(event: Event, *, party: str, now: str, counted: str, clock: str) -> dict[str, str]:
    """Return pages with a time, and that time: of the party, the present, or a count an hour ago."""
    place = event.venue.public_id
    return {
        f"/owner/events/{event.public_id}": party,
        f"/owner/venues/{place}/events": party,
        "/owner/events": party,
        f"/events/{event.public_id}": party,
        f"/owner/venues/{place}": clock,
        f"/owner/venues/{place}/counts": counted,
        f"/owner/venues/{place}/settings": now,
        f"/owner/venues/{place}/versions": now,
    }


def test_every_page_of_the_demonstration_shows_times_in_the_zone_of_its_reader() -> None:
    event, client = party_of(DEMONSTRATION)
    kolkata = {"party": "1:30 a.m.", "now": "5:30 p.m.", "counted": "4:30 p.m.", "clock": "At 17:30:"}
    for address, time in pages_of(event, **kolkata).items():
        page = client.get(address).content.decode()
        assert time in page, address
        assert META in page, address


def test_pages_of_a_real_place_show_its_zone_and_ask_for_none() -> None:
    event, client = party_of("somebody")
    event.venue.time_zone = "America/New_York"
    event.venue.save()
    for address, time in pages_of(event, party="4 p.m.", now="8 a.m.", counted="7 a.m.", clock="At 08:00:").items():
        page = client.get(address).content.decode()
        assert time in page, address
        assert META not in page, address
    door = event.venue.doors.get()
    assert "Valid until 08:10" in client.post(f"/owner/doors/{door.public_id}/enrol").content.decode()


@pytest.mark.parametrize("zone", ["", "Nowhere/Land", "../etc/passwd"])
def test_without_a_known_zone_times_are_those_of_the_place(zone: str) -> None:
    event, client = party_of(DEMONSTRATION, zone=zone)
    assert "8 p.m." in client.get(f"/owner/events/{event.public_id}").content.decode()


def test_a_time_is_read_in_the_zone_in_which_it_was_shown() -> None:
    event, client = party_of(DEMONSTRATION)
    address = f"/owner/events/{event.public_id}/change"
    form = client.get(address).context["form"]
    shown = {name: form[name].value() for name in ("name", "date", "starts", "ends", "size")}
    assert (shown["date"], shown["starts"]) == (dt.date(2026, 9, 22), dt.time(1, 30))
    assert client.post(address, shown | {"name": "Later", "starts": "02:00", "ends": "02:30"}).status_code == 302
    event.refresh_from_db()
    assert (event.name, event.starts_at, event.ends_at) == ("Later", EIGHT + HOUR / 2, EIGHT + HOUR)
