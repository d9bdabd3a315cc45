"""People who stuff a place with what never happened: what a score keeps out, what other limits bound, what remains."""

import datetime as dt
import secrets
from collections.abc import Sequence

import pytest

from exports.policy.domain import TOTAL, workloads
from exports.release.counts import exact_counts
from passes.abuse_figures import odd_days
from passes.limits import COUNTED_PASSES, PASSES_PER_EPOCH
from passes.models import Pass, Scan, Visit
from passes.services.scoring import score_scans
from risk.crowd.refresh import refresh_crowd
from risk.crowd.reports import MOST_REPORTS, report_test
from risk.models import CrowdDay, ReportedDay
from risk.shield.answer import shield_of
from tests.exports.rows import rate as rate_row
from tests.factories import NOW, EnrolledDevice, make_device, make_venue
from tests.passes.people import Phone, result, scan
from tests.risk.crowds import crowd, queue, stay
from venues.models import Venue
from venues.requirements import RequirementValues

pytestmark = pytest.mark.django_db
MINUTE = dt.timedelta(minutes=1)
SECOND = dt.timedelta(seconds=1)


@pytest.fixture
def place() -> Venue:
    return make_venue()


@pytest.fixture
def door(place: Venue) -> EnrolledDevice:
    return make_device(venue=place)


def let_in(door: EnrolledDevice, arrivals: Sequence[dt.datetime], *, seconds: int = 20) -> list[Pass]:
    """Create passes with their green scans and visits, as the door's own device would send them."""
    place = door.device.door.venue
    answers = dict.fromkeys(("symptoms", "diagnosed", "contact", "near"), False)
    passes = Pass.objects.bulk_create(
        Pass(
            tag=secrets.token_bytes(16), owner_hash=secrets.token_bytes(32), venue=place, epoch=NOW.date(),
            survey_seconds=seconds, go=True, counted=True, **answers,
        )
        for _ in arrivals
    )  # fmt: skip
    Scan.objects.bulk_create(
        Scan(
            scan_id=secrets.token_hex(8), venue=place, device=door.device, tag=row.tag, epoch=NOW.date(),
            type="Checkin", slot=1, scanned_at=at, approved=True, cause="",
        )
        for row, at in zip(passes, arrivals, strict=True)
    )  # fmt: skip
    Visit.objects.bulk_create(
        Visit(tag=row.tag, venue=place, epoch=NOW.date(), arrived_at=at, times_out_at=at + 60 * MINUTE)
        for row, at in zip(passes, arrivals, strict=True)
    )
    queue(place, min(arrivals))
    return passes


def released() -> int:
    levels = dict.fromkeys(("", "941"), [1] * 16)
    made = exact_counts(day=NOW.date(), tables=workloads(zip3=("941",), readings=False), levels=levels)
    return int(made[TOTAL].sum())


def spent(guest: bytes) -> float:
    """Return what the visit of a guest cost, after the next scores and the next crowd."""
    later = NOW + 60 * MINUTE
    score_scans(now=later)
    refresh_crowd(now=later)
    return shield_of(owners=[guest], budget=1e-6, now=later).spent


