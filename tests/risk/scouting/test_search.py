"""Search by kind, cost, fit, opening, nearness and in pages, through the real URL."""

import datetime as dt
from typing import Any
from urllib.parse import urlsplit

import pytest

from risk.crowd.refresh import refresh_crowd
from risk.scouting import search as searching
from risk.scouting.cards import FITS_POINTS
from risk.scouting.curves import refresh_cards
from tests.factories import NOW, make_event, make_organisation, make_venue
from tests.passes.people import send
from tests.risk.crowds import crowd
from venues.hours import NEVER_OPEN
from venues.models import Venue
from venues.requirements import RequirementValues

pytestmark = pytest.mark.django_db


def ask(query: str = "", now: dt.datetime = NOW) -> dict[str, Any]:
    response = send("GET", f"/api/v1/venues?{query}", now=now)
    assert response.status_code == 200, response.content
    return dict(response.json())


def names(query: str = "", now: dt.datetime = NOW) -> list[str]:
    return [one["name"] for one in ask(query, now)["results"]]


@pytest.fixture
def town() -> dict[str, Venue]:
    """Return a full restaurant, an outdoor place, a closed bar, a distant gym, and an unverified place."""
    shut = RequirementValues(hours=NEVER_OPEN)
    made = {
        "Full": make_venue(name="Full"),
        "Terrace": make_venue(name="Terrace", kind="outdoors", zip_code="94112"),
        "Shut": make_venue(name="Shut", kind="bar", zip_code="94601", requirements=shut),
        "Gym": make_venue(name="Gym", kind="gym", zip_code="10001"),
        "Copy": make_venue(name="Copy", kind="outdoors", organisation=make_organisation(verified=False)),
    }
    crowd(made["Full"], 60, NOW - dt.timedelta(hours=1), 300)
    refresh_crowd(now=NOW)
    refresh_cards(now=NOW)
    return made


def test_a_kind_is_a_filter(town: dict[str, Venue]) -> None:
    assert names("kind=outdoors") == ["Terrace", "Copy"]
    assert names("kind=bar") == names("q=bar") == ["Shut"]


def test_open_ones_and_closed_ones(town: dict[str, Venue]) -> None:
    assert set(names("open=true")) == {"Full", "Terrace", "Gym", "Copy"}
    assert names("open=false") == ["Shut"]


def test_an_event_opens_its_place(town: dict[str, Venue]) -> None:
    event = make_event(venue=town["Shut"])
    inside = event.starts_at - dt.timedelta(minutes=30)
    assert "Shut" in names("open=true", now=inside)
    (shut,) = ask("q=shut", now=inside)["results"]
    assert shut["open"]


def test_sorted_by_cost_the_unverified_ones_still_come_last(town: dict[str, Venue]) -> None:
    found = [one for one in ask("sort=cost&open=true")["results"] if one["verified"]]
    costs = [one["shield_cost"]["60"]["no_mask"] for one in found]
    assert costs == sorted(costs)
    assert names("sort=cost&open=true")[-1] == "Copy"
    assert names("sort=cost&open=true")[-2] == "Full"


@pytest.mark.parametrize("profile", ["cautious", "standard", "relaxed"])
def test_the_search_agrees_with_the_card_on_what_fits(town: dict[str, Venue], profile: str) -> None:
    fitting, others = (ask(f"fits={fits}&profile={profile}&open=true")["results"] for fits in ("true", "false"))
    assert {one["name"] for one in (*fitting, *others)} == {"Full", "Terrace", "Gym", "Copy"}
    assert all(one["fits_profile"] and one["shield_cost"]["60"]["no_mask"] <= FITS_POINTS for one in fitting)
    assert not any(one["fits_profile"] for one in others)


def test_near_says_how_far(town: dict[str, Venue]) -> None:
    found = ask("near=37.8,-122.4")["results"]
    distances = {one["name"]: one["distance_km"] for one in found}
    assert [one["name"] for one in found] == ["Full", "Terrace", "Shut", "Gym", "Copy"]
    assert distances["Full"] < 20 < 3000 < distances["Gym"]
    assert "distance_km" not in ask()["results"][0]


def test_the_server_works_with_a_tenth_of_a_degree_only(town: dict[str, Venue]) -> None:
    assert ask("near=37.7599,-122.4148") == ask("near=37.8,-122.4")


@pytest.mark.parametrize("query", ["", "zip=94110", "near=37.8,-122.4", "sort=cost", "q=u"])
def test_cursors_lead_through_every_place_once_and_back(town: dict[str, Venue], query: str) -> None:
    whole = names(f"{query}&limit=50")
    page, seen, back = ask(f"{query}&limit=2"), [], None
    for _ in range(5):
        seen += [one["name"] for one in page["results"]]
        back = page["previous"]
        if page["next"] is None:
            break
        page = ask(urlsplit(page["next"]).query)
    assert seen == whole
    if len(whole) > 2:
        assert ask(urlsplit(back or "").query)["next"] is not None


@pytest.mark.parametrize(
    ("query", "pointer"),
    [
        ("kind=castle", "?kind"),
        ("open=perhaps", "?open"),
        ("fits=1", "?fits"),
        ("sort=age", "?sort"),
        ("sort=distance", "?sort"),
        ("near=here", "?near"),
        ("near=91,0", "?near"),
        ("near=37.8,-181", "?near"),
        ("near=nan,nan", "?near"),
        ("near=37.8", "?near"),
        ("near=37.8,-122.4&zip=94110", "?near"),
        ("zip=00000", "?zip"),
        ("cursor=abc", "?cursor"),
        ("cursor=", "?cursor"),
    ],
)
def test_bad_values_are_named(query: str, pointer: str) -> None:
    response = send("GET", f"/api/v1/venues?{query}", now=NOW)
    assert response.status_code == 400
    assert response["Content-Type"].startswith("application/problem+json")
    assert [error["pointer"] for error in response.json()["errors"]] == [pointer]


