"""Shields through the real URL: contract, rounding, refusals, and what they must not reveal."""

import datetime as dt
from typing import Any

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext

from passes.codec.identity import encode_base64url
from passes.models import Change, Pass, Visit
from risk.api.serializers import ReasonOutput, ShieldOutput, VisitOutput
from risk.crowd import venue_days
from risk.crowd.refresh import refresh_crowd
from risk.models import CrowdDay
from risk.shield.answer import shield_of
from tests.factories import NOW, make_venue
from tests.passes.people import send
from tests.risk.crowds import HOUR, MINUTE, Stay, crowd, rate, stay
from venues.models import Venue

pytestmark = pytest.mark.django_db
BAD: dict[str, Any] = {"symptoms": True, "diagnosed": True, "contact": True, "near": True}


def ask(*stays: Stay, now: dt.datetime = NOW, **body: Any) -> Any:
    owners = [encode_base64url(one.owner) for one in stays]
    return send("POST", "/api/v1/shield", {"owners": owners} | body, now=now)


def answer(*stays: Stay, now: dt.datetime = NOW, **body: Any) -> dict[str, Any]:
    response = ask(*stays, now=now, **body)
    assert response.status_code == 200, response.content
    return {name: value for name, value in response.json().items() if name != "pad"}


def test_nobody_has_a_full_shield() -> None:
    found = answer()
    assert found.pop("parameters")
    assert found == {
        "shield": 100,
        "low": 100,
        "high": 100,
        "infection_probability": 0.0,
        "spent": 0.0,
        "incubating": 0.0,
        "risklevel": "Low",
        "visits": [],
        "like": None,
        "dearest": None,
        "prevalence": 0.00954,
        "ordinary_probability": 0.0121,
        "suggested_profile": "relaxed",
    }


def test_an_answer_has_exactly_the_fields_of_the_schema() -> None:
    venue = make_venue()
    crowd(venue, 6)
    me = stay(venue)
    refresh_crowd(now=NOW)
    found = answer(me)
    assert [*found, "pad"] == list(ShieldOutput().fields)
    assert list(found["visits"][0]) == list(VisitOutput().fields)
    assert list(found["visits"][0]["why"][0]) == list(ReasonOutput().fields)


def test_a_visit_says_its_plain_chance_and_a_time_in_a_place_that_a_person_knows() -> None:
    quiet, full = make_venue(kind="supermarket"), make_venue(kind="bar", volume_m3=80.0)
    crowd(quiet, 8, NOW - 30 * HOUR, 60)
    crowd(full, 40, NOW - 3 * HOUR, 120)
    mine = [stay(quiet, NOW - 30 * HOUR, 40), stay(full, NOW - 3 * HOUR, 120)]
    refresh_crowd(now=NOW)
    found = answer(*mine)
    dearest = found["visits"][found["dearest"]]
    assert dearest["venue"] == full.public_id
    other = found["visits"][1 - found["dearest"]]
    assert dearest["infection_probability"] > other["infection_probability"] > 0
    both = dearest["infection_probability"] + other["infection_probability"]
    assert found["infection_probability"] == pytest.approx(both, rel=0.02)
    assert dearest["like"]["minutes"] > 0
    # The smaller chance corresponds to less time, or to time in a place where an hour costs less.
    assert (other["like"]["kind"], other["like"]["minutes"]) != (dearest["like"]["kind"], dearest["like"]["minutes"])
    assert found["like"] is not None


@pytest.mark.parametrize(("known", "profile"), [(0.00002, "cautious"), (0.0002, "standard"), (0.001, "relaxed")])
def test_a_profile_is_suggested_by_prevalence(settings: Any, known: float, profile: str) -> None:
    settings.KNOWN_ACTIVE_PER_PERSON = known
    found = answer()
    assert found["suggested_profile"] == profile
    assert found["prevalence"] == pytest.approx(11.9 * known, rel=0.1)


def test_own_mask_and_susceptibility_reach_the_shield_and_only_help() -> None:
    venue = make_venue()
    crowd(venue, 30)
    me = stay(venue)
    refresh_crowd(now=NOW)
    none: dict[str, Any] = {}
    plain, masked, bare = (answer(me, **more)["spent"] for more in (none, {"own_mask": 1}, {"own_mask": 0}))
    assert masked < plain < bare
    assert answer(me, susceptibility=0.5)["spent"] == pytest.approx(plain / 2, rel=0.01)
    assert answer(me, susceptibility=0)["shield"] == 100


def test_fewer_check_ins_for_the_same_people_mean_a_lower_shield(settings: Any) -> None:
    venue = make_venue()
    crowd(venue, 30)
    me = stay(venue)
    refresh_crowd(now=NOW)
    spent = []
    for share in ([1.0], [], [0.3], [0.2, 0.3, 0.5]):
        settings.ADOPTION = share
        spent.append(answer(me, budget=1e-3)["spent"])
    assert spent[0] < spent[1] < spent[2]
    # The mean of people for each check-in, above its middle.
    assert 3.3 < spent[2] / spent[0] < 4.5
    assert 3.3 < spent[3] / spent[0] < 4.5


