"""The same thing twice at once, on real connections: one wins, and nothing is counted twice."""

import datetime as dt
from collections import Counter
from typing import Any

import pytest

from passes import keys
from passes.admission import Answers, Result, ScanType
from passes.clock import calendar
from passes.codec.identity import PassSecrets
from passes.hashes import visitor_hash
from passes.models import Draw, IssuerKey, Pass, Rating, RatingTotal, Scan, SelfReport, Visit
from passes.services.checkins import CheckinRequest, check_in
from passes.services.erasure import erase_owners
from passes.services.holders import rate_visit, report_test
from passes.services.scans import ScanRequest, record_scan
from passes.services.visitors import register_visitor
from tests.factories import NOW, EnrolledDevice, make_device, make_venue
from tests.passes.conftest import Race
from tests.passes.people import HeldPass, Phone
from venues.models import Venue
from venues.requirements import RequirementValues
from venues.selectors import DeviceContext, device_context

pytestmark = pytest.mark.django_db(transaction=True)
AT_ONCE = 6


def context(door: EnrolledDevice) -> DeviceContext:
    found = device_context(door.token, NOW)
    assert found is not None
    return found


def scanning(door: EnrolledDevice, credential: str, scan_id: str, kind: ScanType = ScanType.CHECKIN) -> Any:
    device = context(door)
    request = ScanRequest(scan_id=scan_id, credential=credential, type=kind, scanned_at=NOW)
    return lambda: record_scan(device=device, request=request, now=NOW)


def checking_in(phone: Phone, venue: Venue, holder: PassSecrets, *, symptoms: bool = False) -> Any:
    request = CheckinRequest(
        venue=venue.public_id,
        epoch=NOW.date(),
        anchor=holder.anchor,
        owner_hash=holder.owner_hash,
        answers=Answers(symptoms=symptoms, diagnosed=False, contact=False, near=False),
        survey_seconds=20,
    )
    key_hash = visitor_hash(phone.keys.auth)
    return lambda: check_in(key_hash=key_hash, request=request, now=NOW)


@pytest.fixture
def venue() -> Venue:
    return make_venue()


@pytest.fixture
def door(venue: Venue) -> EnrolledDevice:
    return make_device(venue=venue)


def test_the_same_scan_id_at_once_has_one_answer_and_one_row(venue: Venue, door: EnrolledDevice, race: Race) -> None:
    held = Phone().check_in(venue)
    results = race(*[scanning(door, held.on_screen(NOW), "the-very-same-scan-id")] * AT_ONCE)
    assert results == [Result.APPROVED] * AT_ONCE
    assert (Scan.objects.count(), Visit.objects.count()) == (1, 1)


def test_one_code_at_many_doors_at_once_opens_one(venue: Venue, race: Race) -> None:
    held = Phone().check_in(venue)
    doors = [make_device(venue=venue) for _ in range(AT_ONCE)]
    calls = [scanning(door, held.on_screen(NOW), f"scan-at-door-{at:06}") for at, door in enumerate(doors)]
    assert Counter(race(*calls)) == {Result.APPROVED: 1, Result.DECLINED: AT_ONCE - 1}
    assert Visit.objects.count() == 1


def test_a_photo_shown_to_a_crowd_of_doors_at_once_is_a_fault_at_none(
    venue: Venue, door: EnrolledDevice, race: Race
) -> None:
    held = Phone().check_in(venue)
    many = 8 * AT_ONCE  # beyond what trying again would settle
    results = race(*[scanning(door, held.on_screen(NOW), f"scan-of-photo-{at:06}") for at in range(many)])
    assert Counter(results) == {Result.APPROVED: 1, Result.DECLINED: many - 1}
    assert (Scan.objects.count(), Visit.objects.count()) == (many, 1)


def test_two_codes_of_one_pass_at_once_make_one_visit(venue: Venue, door: EnrolledDevice, race: Race) -> None:
    held = Phone().check_in(venue)
    minute = dt.timedelta(minutes=1)
    codes = [held.on_screen(NOW + at * minute) for at in (-1, 0, 1)]
    results = race(*[scanning(door, code, f"scan-of-code-{at:06}") for at, code in enumerate(codes)])
    assert Result.APPROVED in results
    assert Visit.objects.count() == 1


