"""Venues, requirements, doors."""

import datetime as dt
import math
from typing import Any

import pytest
from django.test import Client

from common.models import AuditEntry
from common.web.problems import Conflict, Gone, Invalid, PreconditionFailed
from tests.factories import NOW, door_of, make_device, make_organisation, make_venue, owner_of
from tests.venues.conftest import Race, World, call
from venues import selectors
from venues.models import Requirements, Venue
from venues.requirements import RequirementValues
from venues.services import venues as venue_services
from venues.services.devices import make_enrolment_code
from venues.services.organisations import update_organisation
from venues.services.venues import add_door, close_door, close_venue, set_requirements, update_door, update_venue

pytestmark = pytest.mark.django_db
HOUR = dt.timedelta(hours=1)


@pytest.fixture
def client(world: World) -> Client:
    """Return the owner's client."""
    client = Client()
    client.force_login(world.people["owner"])
    return client


def pointers(response: Any) -> list[tuple[str, str]]:
    return [(error["pointer"], error["code"]) for error in response.json()["errors"]]


class TestVenues:
    def test_a_new_one_is_open_around_the_clock_with_one_public_door(self) -> None:
        venue = make_venue()
        assert venue.requirements is not None
        assert venue.requirements.version == 1
        assert RequirementValues.of(venue.requirements) == RequirementValues()
        assert door_of(venue).access == "Public"

    @pytest.mark.parametrize(
        ("facts", "pointer"),
        [
            ({"name": ""}, "/name"),
            ({"name": "x" * 121}, "/name"),
            ({"kind": "castle"}, "/kind"),
            ({"zip": "9411"}, "/zip"),
            ({"zip": "00000"}, "/zip"),
            ({"zip": "94110\n"}, "/zip"),
            ({"zip": "٩٤١١٠"}, "/zip"),
            ({"time_zone": "Mars/Olympus"}, "/time_zone"),
            ({"time_zone": "../etc/passwd"}, "/time_zone"),
            ({"volume_m3": 1}, "/volume_m3"),
            ({"volume_m3": "400"}, "/volume_m3"),
            ({"volume_m3": 0}, "/volume_m3"),
            ({"volume_m3": -5}, "/volume_m3"),
            ({"volume_m3": 1e9}, "/volume_m3"),
            ({"volume_m3": True}, "/volume_m3"),
            ({"volume_m3": math.nan}, "/volume_m3"),
            ({"air_changes_per_h": 100}, "/air_changes_per_h"),
            ({"air_changes_per_h": 0}, "/air_changes_per_h"),
            ({"air_changes_per_h": -1}, "/air_changes_per_h"),
            ({"air_changes_per_h": math.inf}, "/air_changes_per_h"),
            ({"air_changes_per_h": math.nan}, "/air_changes_per_h"),
            ({"usual_dwell_min": 0}, "/usual_dwell_min"),
            ({"usual_dwell_min": 1e300}, "/usual_dwell_min"),
            ({"listed": "yes"}, "/listed"),
            ({"owner": "me"}, "/owner"),
            ({"id": "v_0000000000"}, "/id"),
        ],
    )
    def test_what_is_wrong_is_named(self, world: World, client: Client, facts: dict[str, Any], pointer: str) -> None:
        body = {"name": "Bar", "kind": "bar"} | facts
        address = f"/api/v1/owner/organisations/{world.organisation.public_id}/venues"
        response = call(client, "POST", address, body)
        assert response.status_code == 400
        assert {place for place, _code in pointers(response)} == {pointer}
        assert Venue.objects.count() == 1

    def test_only_a_commercial_organisation_has_unmanned_ones(self) -> None:
        make_venue(unmanned=True)
        with pytest.raises(Invalid) as caught:
            make_venue(organisation=make_organisation(kind="faith"), unmanned=True)
        assert caught.value.errors[0].pointer == "/unmanned"

    def test_an_organisation_with_unmanned_ones_stays_commercial(self) -> None:
        venue = make_venue(unmanned=True)
        with pytest.raises(Conflict):
            update_organisation(organisation=venue.organisation, kind="faith", actor="owner", now=NOW)

    def test_an_update_needs_the_version_that_was_read(self, world: World, client: Client) -> None:
        address = f"/api/v1/owner/venues/{world.venue.public_id}"
        tag = client.get(address)["ETag"]
        assert call(client, "PATCH", address, {"name": "A"}).status_code == 428
        changed = call(client, "PATCH", address, {"name": "A"}, If_Match=tag)
        assert changed.status_code == 200
        assert call(client, "PATCH", address, {"name": "B"}, If_Match=tag).status_code == 412
        assert call(client, "PATCH", address, {"name": "B"}, If_Match=changed["ETag"]).json()["name"] == "B"

    def test_a_reader_who_has_it_gets_304(self, world: World, client: Client) -> None:
        address = f"/api/v1/owner/venues/{world.venue.public_id}"
        tag = client.get(address)["ETag"]
        again = call(client, "GET", address, If_None_Match=tag)
        assert (again.status_code, again.content) == (304, b"")

    def test_a_known_fact_can_be_removed(self) -> None:
        venue = make_venue(volume_m3=420.0)
        changed = update_venue(venue=venue, changes={"volume_m3": None}, actor="owner", now=NOW)
        assert changed.volume_m3 is None

    def test_a_service_takes_facts_and_nothing_else(self) -> None:
        with pytest.raises(Invalid):
            update_venue(venue=make_venue(), changes={"organisation_id": 1}, actor="owner", now=NOW)

    def test_a_closed_one_stays_closed(self) -> None:
        venue = make_venue()
        enrolled = make_device(venue=venue)
        for _time in range(2):
            close_venue(venue=venue, actor="owner", now=NOW)
        for change in (
            lambda: update_venue(venue=venue, changes={"name": "A"}, actor="owner", now=NOW),
            lambda: set_requirements(venue=venue, values=RequirementValues(), actor="owner", now=NOW),
            lambda: add_door(venue=venue, name="A", actor="owner", now=NOW),
            lambda: make_enrolment_code(door=enrolled.device.door, actor="owner", now=NOW),
        ):
            with pytest.raises(Gone):
                change()
        assert AuditEntry.objects.filter(verb="venue.closed").count() == 1

    def test_a_repeated_creation_makes_one(self, world: World, client: Client) -> None:
        address = f"/api/v1/owner/organisations/{world.organisation.public_id}/venues"
        answers = [
            call(client, "POST", address, {"name": "Bar", "kind": "bar"}, Idempotency_Key="k" * 20)
            for _time in range(2)
        ]
        assert [answer.status_code for answer in answers] == [201, 201]
        assert answers[0].json() == answers[1].json()
        assert Venue.objects.count() == 2

    def test_a_list_goes_page_by_page(self, world: World, client: Client) -> None:
        for number in range(3):
            make_venue(organisation=world.organisation, name=f"Number {number}")
        first = client.get("/api/v1/owner/venues?limit=3").json()
        second = client.get(first["next"]).json()
        names = [one["name"] for one in first["results"] + second["results"]]
        assert names == ["Number 2", "Number 1", "Number 0", "The Corner"]
        assert second["next"] is None

    @pytest.mark.parametrize("query", ["limit=0", "limit=x", "cursor=x", "page=2", "limit=1&limit=2"])
    def test_a_query_that_means_nothing_is_refused(self, world: World, client: Client, query: str) -> None:
        response = client.get(f"/api/v1/owner/venues?{query}")
        assert response.status_code == 400
        assert pointers(response)[0][0] == f"?{query.partition('=')[0]}"

    def test_an_organisation_has_a_bound_on_venues(self, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setattr(venue_services, "MOST_VENUES", 1)
        venue = make_venue()
        with pytest.raises(Conflict):
            make_venue(organisation=venue.organisation)
        close_venue(venue=venue, actor="owner", now=NOW)
        make_venue(organisation=venue.organisation)


class TestRequirements:
    def test_a_change_is_a_new_version_and_the_old_one_stays(self) -> None:
        venue = make_venue()
        first = Requirements.objects.get(venue=venue)
        second = set_requirements(venue=venue, values=RequirementValues(capacity=7), actor="owner", now=NOW + HOUR)
        first.refresh_from_db()
        venue.refresh_from_db()
        assert (first.version, first.capacity, second.version, second.capacity) == (1, 100, 2, 7)
        assert venue.requirements == second

    def test_the_same_values_make_no_version(self) -> None:
        venue = make_venue()
        set_requirements(venue=venue, values=RequirementValues(), actor="owner", now=NOW)
        assert venue.requirement_versions.count() == 1

    def test_a_version_that_was_not_read_is_not_overwritten(self) -> None:
        venue = make_venue()
        for capacity, expected in ((7, 1), (8, 2)):
            set_requirements(
                venue=venue,
                values=RequirementValues(capacity=capacity),
                expected_version=expected,
                actor="owner",
                now=NOW,
            )
        with pytest.raises(PreconditionFailed):
            set_requirements(venue=venue, values=RequirementValues(), expected_version=2, actor="owner", now=NOW)

    @pytest.mark.django_db(transaction=True)
    def test_changes_at_once_get_versions_of_their_own(self, race: Race) -> None:
        venue = make_venue()
        capacities = [1, 2, 3]
        race(
            lambda: set_requirements(
                venue=venue, values=RequirementValues(capacity=capacities.pop()), actor="owner", now=NOW
            ),
            3,
        )
        assert sorted(venue.requirement_versions.values_list("version", flat=True)) == [1, 2, 3, 4]

    def test_those_in_force_at_an_instant_are_found(self) -> None:
        venue = make_venue()
        for hours, capacity in ((1, 7), (2, 8)):
            set_requirements(
                venue=venue, values=RequirementValues(capacity=capacity), actor="owner", now=NOW + hours * HOUR
            )
        at = {
            minutes: selectors.requirements_at(venue, NOW + dt.timedelta(minutes=minutes))
            for minutes in (-60, 0, 59, 60, 119, 120, 999)
        }
        assert {minutes: row.capacity for minutes, row in at.items() if row} == {
            -60: 100,
            0: 100,
            59: 100,
            60: 7,
            119: 7,
            120: 8,
            999: 8,
        }

    def test_the_api_shows_changes_and_replaces_them(self, world: World, client: Client) -> None:
        address = f"/api/v1/owner/venues/{world.venue.public_id}/requirements"
        read = client.get(address)
        body = {name: value for name, value in read.json().items() if name not in ("version", "created_at")}
        assert call(client, "PUT", address, body).status_code == 428
        body["hours"] = [[], [], [[600, 1560]], [], [], [], []]
        put = call(client, "PUT", address, body, If_Match=read["ETag"])
        assert (put.status_code, put.json()["version"]) == (200, 2)
        assert call(client, "PUT", address, body, If_Match=read["ETag"]).status_code == 412
        patched = call(client, "PATCH", address, {"capacity": 9}, If_Match=put["ETag"]).json()
        assert (patched["version"], patched["capacity"], patched["hours"]) == (3, 9, body["hours"])
        versions = client.get(f"{address}/versions").json()["results"]
        assert [one["version"] for one in versions] == [3, 2, 1]

    def test_putting_needs_every_field(self, world: World, client: Client) -> None:
        address = f"/api/v1/owner/venues/{world.venue.public_id}/requirements"
        response = call(client, "PUT", address, {"capacity": 9}, If_Match="*")
        assert response.status_code == 400
        assert ("/hours", "required") in pointers(response)
        assert ("/refuse_symptoms", "required") in pointers(response)

    @pytest.mark.parametrize(
        ("change", "pointer"),
        [
            ({"capacity": 0}, "/capacity"),
            ({"capacity": 1_000_001}, "/capacity"),
            ({"capacity": 10**9}, "/capacity"),
            ({"capacity": -1}, "/capacity"),
            ({"capacity": 2.5}, "/capacity"),
            ({"capacity": None}, "/capacity"),
            ({"enforced_limit_percent": 101}, "/enforced_limit_percent"),
            ({"max_temperature_f": 38}, "/max_temperature_f"),
            ({"min_o2": 101}, "/min_o2"),
            ({"rotating_code": 1}, "/rotating_code"),
            ({"refuse_all": True}, "/refuse_all"),
            ({"version": 1}, "/version"),
            ({"hours": None}, "/hours"),
            ({"hours": []}, "/hours"),
            ({"hours": [[], [], [[600, 500]], [], [], [], []]}, "/hours/2/0/1"),
            ({"hours": [[], [], [], [], [], [], [[1400, 2000], [10, 20]]]}, "/hours/6/1"),
        ],
    )
    def test_what_is_wrong_is_named(self, world: World, client: Client, change: dict[str, Any], pointer: str) -> None:
        address = f"/api/v1/owner/venues/{world.venue.public_id}/requirements"
        response = call(client, "PATCH", address, change, If_Match="*")
        assert response.status_code == 400
        assert {place for place, _code in pointers(response)} == {pointer}
        assert world.venue.requirement_versions.count() == 1


class TestDoors:
    def test_a_door_may_be_private_and_change(self) -> None:
        venue = make_venue()
        door = add_door(venue=venue, name="Kitchen", access="Private", actor="owner", now=NOW)
        changed = update_door(door=door, access="Public", actor="owner", now=NOW)
        assert (changed.name, changed.access) == ("Kitchen", "Public")

    def test_a_closed_one_is_not_listed_and_cannot_change(self) -> None:
        venue = make_venue()
        door = door_of(venue)
        for _time in range(2):
            close_door(door=door, actor="owner", now=NOW)
        with pytest.raises(Gone):
            update_door(door=door, name="A", actor="owner", now=NOW)
        client = Client()
        client.force_login(owner_of(venue.organisation))
        assert client.get(f"/api/v1/owner/venues/{venue.public_id}/doors").json()["results"] == []
        assert AuditEntry.objects.filter(verb="door.closed").count() == 1

    def test_a_venue_has_a_bound_on_doors(self, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setattr(venue_services, "MOST_DOORS", 1)
        with pytest.raises(Conflict):
            add_door(venue=make_venue(), name="Back", actor="owner", now=NOW)
