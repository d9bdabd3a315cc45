"""The same action twice at once, on real connections: one succeeds, and nothing is counted twice."""

import datetime as dt
from collections import Counter
from dataclasses import replace
from functools import partial
from typing import Any

import pytest

from common.web.problems import Conflict
from passes import keys, ticket_keys
from passes.admission import Answers, Result, ScanType
from passes.clock import calendar
from passes.codec.epochs import Epoch
from passes.codec.identity import PassSecrets
from passes.models import (
    DrawnSet,
    IssuerKey,
    Mixed,
    Pass,
    Rating,
    Scan,
    SpentOwner,
    SpentTicket,
    TicketKey,
    Visit,
)
from passes.services.checkins import CheckinRequest, check_in
from passes.services.draws import DrawAnswer, TicketSet, draw_tickets
from passes.services.erasure import erase_owners
from passes.services.holders import rate_visit, revoke_passes
from passes.services.mixing import mix_rows
from passes.services.scans import ScanRequest, record_scan
from passes.services.visitors import register_visitor
from risk.crowd.reports import report_test
from risk.models import ReportedDay
from tests.factories import NOW, EnrolledDevice, make_device, make_venue
from tests.passes.conftest import Race
from tests.passes.people import HeldPass, Phone
from tests.passes.wallet import Wallet
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


def checking_in(
    phone: Phone, venue: Venue, holder: PassSecrets, *, symptoms: bool = False, number: int | None = None
) -> Any:
    request = CheckinRequest(
        venue=venue.public_id,
        epoch=NOW.date(),
        anchor=holder.anchor,
        owner_hash=holder.owner_hash,
        answers=Answers(symptoms=symptoms, diagnosed=False, contact=False, near=False),
        survey_seconds=20,
    )
    ticket = phone.ticket(holder.index if number is None else number, calendar().current(NOW.timestamp())).ticket
    return lambda: check_in(ticket=ticket, request=request, now=NOW)


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


