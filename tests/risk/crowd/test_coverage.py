"""The share of people who check in: a host's figure, head counts and CO2, from the API to shields and cards."""

import datetime as dt
from typing import Any

import numpy as np
import pytest

from common.time import z
from passes.codec.identity import encode_base64url, hash_owner
from passes.services.erasure import erase_owners
from risk.crowd.parameters import parameters_in_force
from risk.crowd.refresh import refresh_crowd
from risk.model.answers import STEP
from risk.models import CountedDay, SeenDay, VenueAdoption
from risk.scouting.curves import refresh_cards
from risk.shield.answer import fortnight_of
from tests.factories import NOW, make_device, make_organisation, make_venue
from tests.passes.people import send
from tests.risk.crowds import HOUR, MINUTE, Stay, crowd, stay
from venues.models import Venue
from venues.services.presence_counts import add_presence_count, remove_presence_count
from venues.services.venues import update_venue

pytestmark = pytest.mark.django_db
DAY = dt.timedelta(days=1)
BUDGET = 1e-2


def say(venue: Venue, share: float | None) -> None:
    update_venue(venue=venue, changes={"check_in_share": share}, actor="owner", now=NOW)


def count(venue: Venue, people: int, at: dt.datetime) -> Any:
    return add_presence_count(venue=venue, people=people, counted_at=at, actor="owner", now=max(NOW, at))


def refresh(now: dt.datetime = NOW) -> None:
    refresh_crowd(now=now)
    refresh_cards(now=now)


def spent(me: Stay, now: dt.datetime = NOW) -> float:
    refresh(now)
    body = {"owners": [encode_base64url(me.owner)], "budget": BUDGET}
    return float(send("POST", "/api/v1/shield", body, now=now).json()["spent"])


def card(venue: Venue, now: dt.datetime = NOW) -> dict[str, Any]:
    refresh(now)
    return dict(send("GET", f"/api/v1/venues/{venue.public_id}", now=now).json())


def full(verified: bool = True, **facts: Any) -> tuple[Venue, Stay]:
    """Return a venue with a crowd of yesterday and today, and a visitor of today."""
    venue = make_venue(organisation=make_organisation(verified=verified), **facts)
    crowd(venue, 30, NOW - DAY - 3 * HOUR)
    crowd(venue, 30)
    return venue, stay(venue)


def test_a_host_who_says_that_few_check_in_raises_the_doses_of_the_venue_alone() -> None:
    venue, me = full()
    other, you = full()
    before = spent(me), spent(you)
    say(venue, 0.2)
    after = spent(me), spent(you)
    assert after[0] > 1.5 * before[0]
    assert after[1] == before[1]
    assert card(venue)["coverage"]["source"] == "said"
    assert card(other)["coverage"] == {"people": 1.3, "low": 1.1, "high": 2.2, "source": "assumed"}
    say(venue, None)
    assert spent(me) == before[0]
    assert not VenueAdoption.objects.exists()


def test_costs_on_a_card_follow_its_coverage() -> None:
    venue = make_venue()
    crowd(venue, 30, NOW - HOUR, 120)
    before = card(venue)
    say(venue, 0.2)
    after = card(venue)
    assert after["shield_cost"]["60"]["no_mask"] > before["shield_cost"]["60"]["no_mask"]
    assert after["coverage"]["people"] > before["coverage"]["people"]


def test_a_usual_crowd_is_counted_in_people_so_the_word_of_a_host_hardly_moves_its_cost() -> None:
    venue = make_venue()
    before = card(venue)["shield_cost"]["60"]["no_mask"]
    say(venue, 0.3)
    assert card(venue)["shield_cost"]["60"]["no_mask"] == pytest.approx(before, rel=0.35)


def test_a_count_of_a_day_is_used_once_the_day_is_over_and_for_a_fortnight() -> None:
    venue, me = full()
    at = NOW - 3 * HOUR + 35 * MINUTE
    before = spent(me)
    count(venue, 120, at)
    assert spent(me) == before
    tomorrow = NOW + DAY
    assert spent(me, tomorrow) > 1.5 * before
    assert card(venue, tomorrow)["coverage"]["source"] == "counted"
    assert card(venue, NOW + 16 * DAY)["coverage"]["source"] == "assumed"


def test_of_one_day_the_count_of_most_people_is_used_whatever_was_checked_in() -> None:
    venue, _me = full()
    yesterday = NOW - DAY
    for people, hour in ((40, 2), (90, 3), (60, 1)):
        count(venue, people, yesterday - hour * HOUR + 35 * MINUTE)
    refresh()
    assert list(CountedDay.objects.values_list("people", flat=True)) == [90]