class TestAScriptWithPuppets:
    def test_puppets_that_answer_in_a_second_are_in_no_crowd_and_no_release(
        self, place: Venue, door: EnrolledDevice
    ) -> None:
        guest = stay(place, NOW, 50).owner
        crowd(place, 12, NOW)
        alone = spent(guest)
        let_in(door, [NOW + number * 10 * SECOND for number in range(100)], seconds=1)
        assert spent(guest) == alone
        assert Visit.objects.filter(kept_out=True).count() == 100
        assert released() == 0

    def test_puppets_that_take_their_time_are_bounded_by_tickets(self, place: Venue, door: EnrolledDevice) -> None:
        phone = Phone()
        for number in range(5):
            at = NOW + number * MINUTE
            assert result(scan(door, phone.check_in(place, now=at).on_screen(at), now=at)) == "Approved"
        score_scans(now=NOW + 60 * MINUTE)
        assert not Visit.objects.filter(kept_out=True).exists(), "they look real"
        assert 0 < Pass.objects.filter(counted=True).count() <= COUNTED_PASSES

    def test_a_device_at_an_impossible_rate_fills_no_crowd(self, place: Venue, door: EnrolledDevice) -> None:
        guest = stay(place, NOW, 50).owner
        crowd(place, 12, NOW)
        alone = spent(guest)
        other = make_device(venue=place)
        let_in(other, [NOW - 30 * MINUTE + number * 15 * SECOND for number in range(20)])
        with_people = spent(guest)
        let_in(door, [NOW + number * 0.3 * SECOND for number in range(600)])
        assert spent(guest) == with_people > alone
        assert Visit.objects.filter(kept_out=True).count() == 600
        assert released() == 620, "a score takes no row out of the release: it depends on others"

    def test_a_score_never_changes_a_light(self) -> None:
        place = make_venue(requirements=RequirementValues(capacity=1, enforced_limit_percent=100))
        door = make_device(venue=place)
        puppet, guest = Phone(), Phone()
        assert result(scan(door, puppet.check_in(place, survey_seconds=1).on_screen(NOW), now=NOW)) == "Approved"
        score_scans(now=NOW)
        assert Visit.objects.get().kept_out
        held = guest.check_in(place)
        assert result(scan(door, held.on_screen(NOW), now=NOW)) == "Declined", "the room is full for a door"
        later = NOW + MINUTE
        Scan.objects.update(abuse_score=1.0)
        scan(door, "GO1:HELLO", now=later, type="Checkout")
        Visit.objects.update(left_at=NOW)
        assert result(scan(door, held.on_screen(later), now=later)) == "Approved"


class TestAThiefOfOneCode:
    def test_one_pass_at_two_doors_is_one_head_and_the_first_stays(self, place: Venue, door: EnrolledDevice) -> None:
        held, other = Phone().check_in(place), make_device(venue=place)
        before = NOW + 58 * SECOND
        after = NOW + 63 * SECOND  # the next code, five seconds later
        assert result(scan(door, held.on_screen(before), now=before)) == "Approved"
        scan(other, held.on_screen(after), now=after)
        assert result(scan(other, held.on_screen(before), now=after)) == "Declined", "a replay"
        score_scans(now=after)
        by_door = {device: set(_scores(device)) for device in (door, other)}
        assert by_door == {door: {0.0}, other: {1.0}}
        visit = Visit.objects.get()
        assert not visit.kept_out

    def test_guessed_codes_mark_the_device_and_keep_no_visitor_out(self, place: Venue, door: EnrolledDevice) -> None:
        guests = let_in(door, [NOW + number * MINUTE for number in range(5)])
        for number in range(40):
            scan(door, f"GO1:{number}", now=NOW + number * SECOND)
        score_scans(now=NOW + 60 * MINUTE)
        assert not Visit.objects.filter(kept_out=True).exists()
        assert released() == len(guests)
        (odd,) = odd_days(NOW)
        assert (odd.odd, odd.scans, odd.red, odd.venue) == (40, 45, 40, place.name)


def _scores(door: EnrolledDevice) -> list[float | None]:
    return list(Scan.objects.filter(device=door.device).values_list("abuse_score", flat=True))


