"""Hosts' figures of how many people check in: a share and head counts, by the API and the pages."""

import datetime as dt
import json
from collections.abc import Callable
from typing import Any
from zoneinfo import ZoneInfo

import pytest
from django.test import Client

from common.time import utc_now, z
from common.web.problems import Conflict, Invalid
from tests.factories import HOUR, NOW, make_venue
from tests.venues.conftest import World, call
from tests.venues.test_pages import errors_of
from venues.models import PresenceCount
from venues.services.export import export_organisation
from venues.services.presence_counts import MOST_A_DAY, add_presence_count

pytestmark = pytest.mark.django_db
As = Callable[[str], Client]
MINUTE = dt.timedelta(minutes=1)


def add(people: int = 40, at: dt.datetime = NOW - HOUR, venue: Any = None) -> PresenceCount:
    return add_presence_count(venue=venue or make_venue(), people=people, counted_at=at, actor="owner", now=NOW)


def counts_of(world: World) -> str:
    return f"/api/v1/owner/venues/{world.venue.public_id}/counts"


# The service ----------------------------------------------------------------------------------------------------------
@pytest.mark.parametrize("at", [NOW + MINUTE, NOW - dt.timedelta(days=7, minutes=2)])
def test_a_count_of_the_future_or_of_long_ago_is_refused(at: dt.datetime) -> None:
    with pytest.raises(Invalid) as refused:
        add(at=at)
    assert refused.value.errors[0].pointer == "/counted_at"


def test_the_same_count_twice_is_one_and_another_of_that_minute_a_conflict() -> None:
    venue = make_venue()
    first = add(40, venue=venue)
    assert add(40, NOW - HOUR + dt.timedelta(seconds=20), venue) == first
    with pytest.raises(Conflict):
        add(41, venue=venue)
    assert PresenceCount.objects.count() == 1


def test_a_day_has_a_bound_on_counts() -> None:
    venue = make_venue()
    for number in range(MOST_A_DAY):
        add(at=NOW - number * MINUTE, venue=venue)
    with pytest.raises(Conflict):
        add(at=NOW - MOST_A_DAY * MINUTE, venue=venue)
    add(at=NOW - dt.timedelta(days=1), venue=venue)


# The API --------------------------------------------------------------------------------------------------------------
@pytest.mark.parametrize(
    ("body", "pointer"),
    [
        ({"people": 0}, "/people"),
        ({"people": -3}, "/people"),
        ({"people": 2.5}, "/people"),
        ({"people": "12"}, "/people"),
        ({"people": True}, "/people"),
        ({"people": None}, "/people"),
        ({"people": 1_000_001}, "/people"),
        ({"counted_at": "yesterday"}, "/counted_at"),
        ({"counted_at": "2026-05-13"}, "/counted_at"),
        ({"counted_at": None}, "/counted_at"),
        ({"check_ins": 3}, "/check_ins"),
    ],
)
def test_an_invalid_count_is_refused_at_its_field(world: World, as_: As, body: dict[str, Any], pointer: str) -> None:
    given = {"people": 12, "counted_at": z(utc_now() - HOUR)} | body
    response = call(as_("manager"), "POST", counts_of(world), given)
    assert (response.status_code, response.json()["errors"][0]["pointer"]) == (400, pointer)


def test_counts_are_added_listed_and_removed(world: World, as_: As) -> None:
    client, at = as_("manager"), (utc_now() - 2 * HOUR).replace(second=0, microsecond=0)
    made = call(client, "POST", counts_of(world), {"people": 12, "counted_at": z(at)})
    assert (made.status_code, made.json()["people"], made.json()["counted_at"]) == (201, 12, z(at))
    listed = as_("viewer").get(counts_of(world)).json()["results"]
    assert [row["people"] for row in listed] == [30, 12]
    assert call(client, "DELETE", f"/api/v1/owner/counts/{made.json()['id']}").status_code == 204
    assert len(client.get(counts_of(world)).json()["results"]) == 1


@pytest.mark.parametrize("share", [0, -0.1, 1.01, "many", True, 1e400, [0.5]])
def test_a_share_that_is_none_is_refused(world: World, as_: As, share: Any) -> None:
    address = f"/api/v1/owner/venues/{world.venue.public_id}"
    response = call(as_("manager"), "PATCH", address, {"check_in_share": share}, If_Match="*")
    assert response.status_code == 400


def test_a_share_is_stored_and_forgotten_again(world: World, as_: As) -> None:
    address, client = f"/api/v1/owner/venues/{world.venue.public_id}", as_("manager")
    for share in (0.4, 1, None):
        response = call(client, "PATCH", address, {"check_in_share": share}, If_Match="*")
        assert (response.status_code, response.json()["check_in_share"]) == (200, share)


