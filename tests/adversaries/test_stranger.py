"""K.10: a stranger who creates an account and names a place like a well-known one gains nothing."""

import datetime as dt
from typing import Any

import pytest
from django.test import Client

from risk.crowd.refresh import refresh_crowd
from risk.model.kinds import PRIORS, Kind
from risk.models import AirHour
from risk.scouting.curves import refresh_cards
from tests.factories import NOW, make_event, make_organisation, make_venue, owner_of
from tests.passes.people import send
from tests.risk.crowds import crowd
from venues.models import Venue
from venues.services.organisations import unverify_organisation, verify_organisation

pytestmark = pytest.mark.django_db
KNOWN = "The Corner"
CLAIMS: dict[str, Any] = {"volume_m3": 5e6, "air_changes_per_h": 60.0}
MARK = b"data-unverified"


@pytest.fixture
def known() -> Venue:
    """Create a well-known place, full of people."""
    place = make_venue(name=KNOWN)
    crowd(place, 40, NOW - dt.timedelta(hours=1), 300)
    return place


def twin(**facts: Any) -> Venue:
    """Create a stranger's place with the name, kind and ZIP of the well-known one."""
    return make_venue(name=KNOWN, organisation=make_organisation(name="Corner Ltd", verified=False), **facts)


def card(venue: Venue) -> dict[str, Any]:
    return dict(send("GET", f"/api/v1/venues/{venue.public_id}", now=NOW).json())


def refresh() -> None:
    refresh_crowd(now=NOW)
    refresh_cards(now=NOW)


class TestAStranger:
    def test_is_no_alternative_to_a_known_place(self, known: Venue) -> None:
        twin(**CLAIMS)
        honest = make_venue(name="Calm")
        refresh()
        assert [other["id"] for other in card(known)["alternatives"]] == [honest.public_id]

    def test_stops_being_one_when_the_operator_takes_the_word_back(self, known: Venue) -> None:
        other = make_venue(name="Calm")
        refresh()
        assert card(known)["alternatives"]
        unverify_organisation(organisation=other.organisation, actor="operator", now=NOW)
        assert card(known)["alternatives"] == []

    @pytest.mark.parametrize("query", ["", "q=corner", "zip=94110", "q=corner&zip=94110", "kind=restaurant&sort=cost"])
    def test_comes_below_the_known_place_and_is_marked(self, known: Venue, query: str) -> None:
        copy = twin(**CLAIMS)
        refresh()
        found = send("GET", f"/api/v1/venues?{query}", now=NOW).json()["results"]
        assert [(one["id"], one["verified"]) for one in found] == [(known.public_id, True), (copy.public_id, False)]

    def test_is_below_a_known_place_that_is_far_away(self) -> None:
        copy, far = twin(), make_venue(name=KNOWN, zip_code="10001")
        found = send("GET", "/api/v1/venues?q=corner&zip=94110", now=NOW).json()["results"]
        assert [one["id"] for one in found] == [far.public_id, copy.public_id]

    @pytest.mark.parametrize("page", ["/venues/{}", "/check-in/{}", "/check-in/{}/paper"])
    def test_is_marked_on_every_page_of_the_place(self, known: Venue, page: str) -> None:
        assert MARK in send("GET", page.format(twin().public_id), now=NOW).content
        assert MARK not in send("GET", page.format(known.public_id), now=NOW).content

    def test_is_marked_in_the_search_and_on_its_events(self, known: Venue) -> None:
        copy = twin()
        assert send("GET", "/venues?q=corner", now=NOW).content.count(MARK) == 1
        for place, marks in ((copy, 1), (known, 0)):
            event = make_event(venue=place)
            assert send("GET", f"/events/{event.public_id}", now=NOW).content.count(MARK) == marks

    def test_is_marked_where_its_code_is_shown_on_a_screen(self, known: Venue) -> None:
        for place, marks in ((twin(), 1), (known, 0)):
            client = Client()
            client.force_login(owner_of(place.organisation))
            event = make_event(venue=place, invitation_needed=False)
            for path in (f"/owner/venues/{place.public_id}/code", f"/owner/events/{event.public_id}/code"):
                assert client.get(path).content.count(MARK) == marks

    def test_gives_its_phones_a_pass_that_can_say_so(self, known: Venue) -> None:
        for place, word in ((twin(), b'"verified": false'), (known, b'"verified": true')):
            assert word in send("GET", f"/check-in/{place.public_id}", now=NOW).content

    @pytest.mark.parametrize("kind", ["restaurant", "gym", "outdoors"])
    def test_gains_nothing_by_what_it_says_of_its_air(self, kind: str) -> None:
        prior = PRIORS[Kind(kind)]
        best: dict[str, Any] = {
            "volume_m3": prior.volume_m3.high,
            "air_changes_per_h": min(CLAIMS["air_changes_per_h"], prior.air_changes_per_h.high),
        }
        claimed, bounded = card(twin(kind=kind, **CLAIMS)), card(twin(kind=kind, **best))
        assert claimed["shield_cost"] == bounded["shield_cost"]
        assert claimed["air"]["ach_high"] <= prior.air_changes_per_h.high

    def test_gains_nothing_by_a_sensor_of_its_own(self) -> None:
        best = PRIORS[Kind.RESTAURANT].air_changes_per_h.high
        copies = [twin(), twin()]
        for copy, air in zip(copies, (50.0, best), strict=True):
            AirHour.objects.create(venue=copy, hour=NOW, air_changes_per_h=air, air_log_sd=0.1)
        claimed, bounded = (card(copy) for copy in copies)
        assert claimed["shield_cost"] == bounded["shield_cost"]
        assert claimed["air"] == bounded["air"]

    def test_has_doses_of_a_room_of_its_kind_until_it_is_verified(self) -> None:
        copy = twin(volume_m3=5e6)
        crowd(copy, 40, NOW - dt.timedelta(hours=1), 300)
        refresh()
        before = card(copy)["shield_cost"]["60"]["no_mask"]
        verify_organisation(organisation=copy.organisation, actor="operator", now=NOW)
        assert refresh_crowd(now=NOW).venues == 1
        refresh_cards(now=NOW)
        assert card(copy)["shield_cost"]["60"]["no_mask"] < before


def test_a_verified_place_states_at_most_the_best_air_of_its_kind_until_it_is_measured() -> None:
    best = PRIORS[Kind.RESTAURANT].air_changes_per_h.high
    stated, bounded, measured = make_venue(air_changes_per_h=60.0), make_venue(air_changes_per_h=best), make_venue()
    AirHour.objects.create(venue=measured, hour=NOW, air_changes_per_h=20.0, air_log_sd=0.1)
    assert card(stated)["shield_cost"] == card(bounded)["shield_cost"]
    assert card(measured)["shield_cost"]["60"]["no_mask"] < card(bounded)["shield_cost"]["60"]["no_mask"]


def test_bad_air_is_believed() -> None:
    stale, usual = make_venue(air_changes_per_h=0.1), make_venue()
    assert card(stale)["shield_cost"]["60"]["no_mask"] > card(usual)["shield_cost"]["60"]["no_mask"]