class TestAHostWhoPushesOthersOut:
    """The host owns the door's device and comes with passes, so they choose whose minute looks like a script's."""

    def test_the_passes_of_one_secret_push_nobody_out_however_often_they_are_shown(
        self, place: Venue, door: EnrolledDevice
    ) -> None:
        let_in(door, [NOW - number * MINUTE for number in range(1, 4)])  # a quiet morning
        (guest,) = let_in(door, [NOW + 30 * SECOND])
        puppets = let_in(door, [NOW + number * SECOND for number in range(PASSES_PER_EPOCH)])
        Scan.objects.bulk_create(
            Scan(
                scan_id=secrets.token_hex(8), venue=place, device=door.device, tag=row.tag, epoch=NOW.date(),
                type=kind, slot=slot, scanned_at=NOW + (20 + 10 * slot) * SECOND, approved=True, cause="",
            )
            for row in puppets
            for slot in (2, 3)
            for kind in ("Checkin", "Checkout")
        )  # fmt: skip
        score_scans(now=NOW + 60 * MINUTE)
        assert not Visit.objects.get(tag=guest.tag).kept_out

    def test_people_who_leave_all_at_once_keep_nobody_out_who_comes(self, place: Venue, door: EnrolledDevice) -> None:
        audience = let_in(door, [NOW - 60 * MINUTE + number * 20 * SECOND for number in range(100)])
        (guest,) = let_in(door, [NOW + 30 * SECOND])
        Scan.objects.bulk_create(
            Scan(
                scan_id=secrets.token_hex(8), venue=place, device=door.device, tag=row.tag, epoch=NOW.date(),
                type="Checkout", slot=2, scanned_at=NOW + number * 0.5 * SECOND, approved=True, cause="",
            )
            for number, row in enumerate(audience)
        )  # fmt: skip
        score_scans(now=NOW + 60 * MINUTE)
        assert not Visit.objects.get(tag=guest.tag).kept_out

    def test_nobody_can_be_singled_out_as_the_one_who_reports(self, place: Venue, door: EnrolledDevice) -> None:
        """With everybody else out of the crowd, a report that still had an effect would be of the one who is left."""
        alone = NOW + 10 * MINUTE
        let_in(door, [alone])
        (pushed,) = let_in(door, [NOW + 30 * SECOND])
        let_in(door, [NOW + number * 0.4 * SECOND for number in range(140)])
        score_scans(now=NOW + 60 * MINUTE)
        assert Visit.objects.get(tag=pushed.tag).kept_out
        report_test(owner_hashes=[bytes(pushed.owner_hash)], tested_on=NOW.date(), positive=True, now=NOW)
        assert ReportedDay.objects.get(venue=place).new_reports == 1


class TestACompetitor:
    def test_false_reports_of_many_puppets_count_three_times_and_of_a_script_never(
        self, place: Venue, door: EnrolledDevice
    ) -> None:
        puppets = let_in(door, [NOW + number * MINUTE for number in range(20)])
        report_test(
            owner_hashes=[bytes(one.owner_hash) for one in puppets], tested_on=NOW.date(), positive=True, now=NOW
        )
        row = ReportedDay.objects.get(venue=place)
        assert (row.new_reports, row.waiting) == (MOST_REPORTS, 20 - MOST_REPORTS)
        rival = make_device()
        script = let_in(rival, [NOW + number * MINUTE for number in range(20)], seconds=0)
        score_scans(now=NOW + 60 * MINUTE)
        report_test(
            owner_hashes=[bytes(one.owner_hash) for one in script], tested_on=NOW.date(), positive=True, now=NOW
        )
        assert ReportedDay.objects.count() == 1

    def test_ratings_of_puppets_that_are_kept_out_rate_nothing(self, place: Venue, door: EnrolledDevice) -> None:
        crowd(place, 12, NOW)
        later = NOW + 60 * MINUTE
        refresh_crowd(now=later)
        before = _states(place)
        for row in let_in(door, [NOW + number * 5 * SECOND for number in range(50)], seconds=1):
            rate_row(row, 1, 1)
        score_scans(now=later)
        refresh_crowd(now=later)
        assert _states(place) == before


def _states(place: Venue) -> list[bytes]:
    return [bytes(data) for data in CrowdDay.objects.filter(venue=place).order_by("day").values_list("data", flat=True)]