def test_unknown_owners_are_skipped() -> None:
    response = send("POST", "/api/v1/shield", {"owners": [encode_base64url(bytes(32))]}, now=NOW)
    assert response.json()["shield"] == 100


def test_a_visit_is_listed_at_once_and_counted_with_the_next_refresh() -> None:
    venue = make_venue()
    crowd(venue, 30)
    me = stay(venue, NOW - 3 * HOUR, 90)
    (pending,) = answer(me)["visits"]
    assert (pending["dose"], pending["shield_cost"], [why["code"] for why in pending["why"]]) == (0, 0, ["pending"])
    refresh_crowd(now=NOW)
    (counted,) = answer(me)["visits"]
    assert counted["dose"] > 0
    assert counted["shield_cost"] > 0
    assert counted["venue"] == venue.public_id
    assert (counted["arrived"], counted["left"]) == ("2026-05-13T07:00:00Z", "2026-05-13T08:30:00Z")
    assert {"crowd", "duration", "masks_unknown", "distancing_unknown", "air_prior"} <= {
        why["code"] for why in counted["why"]
    }


def test_alone_costs_nothing_however_long_and_however_often_one_came_back() -> None:
    venue = make_venue()
    me = stay(venue, NOW - 8 * HOUR, 120)
    stay(venue, NOW - 5 * HOUR, 60, pass_row=me.pass_row)
    stay(venue, NOW - 2 * HOUR, 90, pass_row=me.pass_row)
    refresh_crowd(now=NOW)
    found = answer(me)
    assert found["shield"] == 100
    assert [(visit["dose"], visit["shield_cost"]) for visit in found["visits"]] == [(0, 0)] * 3


def test_a_visit_that_lasts_has_no_end_and_counts_up_to_now() -> None:
    venue = make_venue()
    crowd(venue, 30, NOW - 2 * HOUR, 300)
    me = stay(venue, NOW - HOUR, 180, open_end=True)
    refresh_crowd(now=NOW)
    early = answer(me)
    assert early["visits"][0]["left"] is None
    refresh_crowd(now=NOW + HOUR)
    late = answer(me, now=NOW + HOUR)
    assert late["visits"][0]["dose"] > early["visits"][0]["dose"] > 0


def test_a_better_rating_never_lowers_a_shield() -> None:
    venue = make_venue()
    others = [stay(venue, NOW - 3 * HOUR, 60) for _ in range(20)]
    me = stay(venue, NOW - 3 * HOUR, 60)
    spent = []
    for masks in (1, 3, 5):
        for other in others[:6]:
            rate(other, masks, masks)
        refresh_crowd(now=NOW)
        spent.append(answer(me)["spent"])
    assert spent[0] > spent[1] > spent[2]


def test_a_neighbour_s_rating_shows_in_no_shield_until_five_have_rated() -> None:
    venue = make_venue()
    others = [stay(venue, NOW - 3 * HOUR, 60) for _ in range(20)]
    me = stay(venue, NOW - 3 * HOUR, 60)
    refresh_crowd(now=NOW)
    before = answer(me)["visits"][0]["dose"]
    doses = []
    for other in others[:5]:
        rate(other, 5, 5)
        refresh_crowd(now=NOW)
        doses.append(answer(me)["visits"][0]["dose"])
    assert doses[:4] == [before] * 4
    assert doses[4] < before


def test_an_erased_neighbour_leaves_shields() -> None:
    venue = make_venue()
    crowd(venue, 10)
    me, other = stay(venue), stay(venue)
    refresh_crowd(now=NOW)
    with_other = answer(me)["spent"]
    Visit.objects.filter(pk=other.visit.pk).delete()
    Pass.objects.filter(pk=other.pass_row.pk).delete()
    Change.objects.create(venue=venue, since=NOW - 3 * HOUR)
    refresh_crowd(now=NOW)
    assert answer(me)["spent"] < with_other


@pytest.mark.parametrize("size", [1, 4, 6, 30])
@pytest.mark.parametrize("comes_back", [False, True])
def test_passes_around_one_person_learn_nothing_of_answers_on_the_same_day(size: int, comes_back: bool) -> None:
    """They control all but one of a crowd and compare their shields with and without that person's bad answers."""

    def seen_with(**answers: Any) -> list[dict[str, Any]]:
        venue = make_venue(volume_m3=50.0, air_changes_per_h=3.0)
        mine = [stay(venue, NOW - 9 * HOUR, 500) for _ in range(size)]
        target = stay(venue, NOW - 9 * HOUR, 60, **answers)
        if comes_back:
            stay(venue, NOW - 7 * HOUR, 60, pass_row=target.pass_row)
            stay(venue, NOW - 3 * HOUR, 60, pass_row=target.pass_row)
        refresh_crowd(now=NOW)
        found = [answer(one, budget=1e-6) for one in mine]
        for each in found:
            for visit in each["visits"]:
                visit.pop("venue")
        return found

    assert seen_with() == seen_with(**BAD)