def test_the_last_places_are_given_once(race: Race) -> None:
    place = make_venue(requirements=RequirementValues(capacity=3))
    doors = [make_device(venue=place) for _ in range(AT_ONCE)]
    passes: list[HeldPass] = [Phone().check_in(place) for _ in range(AT_ONCE)]
    calls = [
        scanning(door, held.on_screen(NOW), f"scan-for-place-{at:04}")
        for at, (door, held) in enumerate(zip(doors, passes, strict=True))
    ]
    assert Counter(race(*calls)) == {Result.APPROVED: 3, Result.DECLINED: AT_ONCE - 3}
    assert Visit.objects.count() == 3
    assert Scan.objects.filter(cause="full").count() == AT_ONCE - 3


def test_a_scan_and_an_erasure_at_once_leave_nothing(venue: Venue, door: EnrolledDevice, race: Race) -> None:
    for number in range(5):
        held = Phone().check_in(venue)
        owner_hash = held.secrets.owner_hash
        calls = [scanning(door, held.on_screen(NOW), f"scan-and-erase-{number:04}")]
        results = race(*calls, lambda owner=owner_hash: erase_owners([owner], NOW))
        assert not any(isinstance(one, Exception) for one in results), results
        assert not Pass.objects.exists()
        assert not Scan.objects.exists()
        assert not Visit.objects.exists()


def test_the_same_check_in_at_once_makes_one_pass_and_draws_once(venue: Venue, race: Race) -> None:
    phone = Phone()
    phone.register()
    holder = phone.next_pass(calendar().current(NOW.timestamp()))
    answers = race(*[checking_in(phone, venue, holder)] * AT_ONCE)
    assert len({answer.credential for answer in answers}) == 1
    assert sorted(answer.new for answer in answers) == [False] * (AT_ONCE - 1) + [True]
    assert Pass.objects.count() == 1
    assert Draw.objects.get().drawn == 1


def test_two_bodies_with_one_anchor_at_once_make_one_pass_and_one_conflict(venue: Venue, race: Race) -> None:
    phone = Phone()
    phone.register()
    holder = phone.next_pass(calendar().current(NOW.timestamp()))
    answers = race(checking_in(phone, venue, holder), checking_in(phone, venue, holder, symptoms=True))
    assert sorted(type(answer).__name__ for answer in answers) == ["CheckinAnswer", "Conflict"]
    assert Pass.objects.count() == 1
    assert Draw.objects.get().drawn == 1


def test_sixteen_passes_are_drawn_and_never_more(venue: Venue, race: Race) -> None:
    phone = Phone()
    phone.register()
    for _ in range(13):
        phone.check_in(venue)
    epoch = calendar().current(NOW.timestamp())
    others = Phone()
    calls = [checking_in(phone, venue, others.next_pass(epoch)) for _ in range(AT_ONCE)]
    answers = race(*calls)
    assert Counter(type(answer).__name__ for answer in answers) == {"CheckinAnswer": 3, "TooMany": AT_ONCE - 3}
    assert Draw.objects.get().drawn == 16


def test_a_key_is_registered_once_and_an_issuer_key_made_once(race: Race) -> None:
    def register() -> bool:
        return register_visitor(key_hash=bytes(32), hash_of_erase_key=bytes(32), now=NOW)

    assert sorted(race(*[register] * AT_ONCE)) == [False] * (AT_ONCE - 1) + [True]

    def make() -> None:
        keys.make_keys(NOW)

    assert race(*[make] * AT_ONCE) == [None] * AT_ONCE
    assert IssuerKey.objects.count() == 4


def test_ratings_and_reports_at_once_count_once(venue: Venue, door: EnrolledDevice, race: Race) -> None:
    held = Phone().check_in(venue)
    scanning(door, held.on_screen(NOW), "scan-before-rating")()
    owner_hash = held.secrets.owner_hash

    def rate() -> None:
        rate_visit(owner_hash=owner_hash, masks=4, distancing=2, now=NOW)

    def report() -> None:
        report_test(owner_hashes=[owner_hash], tested_on=NOW.date(), positive=True, now=NOW)

    assert race(*[rate, report] * 3) == [None] * 6
    assert (Rating.objects.count(), SelfReport.objects.count()) == (1, 1)
    assert RatingTotal.objects.values_list("count", "masks", "distancing").get() == (1, 4, 2)
