"""Scouting cards through the real URLs."""

import datetime as dt
from typing import Any

import numpy as np
import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext

from passes.models import Pass, Rating
from risk.crowd.refresh import refresh_crowd
from risk.crowd.usual import Known, store_known
from risk.scouting.cards import cards_of, fits_profile
from risk.scouting.curves import refresh_cards
from risk.scouting.occupancy import bands, coarse
from tests.factories import NOW, make_event, make_venue
from tests.passes.people import send
from tests.risk.crowds import crowd, stay
from venues.hours import NEVER_OPEN
from venues.models import Event, Venue
from venues.requirements import RequirementValues
from venues.selectors import open_venue

pytestmark = pytest.mark.django_db
KEYS = {
    "id", "name", "kind", "zip", "organisation", "epochs", "occupancy", "ratings", "air",
    "coverage", "shield_cost", "hours",
    "best_hours", "alternatives", "fits_profile", "verified", "open", "changes_at", "counted",
    "opening_hours", "time_zone",
}  # fmt: skip


def card(venue: Venue, query: str = "", now: dt.datetime = NOW) -> dict[str, Any]:
    response = send("GET", f"/api/v1/venues/{venue.public_id}{query}", now=now)
    assert response.status_code == 200, response.content
    return dict(response.json())


def refresh() -> None:
    refresh_crowd(now=NOW)
    refresh_cards(now=NOW)


def test_a_card_has_exactly_the_keys_of_the_contract() -> None:
    found = card(make_venue())
    assert set(found) == KEYS
    assert set(found["epochs"][0]) == {"date", "start", "end"}
    assert found["epochs"][0]["end"] - found["epochs"][0]["start"] == 28 * 3600
    assert set(found["occupancy"]) == {"band", "usual"}
    assert [len(day) for day in found["occupancy"]["usual"]] == [24] * 7
    assert found["ratings"] == {"count": None, "masks": None, "distancing": None}
    assert set(found["air"]) == {"source", "ach_low", "ach_high"}
    assert {key: set(value) for key, value in found["shield_cost"].items()} == {
        minutes: {"mask", "no_mask"} for minutes in ("30", "60", "120")
    }
    assert len(found["hours"]) == 24
    assert set(found["hours"][0]) == {"start", "shield_cost_60"}
    assert found["hours"][0]["start"] == "2026-05-13T10:00:00Z"
    assert found["alternatives"] == []


def test_a_longer_stay_costs_more_and_a_mask_less() -> None:
    venue = make_venue()
    crowd(venue, 40, NOW - dt.timedelta(hours=1), 300)
    refresh()
    costs = card(venue)["shield_cost"]
    assert costs["30"]["no_mask"] < costs["60"]["no_mask"] < costs["120"]["no_mask"]
    assert all(cost["mask"] < cost["no_mask"] for cost in costs.values())


def test_hours_say_the_cost_of_every_stay_when_asked() -> None:
    venue = make_venue()
    crowd(venue, 40, NOW - dt.timedelta(hours=1), 300)
    refresh()
    assert "shield_cost" not in card(venue)["hours"][0]
    for hour in card(venue, "?costs=all")["hours"]:
        costs = hour["shield_cost"]
        assert costs["60"]["no_mask"] == hour["shield_cost_60"]
        assert costs["30"]["no_mask"] <= costs["60"]["no_mask"] <= costs["120"]["no_mask"]
        assert all(cost["mask"] <= cost["no_mask"] for cost in costs.values())


def test_events_open_a_closed_place_in_order_and_cancelled_ones_do_not() -> None:
    venue = make_venue(requirements=RequirementValues(hours=NEVER_OPEN))
    later, first = (make_event(venue=venue, starts_at=NOW + dt.timedelta(hours=hours)) for hours in (32, 8))
    cancelled = make_event(venue=venue, starts_at=NOW + dt.timedelta(hours=56))
    Event.objects.filter(pk=cancelled.pk).update(cancelled_at=NOW)
    starts = [dt.datetime.fromisoformat(hour["start"]) for hour in card(venue)["hours"]]
    lead = dt.timedelta(hours=1)
    assert starts[0] == first.starts_at - lead
    assert later.starts_at - lead in starts
    assert starts == sorted(starts)
    assert max(starts) < cancelled.starts_at - lead


def test_costs_are_of_the_profile_asked_for() -> None:
    venue = make_venue()
    crowd(venue, 40, NOW - dt.timedelta(hours=1), 300)
    refresh()
    cautious, relaxed = card(venue, "?profile=cautious"), card(venue, "?profile=relaxed")
    assert cautious["shield_cost"]["60"]["no_mask"] > 20 * relaxed["shield_cost"]["60"]["no_mask"]
    assert not cautious["fits_profile"]


