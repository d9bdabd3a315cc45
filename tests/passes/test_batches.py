"""A batch of scans decided as a set ends as if each had been decided separately."""

import datetime as dt
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import pytest
from django.db import connection, transaction
from django.test.utils import CaptureQueriesContext
from hypothesis import HealthCheck, given
from hypothesis import settings as hypothesis_settings
from hypothesis import strategies as st

from passes import keys
from passes.admission import Result, ScanType
from passes.models import Change, Scan, Visit
from passes.services.batches import record_batch
from passes.services.erasure import erase_owners
from passes.services.holders import revoke_passes
from passes.services.scans import ScanRequest, record_one_by_one
from tests.factories import NOW, make_device, make_venue
from tests.passes.people import HeldPass, Phone
from venues.models import Venue
from venues.requirements import RequirementValues
from venues.selectors import DeviceContext, device_context

pytestmark = pytest.mark.django_db
MINUTE = dt.timedelta(minutes=1)
PASSES = 6  # of these one is revoked, one erased and one for another venue
Way = Callable[..., dict[str, Result]]


@dataclass(frozen=True)
class Item:
    """What a kiosk reports about one scan."""

    number: int
    holder: int
    minute: int
    kind: ScanType
    kiosk: Result | None
    static: bool
    late: dt.timedelta = dt.timedelta()

    def request(self, held: list[HeldPass]) -> ScanRequest:
        """Return the scan; the last holder has no pass at all."""
        at = NOW + self.minute * MINUTE
        one = held[self.holder] if self.holder < len(held) else None
        shown = "garbage" if one is None else one.on_paper() if self.static else one.on_screen(at)
        return ScanRequest(
            scan_id=f"scan-of-a-batch-{self.number:02}",
            credential=shown,
            type=self.kind,
            scanned_at=at - self.late,
            kiosk_result=self.kiosk,
        )


ITEMS = st.builds(
    Item,
    number=st.integers(0, 12),  # some twice
    holder=st.integers(0, PASSES),
    minute=st.integers(-20, 3),  # the last is early
    kind=st.sampled_from(ScanType),
    kiosk=st.sampled_from([*Result, *Result, None]),
    static=st.booleans(),
    late=st.sampled_from([dt.timedelta(), dt.timedelta(), dt.timedelta(days=8)]),
)


def doors_of(venue: Venue) -> list[DeviceContext]:
    """Return two doors of the venue."""
    found = [device_context(make_device(venue=venue).token, NOW) for _ in range(2)]
    return [one for one in found if one is not None]


def passes_of(venue: Venue) -> list[HeldPass]:
    """Return passes of every kind."""
    held = [Phone().check_in(venue) for _ in range(PASSES - 1)] + [Phone().check_in(make_venue())]
    revoke_passes(owner_hashes=[held[0].secrets.owner_hash], now=NOW)
    erase_owners([held[1].secrets.owner_hash], NOW)
    return held


def outcome(way: Way, uploads: list[tuple[DeviceContext, list[ScanRequest], list[str]]]) -> list[Any]:
    """Return the results and rows of uploads, and roll them back."""
    with transaction.atomic():
        answers = [
            way(device=door, requests=sorted(scans, key=lambda one: one.scanned_at), malformed=spoilt, now=NOW)
            for door, scans, spoilt in uploads
        ]
        rows = (
            sorted(map(repr, Scan.objects.values_list(*SCAN_FIELDS))),
            sorted(map(repr, Visit.objects.values_list("tag", "epoch", "arrived_at", "left_at", "times_out_at"))),
            Change.objects.order_by("since").values_list("venue", "since").first(),
        )
        transaction.set_rollback(True)
    return [answers, *rows]


SCAN_FIELDS = ("scan_id", "device", "tag", "epoch", "type", "slot", "scanned_at", "approved", "cause", "kiosk_approved")


@pytest.mark.parametrize("capacity", [100, 2])
def test_a_batch_ends_as_if_each_scan_had_been_decided_by_itself(capacity: int) -> None:
    venue = make_venue(requirements=RequirementValues(capacity=capacity))
    doors, held = doors_of(venue), passes_of(venue)

    @hypothesis_settings(max_examples=10, deadline=None, suppress_health_check=[HealthCheck.too_slow])
    @given(st.lists(st.lists(ITEMS, max_size=10), min_size=1, max_size=3), st.lists(st.integers(8, 14), max_size=2))
    def both_ways_agree(batches: list[list[Item]], spoilt: list[int]) -> None:
        uploads = [
            (doors[at % 2], [item.request(held) for item in items], [f"scan-of-a-batch-{one:02}" for one in spoilt])
            for at, items in enumerate(batches)
        ]
        assert outcome(record_batch, uploads) == outcome(record_one_by_one, uploads)

    both_ways_agree()


def test_a_batch_takes_one_statement_for_its_facts_and_one_for_its_records() -> None:
    venue = make_venue()
    door, held = doors_of(venue)[0], [Phone().check_in(venue) for _ in range(5)]
    scans = [
        Item(at, at, -at, ScanType.CHECKIN, Result.APPROVED, static=False).request(held) for at in range(len(held))
    ]
    keys.keyring(NOW)  # reads the keys
    with CaptureQueriesContext(connection) as statements:
        answers = record_batch(device=door, requests=scans, malformed=["the-id-of-no-scan"], now=NOW)
    assert len(statements) == 2
    assert set(answers.values()) == {Result.APPROVED, Result.DECLINED}
    assert (Scan.objects.count(), Visit.objects.count()) == (6, 5)


def test_a_row_that_the_database_refuses_harms_no_other() -> None:
    venue = make_venue()
    door, held = doors_of(venue)[0], [Phone().check_in(venue) for _ in range(3)]
    scans = [Item(at, at, 0, ScanType.CHECKIN, Result.APPROVED, static=False).request(held) for at in range(3)]
    with connection.cursor() as cursor:
        cursor.execute("ALTER TABLE passes_scan ADD CONSTRAINT none_of_it CHECK (scan_id <> 'scan-of-a-batch-01')")
    answers = record_batch(device=door, requests=scans, malformed=[], now=NOW)
    assert [answers[scan.scan_id].value for scan in scans] == ["Approved", "Declined", "Approved"]
    assert (Scan.objects.count(), Visit.objects.count()) == (2, 2)