def test_stepping_out_for_less_than_a_quarter_of_an_hour_costs_what_staying_costs() -> None:
    """So no visitor sees a whole that costs more than its parts by cutting a stay: the parts are read as the whole."""

    def spent_in(*pieces: tuple[int, int]) -> float:
        venue = make_venue(volume_m3=100.0)
        crowd(venue, 12, NOW - 4 * HOUR, 150)
        crowd(venue, 6, NOW - 3 * HOUR, 30, **BAD)
        me = stay(venue, NOW - 4 * HOUR, pieces[0][1])
        for begins, length in pieces[1:]:
            stay(venue, NOW - 4 * HOUR + begins * MINUTE, length, pass_row=me.pass_row)
        refresh_crowd(now=NOW)
        return float(answer(me, budget=1e-3)["spent"])

    assert spent_in((0, 120)) == spent_in((0, 50), (50, 70)) == spent_in((0, 30), (44, 20), (70, 50))


def test_a_door_that_never_checks_out_and_a_jump_of_its_clock_make_no_stay_longer_than_a_pass_lives() -> None:
    venue = make_venue()
    crowd(venue, 10, NOW - 40 * HOUR, 60)
    never = stay(venue, NOW - 40 * HOUR, 20 * 24 * 60, open_end=True)
    jumped = stay(venue, NOW - 40 * HOUR, 300 * 24 * 60)
    refresh_crowd(now=NOW)
    for one in (never, jumped):
        (visit,) = answer(one)["visits"]
        (lasted,) = (why["text"] for why in visit["why"] if why["code"] == "duration")
        assert lasted == "You were there for 1680 minutes."
        assert visit["left"] == "2026-05-12T22:00:00Z"
    (*_days, last) = CrowdDay.objects.filter(venue=venue).order_by("day")
    assert venue_days.unpack(last.data).last_edge * 900 == (NOW - 12 * HOUR).timestamp()


def test_arrivals_between_refreshes_change_no_shield() -> None:
    venue = make_venue()
    crowd(venue, 6)
    me = stay(venue)
    refresh_crowd(now=NOW)
    before = answer(me)
    crowd(venue, 10, NOW - 3 * HOUR, 60, **BAD)
    assert answer(me) == before


def test_a_budget_of_ones_own_and_profiles_scale_what_is_spent() -> None:
    venue = make_venue()
    crowd(venue, 20)
    me = stay(venue)
    refresh_crowd(now=NOW)
    assert answer(me, profile="cautious")["spent"] == pytest.approx(10 * answer(me)["spent"], rel=1e-2)
    assert answer(me, budget=0.03) == answer(me, profile="relaxed")


@pytest.mark.parametrize(
    ("body", "pointer"),
    [
        ({}, "/owners"),
        ({"owners": ["short"]}, "/owners/0"),
        ({"owners": [encode_base64url(bytes(31))]}, "/owners/0"),
        ({"owners": [encode_base64url(bytes(32))] * 1001}, "/owners"),
        ({"owners": [], "budget": 0}, "/budget"),
        ({"owners": [], "budget": 1.5}, "/budget"),
        ({"owners": [], "budget": True}, "/budget"),
        ({"owners": [], "profile": "brave"}, "/profile"),
        ({"owners": [], "profile": "standard", "budget": 0.1}, "/budget"),
        ({"owners": [], "days": 3}, "/days"),
        ({"owners": [], "own_mask": 1.1}, "/own_mask"),
        ({"owners": [], "own_mask": True}, "/own_mask"),
        ({"owners": [], "susceptibility": -0.1}, "/susceptibility"),
        ({"owners": [], "susceptibility": 2}, "/susceptibility"),
    ],
)
def test_bad_input_is_refused_with_the_field_named(body: dict[str, Any], pointer: str) -> None:
    response = send("POST", "/api/v1/shield", body, now=NOW)
    assert response.status_code == 400
    assert pointer in [error["pointer"] for error in response.json()["errors"]]


def test_statements_do_not_grow_with_visits() -> None:
    places: list[Venue] = [make_venue() for _ in range(4)]
    mine: list[Stay] = []
    for day in range(12):
        for place in places:
            mine.append(stay(place, NOW - dt.timedelta(days=day, hours=5)))
            stay(place, NOW - dt.timedelta(days=day, hours=5))
    refresh_crowd(now=NOW)
    counts = []
    for some in (mine[:1], mine):
        with CaptureQueriesContext(connection) as captured:
            shield_of(owners=[one.owner for one in some], budget=0.01, now=NOW)
        counts.append(len(captured))
    assert counts == [5, 5]


def test_a_lost_day_of_crowd_state_lists_the_visit_without_a_dose() -> None:
    venue = make_venue()
    crowd(venue, 6, NOW - 3 * HOUR + MINUTE)
    me = stay(venue)
    refresh_crowd(now=NOW)
    CrowdDay.objects.all().delete()
    assert answer(me)["visits"][0]["dose"] == 0