def test_a_card_is_the_same_before_and_after_it_was_prepared() -> None:
    venue = make_venue()
    unprepared = card(venue)
    assert refresh_cards(now=NOW) == 1
    assert refresh_cards(now=NOW) == 0
    assert card(venue) == unprepared


def test_the_occupancy_of_fewer_than_five_is_not_shown() -> None:
    venue = make_venue()
    refresh()
    nobody = card(venue)
    crowd(venue, 4, NOW - dt.timedelta(minutes=30), 120)
    refresh()
    assert card(venue) | {"hours": 0, "best_hours": 0} == nobody | {"hours": 0, "best_hours": 0}


def test_occupancy_is_a_band_of_the_enforced_limit() -> None:
    venue = make_venue(requirements=RequirementValues(capacity=20, enforced_limit_percent=50))
    for more, expected in ((0, "empty"), (5, "busy"), (3, "full")):
        crowd(venue, more, NOW - dt.timedelta(minutes=30), 120)
        refresh()
        assert card(venue)["occupancy"]["band"] == expected
    assert bands([4, 5, 10, 20], 30).tolist() == ["empty", "quiet", "busy", "full"]


def know(venue: Venue, *, usual: np.ndarray | None = None, rated: tuple[int, float, float] | None = None) -> None:
    """Store what the statistics of closed days contain about a venue."""
    refresh_cards(now=NOW)
    store_known({venue.pk: Known(usual, rated)}, now=NOW)


def test_usual_crowds_are_bands_of_what_closed_days_say() -> None:
    venue = make_venue(requirements=RequirementValues(capacity=9))
    usual = np.zeros(168)
    usual[24 + 6] = 8.2  # Tuesday, 06:00
    know(venue, usual=usual)
    shown = card(venue)["occupancy"]["usual"]
    assert shown[1][6] == "full"
    assert sum(hour != "empty" for day in shown for hour in day) == 1


def test_a_crowd_of_the_fortnight_shows_in_no_usual_hour_by_itself() -> None:
    """Usual hours come from draws only: visits that were not drawn yet change nothing."""
    venue = make_venue(requirements=RequirementValues(capacity=9))
    before = card(venue)["occupancy"]["usual"]
    crowd(venue, 8, NOW - dt.timedelta(days=5), 60)
    refresh()
    assert card(venue)["occupancy"]["usual"] == before


def test_ratings_are_those_of_the_statistics() -> None:
    venue = make_venue()
    crowd(venue, 9, NOW - dt.timedelta(days=1), 60)
    for one in Pass.objects.all():
        Rating.objects.create(pass_row=one, masks=5, distancing=5)
    refresh()
    assert card(venue)["ratings"] == {"count": None, "masks": None, "distancing": None}
    know(venue, rated=(2000, 4.0, 2.0))
    refresh()
    assert card(venue)["ratings"] == {"count": 2000, "masks": 4.0, "distancing": 2.0}


def test_a_known_ventilation_says_so_and_is_narrower() -> None:
    prior, known = card(make_venue())["air"], card(make_venue(air_changes_per_h=4.0))["air"]
    assert (prior["source"], known["source"]) == ("prior", "known")
    assert known["ach_high"] / known["ach_low"] < prior["ach_high"] / prior["ach_low"]


@pytest.mark.parametrize(("points", "fits"), [(0.0, True), (7.1, True), (7.12, False), (7.2, False)])
def test_what_fits_is_judged_by_the_cost_that_is_shown(points: float, fits: bool) -> None:
    """The limit is 100 / 14 points, shown as 7.1; 7.12 is shown as 7.2."""
    assert fits_profile(points) is fits


def test_alternatives_are_cheaper_places_of_the_same_kind_nearby() -> None:
    full = make_venue(name="Full")
    quiet = make_venue(name="Quiet", zip_code="94112")
    make_venue(name="Bar", kind="bar")
    make_venue(name="Far", zip_code="10001")
    make_venue(name="Unlisted", listed=False)
    crowd(full, 40, NOW - dt.timedelta(hours=1), 300)
    refresh()
    assert [other["id"] for other in card(full)["alternatives"]] == [quiet.public_id]
    assert card(quiet)["alternatives"] == []