def test_a_cursor_is_of_one_search_only(town: dict[str, Venue]) -> None:
    cursor = urlsplit(ask("limit=2")["next"]).query.partition("cursor=")[2].partition("&")[0]
    assert send("GET", f"/api/v1/venues?limit=2&q=u&cursor={cursor}", now=NOW).status_code == 400


def test_the_search_says_that_it_left_out_places(town: dict[str, Venue], monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(searching, "MOST_WEIGHED", 2)
    page = searching.search(searching.Question(by_cost=True), offset=0, count=10, now=NOW)
    assert (len(page.found), page.cut) == (2, True)
    monkeypatch.setattr(searching, "MOST_WEIGHED", 5)
    assert not searching.search(searching.Question(by_cost=True), offset=0, count=10, now=NOW).cut


class TestThePage:
    def test_has_a_total_and_a_pager(self) -> None:
        owner = make_organisation()
        for number in range(45):
            make_venue(name=f"Place {number:02}", organisation=owner)
        first, last = (send("GET", f"/venues?page={page}", now=NOW).content.decode() for page in (1, 3))
        assert "45 places" in first
        assert "1–20 of 45" in first
        assert "Place 19" in first
        assert "Place 20" not in first
        assert "41–45 of 45" in last
        assert "Place 44" in last

    def test_says_that_it_does_not_know_a_zip_code(self, town: dict[str, Venue]) -> None:
        page = send("GET", "/venues?zip=00000", now=NOW).content.decode()
        assert "There is no such ZIP code" in page
        assert "km" not in page.partition("data-places")[2].partition("</ul>")[0]

    def test_lists_what_is_near_and_nothing_else_unless_asked(self, town: dict[str, Venue]) -> None:
        near, far = (send("GET", f"/venues?zip=94110{more}", now=NOW).content.decode() for more in ("", "&far=true"))
        assert "4 places within 100 km" in near
        assert town["Gym"].public_id not in near
        assert town["Gym"].public_id in far

    def test_shows_no_cost_of_a_closed_place(self, town: dict[str, Venue]) -> None:
        page = send("GET", "/venues?q=shut", now=NOW).content.decode()
        assert "no opening is planned" in page
        assert "points an hour" not in page

    @pytest.mark.parametrize(
        "query", ["page=0", "page=-1", "page=x", "kind=x", "sort=x", "near=x", "profile=x", "page=99999"]
    )
    def test_stays_a_page_whatever_its_address_says(self, town: dict[str, Venue], query: str) -> None:
        assert send("GET", f"/venues?{query}", now=NOW).status_code == 200

    def test_alone_may_ask_for_a_position(self) -> None:
        policies = {path: send("GET", path, now=NOW)["Permissions-Policy"] for path in ("/venues", "/", "/me")}
        assert "geolocation=(self)" in policies["/venues"]
        assert all("geolocation=()" in policies[path] for path in ("/", "/me"))


class TestTheCardPage:
    def test_of_a_closed_place_offers_no_cost_of_now_and_no_check_in_that_opens_nothing(self) -> None:
        never = make_venue(requirements=RequirementValues(hours=NEVER_OPEN))
        page = send("GET", f"/venues/{never.public_id}", now=NOW).content.decode()
        assert "no opening is planned" in page
        assert "check-in/" not in page
        assert "An hour here" not in page

    def test_of_a_place_that_opens_today_says_when_and_what_it_costs_then(self) -> None:
        hours = [[[20 * 60, 22 * 60]] for _ in range(7)]
        later = make_venue(time_zone="UTC", requirements=RequirementValues(hours=hours))
        page = send("GET", f"/venues/{later.public_id}", now=NOW).content.decode()
        assert "Closed until 8 p.m." in page
        assert "Check in for 8 p.m." in page
        assert "An hour here from 8 p.m. costs" in page
        assert "An hour here now" not in page

    def test_says_its_opening_hours(self) -> None:
        hours = [[[540, 720], [840, 1080]], [], *([[600, 1500]] for _ in range(5))]
        page = send(
            "GET", f"/venues/{make_venue(requirements=RequirementValues(hours=hours)).public_id}", now=NOW
        ).content.decode()
        assert "9 a.m. – noon<br>2 p.m. – 6 p.m." in page
        assert "10 a.m. – 1 a.m." in page

    def test_promises_only_what_helps(self) -> None:
        venue = make_venue(name="Choir", kind="worship")
        page = send("GET", f"/venues/{venue.public_id}?profile=cautious", now=NOW).content.decode()
        assert "Above your limit" in page
        assert "quieter hour" not in page
        assert "No upcoming hour is within your limit" in page

    def test_says_how_far_away_an_alternative_may_be(self) -> None:
        full = make_venue(name="Full")
        make_venue(name="Calm", zip_code="94112")
        crowd(full, 80, NOW - dt.timedelta(hours=1), 300)
        refresh_crowd(now=NOW)
        refresh_cards(now=NOW)
        page = send("GET", f"/venues/{full.public_id}", now=NOW).content.decode()
        assert "Cheaper places in ZIP area 941, open now" in page
        assert "94112" in page

    @pytest.mark.parametrize("page", ["/venues?q=corner", "/venues/{}"])
    def test_of_a_place_that_nobody_counted_does_not_call_it_empty(self, page: str) -> None:
        venue = make_venue()
        said = send("GET", page.format(venue.public_id), now=NOW).content.decode()
        assert "not known yet" in said
        assert "fewer than five" not in said