def test_the_export_of_an_organisation_has_both(world: World) -> None:
    found = export_organisation(organisation=world.organisation, actor="owner", now=utc_now())
    (venue,) = json.loads(json.dumps(found))["venues"]
    assert venue["check_in_share"] is None
    assert [row["people"] for row in venue["presence_counts"]] == [30]


# The pages ------------------------------------------------------------------------------------------------------------
def test_a_count_is_entered_by_the_clock_of_the_place_and_removed(world: World, as_: As) -> None:
    world.venue.time_zone = "Asia/Kathmandu"
    world.venue.save()
    client, address = as_("manager"), f"/owner/venues/{world.venue.public_id}/counts"
    local = (utc_now() - 2 * HOUR).astimezone(ZoneInfo("Asia/Kathmandu")).replace(second=0, microsecond=0)
    page = client.post(address, {"people": "17", "date": f"{local:%Y-%m-%d}", "time": f"{local:%H:%M}"}, follow=True)
    assert "17 people" in page.content.decode()
    row = PresenceCount.objects.get(people=17)
    assert row.counted_at == local
    assert client.post(f"/owner/counts/{row.public_id}/remove", follow=True).status_code == 200
    assert not PresenceCount.objects.filter(people=17).exists()


def test_a_count_that_cannot_be_is_reported_at_its_field(world: World, as_: As) -> None:
    client, address = as_("manager"), f"/owner/venues/{world.venue.public_id}/counts"
    tomorrow = utc_now() + dt.timedelta(days=2)
    today = utc_now().astimezone(world.venue.zone)
    page = client.post(address, {"people": "0", "date": f"{today:%Y-%m-%d}", "time": "00:00"})
    assert set(errors_of(page)) == {"people"}
    for day in (tomorrow, utc_now() - dt.timedelta(days=10)):
        page = client.post(address, {"people": "5", "date": f"{day:%Y-%m-%d}", "time": "10:00"})
        assert set(errors_of(page)) == {"date"}


def test_a_count_above_the_capacity_is_saved_and_pointed_out(world: World, as_: As) -> None:
    rules = world.venue.requirements
    assert rules is not None
    client, address = as_("manager"), f"/owner/venues/{world.venue.public_id}/counts"
    local = (utc_now() - 2 * HOUR).astimezone(world.venue.zone)
    for people, is_above in ((rules.capacity, False), (rules.capacity + 1, True)):
        local -= MINUTE
        given = {"people": str(people), "date": f"{local:%Y-%m-%d}", "time": f"{local:%H:%M}"}
        page = client.post(address, given, follow=True).content.decode()
        assert ("By its rules, the place has room for" in page) is is_above
        assert PresenceCount.objects.filter(people=people).exists()


def test_a_time_that_the_clock_skips_is_refused(world: World, as_: As) -> None:
    world.venue.time_zone = "America/New_York"
    world.venue.save()
    given = {"people": "5", "date": "2026-03-08", "time": "02:30"}
    page = as_("manager").post(f"/owner/venues/{world.venue.public_id}/counts", given)
    assert set(errors_of(page)) == {"time"}


def test_a_viewer_sees_counts_and_enters_none(world: World, as_: As) -> None:
    client, address = as_("viewer"), f"/owner/venues/{world.venue.public_id}/counts"
    page = client.get(address).content.decode()
    assert "30 people" in page
    assert "Save the count" not in page
    assert client.post(address, {"people": "5", "date": "2026-05-13", "time": "10:00"}).status_code == 403
    assert as_("other").get(address).status_code == 404


def test_the_share_is_asked_in_people_of_a_hundred(world: World, as_: As) -> None:
    client, address = as_("manager"), f"/owner/venues/{world.venue.public_id}/facts"
    facts = {"name": world.venue.name, "kind": world.venue.kind, "zip": "94110", "time_zone": "UTC"}
    client.post(address, facts | {"check_in_percent": "35"})
    world.venue.refresh_from_db()
    assert world.venue.check_in_share == 0.35
    assert "35" in client.get(f"/owner/venues/{world.venue.public_id}/settings").content.decode()
    for wrong in ("0", "101", "half", "2.5"):
        assert "check_in_percent" in errors_of(client.post(address, facts | {"check_in_percent": wrong}))
    client.post(address, facts | {"check_in_percent": ""})
    world.venue.refresh_from_db()
    assert world.venue.check_in_share is None