def test_a_search_gives_cards_with_the_nearest_first() -> None:
    far, near = make_venue(name="Old Mill", zip_code="10001"), make_venue(name="Old Mill", zip_code="94110")
    make_venue(name="Other")
    response = send("GET", "/api/v1/venues?q=old+mi&zip=94110&limit=2", now=NOW)
    assert [one["id"] for one in response.json()["results"]] == [near.public_id, far.public_id]
    assert set(response.json()) == {"results", "next", "previous"}
    assert set(response.json()["results"][0]) == KEYS | {"distance_km"}


def test_an_unchanged_card_is_not_sent_again() -> None:
    path = f"/api/v1/venues/{make_venue().public_id}"
    first = send("GET", path, now=NOW)
    assert send("GET", path, now=NOW, headers={"If-None-Match": first["ETag"]}).status_code == 304


@pytest.mark.parametrize("query", ["?zip=9411", "?limit=0", "?limit=51", "?profile=brave", "?colour=red", "?zip=abc"])
def test_bad_queries_are_refused(query: str) -> None:
    response = send("GET", f"/api/v1/venues{query}", now=NOW)
    assert response.status_code == 400
    assert response.json()["errors"][0]["pointer"] == query.partition("=")[0]


def test_an_unknown_venue_is_not_found() -> None:
    assert send("GET", "/api/v1/venues/v_0000000000", now=NOW).status_code == 404


def test_answers_change_no_card() -> None:
    cards = []
    given: tuple[dict[str, Any], ...] = ({}, {"symptoms": True, "diagnosed": True})
    for answers in given:
        venue = make_venue()
        for _ in range(12):
            stay(venue, NOW - dt.timedelta(minutes=30), 120, **answers)
        refresh()
        cards.append(card(venue) | {"id": "", "alternatives": []})
    assert cards[0] == cards[1]


def test_head_counts_go_in_coarsely() -> None:
    nobody, few, five, nine, ten = coarse([0, 4, 5, 9, 10])
    assert nobody == few < five
    assert nine == ten
    assert (coarse(range(5, 300)) >= np.arange(5, 300)).all()


def test_many_cards_take_as_many_statements_as_one() -> None:
    venues = [open_venue(make_venue().public_id) for _ in range(8)]
    refresh()
    counts = []
    for some in (venues[:1], venues):
        with CaptureQueriesContext(connection) as captured:
            cards_of(venues=[venue for venue in some if venue], profile="standard", now=NOW)
        counts.append(len(captured))
    assert counts == [3, 3]


def test_now_costs_what_its_own_hour_costs() -> None:
    venue = make_venue()
    for arrived in (NOW - dt.timedelta(hours=1), NOW - dt.timedelta(days=7, hours=1)):
        crowd(venue, 40, arrived, 300)
    refresh()
    found = card(venue, "?costs=all")
    assert found["hours"][0]["start"] == "2026-05-13T10:00:00Z"
    assert found["hours"][0]["shield_cost"] == found["shield_cost"]


@pytest.mark.parametrize("profile", ["cautious", "standard", "relaxed"])
def test_a_place_that_nobody_checked_in_to_is_not_taken_for_an_empty_one(profile: str) -> None:
    found = card(make_venue(), f"?profile={profile}")
    assert not found["counted"]
    assert {hour["shield_cost_60"] for hour in found["hours"]} == {found["shield_cost"]["60"]["no_mask"]}


def test_the_first_four_visitors_of_a_place_do_not_show() -> None:
    venue = make_venue()
    refresh()
    nobody = card(venue)
    crowd(venue, 4, NOW - dt.timedelta(days=1), 120)
    refresh_crowd(now=NOW)
    refresh_cards(now=NOW + dt.timedelta(days=1))
    assert card(venue) == nobody


def test_a_closed_place_says_when_it_opens_and_what_an_hour_costs_then() -> None:
    nine_to_five = [[[540, 1020]] for _ in range(7)]
    venue = make_venue(time_zone="America/New_York", requirements=RequirementValues(hours=nine_to_five))
    found = card(venue, "?costs=all")  # 06:00 there
    assert (found["open"], found["changes_at"]) == (False, "2026-05-13T13:00:00Z")
    assert found["opening_hours"] == nine_to_five
    assert found["shield_cost"] == found["hours"][0]["shield_cost"]
    later = card(venue, now=NOW + dt.timedelta(hours=4))
    assert (later["open"], later["changes_at"]) == (True, "2026-05-13T21:00:00Z")


def test_a_place_that_never_closes_or_never_opens_changes_at_no_time() -> None:
    always, never = make_venue(), make_venue(requirements=RequirementValues(hours=NEVER_OPEN))
    assert [(card(one)["open"], card(one)["changes_at"]) for one in (always, never)] == [(True, None), (False, None)]