def test_check_ins_are_kept_rounded_with_a_secret_offset_and_never_counted_again() -> None:
    venue, _me = full()
    count(venue, 120, NOW - DAY - 3 * HOUR + 35 * MINUTE)
    refresh()
    (before,) = CountedDay.objects.all()
    assert before.shown % STEP == 0
    assert abs(before.shown - 30) < STEP
    someone = stay(venue, NOW - DAY - 3 * HOUR)
    erase_owners([hash_owner(someone.owner)], NOW)
    crowd(venue, 40, NOW - DAY - 3 * HOUR)
    refresh(NOW + DAY)
    assert CountedDay.objects.get().shown == before.shown


def test_offsets_of_venues_differ_so_that_one_person_shows_one_time_in_eight() -> None:
    venues = [make_venue() for _ in range(12)]
    for venue in venues:
        crowd(venue, 30, NOW - DAY - 3 * HOUR)
        count(venue, 60, NOW - DAY - 3 * HOUR + 35 * MINUTE)
    refresh()
    assert len(set(CountedDay.objects.values_list("shown", flat=True))) == 2


def test_a_count_that_is_removed_informs_nothing_and_its_day_is_not_counted_a_second_time() -> None:
    venue, me = full()
    before, at = spent(me), NOW - DAY - 3 * HOUR + 35 * MINUTE
    row = count(venue, 400, at)
    assert spent(me) > before
    remove_presence_count(count=row, actor="owner", now=NOW)
    assert spent(me) == before
    count(venue, 40, at + 10 * MINUTE)
    assert spent(me) == before


def test_an_unverified_host_may_raise_doses_but_not_lower_them_and_teaches_nothing() -> None:
    venue, me = full(verified=False)
    before = spent(me)
    say(venue, 1.0)
    count(venue, 5, NOW - DAY - 3 * HOUR + 35 * MINUTE)
    assert spent(me) == before
    say(venue, 0.1)
    assert spent(me) > before
    parameters, until = parameters_in_force(), NOW + HOUR
    assert fortnight_of(owner_hashes={hash_owner(me.owner)}, until=until, parameters=parameters, now=until).visits == 0


def test_a_verified_host_cannot_lower_doses_by_more_than_a_sixth() -> None:
    venue, me = full()
    before = spent(me)
    say(venue, 1.0)
    for back in range(1, 7):
        count(venue, 5, NOW - back * DAY - 3 * HOUR + 35 * MINUTE)
    assert 5 / 6 * before < spent(me) < before


def test_co2_in_known_air_shows_people_who_did_not_check_in() -> None:
    venue, me = full(volume_m3=300.0, air_changes_per_h=3.0)
    before = spent(me)
    device, start = make_device(venue=venue), NOW - DAY - 3 * HOUR
    # The course for 120 people, of whom 30 checked in, each exhaling 0.018 m3 of CO2 an hour.
    for step in range(12):
        at = start + 30 * MINUTE + 5 * step * MINUTE
        ppm = 425 + 1e6 * 120 * 0.018 / (300 * 3) * (1 - np.exp(-3 * (30 + 5 * step) / 60))
        reading = {"co2_ppm": float(ppm), "measured_at": z(at)}
        assert send("POST", "/api/v1/air", reading, now=NOW, headers=device.header).status_code == 204
    assert spent(me) > 1.3 * before
    assert card(venue)["coverage"]["source"] == "measured"
    assert SeenDay.objects.get().per_check_in == pytest.approx(4.0, rel=0.4)
    # Other declared air is no measurement of this one.
    update_venue(venue=venue, changes={"air_changes_per_h": 1.0}, actor="owner", now=NOW)
    assert card(venue)["coverage"]["source"] == "assumed"


def test_a_refresh_with_nothing_new_writes_nothing() -> None:
    venue, _me = full()
    say(venue, 0.4)
    count(venue, 60, NOW - DAY - 3 * HOUR + 35 * MINUTE)
    refresh()
    before = list(VenueAdoption.objects.values()), list(CountedDay.objects.values())
    refresh()
    assert (list(VenueAdoption.objects.values()), list(CountedDay.objects.values())) == before


def test_a_host_s_word_does_not_count_where_everybody_is_known_to_check_in(settings: Any) -> None:
    settings.ADOPTION = [1.0]
    venue, _me = full()
    say(venue, 0.2)
    assert card(venue)["coverage"] == {"people": 1.0, "low": 1.0, "high": 1.0, "source": "assumed"}


def test_a_visit_says_how_many_check_in_where_the_venue_has_its_own_estimate() -> None:
    venue, me = full()
    say(venue, 0.2)
    refresh()
    body = {"owners": [encode_base64url(me.owner)]}
    why = send("POST", "/api/v1/shield", body, now=NOW).json()["visits"][0]["why"]
    (sentence,) = [one["text"] for one in why if one["code"] == "coverage"]
    assert sentence.endswith("the others count as well.")