def test_a_photo_shown_to_many_doors_at_once_causes_no_error_anywhere(
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


def test_the_same_check_in_at_once_makes_one_pass_and_spends_one_ticket(venue: Venue, race: Race) -> None:
    phone = Phone()
    holder = phone.next_pass(calendar().current(NOW.timestamp()))
    answers = race(*[checking_in(phone, venue, holder)] * AT_ONCE)
    assert len({answer.credential for answer in answers}) == 1
    assert sorted(answer.new for answer in answers) == [False] * (AT_ONCE - 1) + [True]
    assert (Pass.objects.count(), SpentTicket.objects.count()) == (1, 1)


@pytest.mark.parametrize("same_anchor", [True, False])
def test_one_ticket_on_two_bodies_at_once_makes_one_pass_and_one_conflict(
    venue: Venue, race: Race, same_anchor: bool
) -> None:
    phone, epoch = Phone(), calendar().current(NOW.timestamp())
    holder = phone.next_pass(epoch)
    other = holder if same_anchor else phone.next_pass(epoch)
    calls = (checking_in(phone, venue, holder, number=0), checking_in(phone, venue, other, symptoms=True, number=0))
    answers = race(*calls)
    assert sorted(type(answer).__name__ for answer in answers) == ["CheckinAnswer", "Conflict"]
    assert (Pass.objects.count(), SpentTicket.objects.count()) == (1, 1)


def test_two_tickets_on_one_anchor_at_once_spend_one(venue: Venue, race: Race) -> None:
    phone = Phone()
    holder = phone.next_pass(calendar().current(NOW.timestamp()))
    answers = race(*[checking_in(phone, venue, holder, number=number) for number in range(AT_ONCE)])
    kinds = Counter(type(answer).__name__ for answer in answers)
    assert kinds == {"CheckinAnswer": 1, "Conflict": AT_ONCE - 1}
    assert (Pass.objects.count(), SpentTicket.objects.count()) == (1, 1)


def test_the_same_draw_at_once_is_new_once_and_another_set_is_refused(race: Race) -> None:
    epoch = calendar().current(NOW.timestamp())
    phone = Phone()
    phone.register()
    phone.wallet.fetch_keys(now=NOW)
    own, foreign = (set_of(wallet, epoch) for wallet in (phone.wallet, replace(phone.wallet, secret=bytes(32))))

    def drawing(asked: TicketSet) -> Any:
        return lambda: draw_tickets(auth_key=phone.keys.auth, sets=[asked], now=NOW)

    answers = race(*[drawing(own), drawing(foreign)] * 3)
    kinds = Counter(type(answer).__name__ for answer in answers)
    assert kinds == {"DrawAnswer": 3, "Conflict": 3}
    signed = [answer for answer in answers if isinstance(answer, DrawAnswer)]
    assert sorted(answer.new for answer in signed) == [False, False, True]
    assert all(answer.sets == signed[0].sets for answer in signed)
    assert DrawnSet.objects.count() == 1


def set_of(wallet: Wallet, epoch: Epoch) -> TicketSet:
    """Return a set in the form of the service."""
    derived = wallet.derive(epoch)
    return TicketSet(epoch.date, {each: [one.blinded for one in tickets] for each, tickets in derived.items()})


def test_a_key_is_registered_once_and_an_issuer_key_made_once(race: Race) -> None:
    def register() -> bool:
        return register_visitor(key_hash=bytes(32), hash_of_erase_key=bytes(32), now=NOW)

    assert sorted(race(*[register] * AT_ONCE)) == [False] * (AT_ONCE - 1) + [True]

    def make() -> None:
        keys.make_keys(NOW)

    assert race(*[make] * AT_ONCE) == [None] * AT_ONCE
    assert IssuerKey.objects.count() == 4
    assert race(*[lambda: ticket_keys.make_ticket_keys(NOW)] * AT_ONCE) == [None] * AT_ONCE
    assert TicketKey.objects.count() == 2 * 17


def test_ratings_and_reports_at_once_count_once(venue: Venue, door: EnrolledDevice, race: Race) -> None:
    held = Phone().check_in(venue)
    scanning(door, held.on_screen(NOW), "scan-before-rating")()
    owner_hash = held.secrets.owner_hash

    def rate() -> None:
        rate_visit(owner_hash=owner_hash, masks=4, distancing=2, now=NOW)

    def report() -> None:
        report_test(owner_hashes=[owner_hash], tested_on=NOW.date(), positive=True, now=NOW)

    assert race(*[rate, report] * 3) == [None] * 6
    assert (Rating.objects.count(), SpentOwner.objects.count()) == (1, 1)
    assert set(ReportedDay.objects.values_list("new_reports", flat=True)) == {1}
    assert Rating.objects.values_list("masks", "distancing").get() == (4, 2)


def test_a_check_in_during_the_erasure_of_its_anchor_makes_no_second_pass(venue: Venue, race: Race) -> None:
    for _ in range(4):
        phone = Phone()
        held = phone.check_in(venue)
        erase = partial(erase_owners, [held.secrets.owner_hash], NOW)
        results = race(*[checking_in(phone, venue, held.secrets)] * AT_ONCE, erase)
        assert not [each for each in results[:-1] if isinstance(each, Exception) and not isinstance(each, Conflict)]
        assert not Pass.objects.exists()


def test_nothing_is_missed_that_comes_while_rows_are_mixed(venue: Venue, door: EnrolledDevice, race: Race) -> None:
    held = [Phone().check_in(venue) for _ in range(8)]
    erased, rated, revoked, scanned = (held[at : at + 2] for at in (0, 2, 4, 6))
    for one in rated:
        assert scanning(door, one.on_screen(NOW), f"the-scan-of-{one.owner[:20]}")() is Result.APPROVED

    def mix() -> None:
        for _ in range(6):
            Mixed.objects.update(horizon=0, own=[])
            mix_rows()

    results = race(
        mix,
        *[partial(erase_owners, [one.secrets.owner_hash], NOW) for one in erased],
        *[partial(rate_visit, owner_hash=one.secrets.owner_hash, masks=2, distancing=4, now=NOW) for one in rated],
        *[partial(revoke_passes, owner_hashes=[one.secrets.owner_hash], now=NOW) for one in revoked],
        *[scanning(door, one.on_screen(NOW), f"the-scan-of-{one.owner[:20]}") for one in scanned],
    )
    assert not [each for each in results if isinstance(each, Exception)]
    assert (Pass.objects.count(), Rating.objects.count(), Pass.objects.filter(revoked=True).count()) == (6, 2, 2)
    assert results[-2:] == [Result.APPROVED] * 2
    assert Visit.objects.count() == 4
