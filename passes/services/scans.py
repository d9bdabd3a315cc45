"""Scans at doors: one bit for the door, a row with its cause for the operator's totals, and the resulting visit.

The path is short on purpose. One SELECT finds the device and reads the facts, a pure function decides, one statement
records. Invalid credentials take the same path, so that a red light takes the same time whatever its cause.
"""

import datetime as dt
import time
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Final

from django.db import DataError, IntegrityError, transaction

from common.crypto import token_hash
from passes.admission import EARLIEST_SECONDS, Result, Scan, ScanType, decide_scan, settle_visit
from passes.clock import calendar, moment
from passes.codec import Cause
from passes.services import scan_sql
from passes.services.scan_reading import ReadScan, ScanRequest, Shown, check, door_of, look, people_limit, record_of
from passes.services.scan_sql import DoorQuery, KnownScan, ScanQuery
from venues.selectors import DeviceContext

NEAR_LIMIT: Final = 32
"""Within this number of places of the people limit, heads are counted again under a lock. The web server has fewer
threads and processes at one venue's doors, so the limit is exact."""
MOST_ENTRIES_A_SECOND: Final = 5_000
"""More people than this cannot enter a venue in a second, through 200 doors at 25 each. A head count that was far below
the limit a moment ago is therefore still valid: a stadium counts its tens of thousands only every few seconds."""
PRESENT_S: Final = 120
"""Age in seconds up to which a scan counts as a present one, which may use a recent head count."""
REMEMBERED_VENUES: Final = 10_000
TRIES: Final = 5
"""Attempts to decide a scan while others of its pass intervene; each time one of them has succeeded."""
TRIES_AMONG_OTHERS: Final = 2
"""Attempts after which the pass is locked first, so that a photo shown to many doors causes no error anywhere."""


_counted: dict[int, tuple[int, float]] = {}
"""Venue -> heads counted last and when, by the monotonic clock, in this process."""
_places: dict[bytes, DeviceContext] = {}
"""Hash of a token -> the venue where its device was last seen, for cached venues: a guess that is verified."""


class TooBusy(RuntimeError):
    """Other scans of the same pass kept intervening."""


@dataclass(frozen=True, slots=True)
class FoundScan:
    """A scan whose device and facts were read, still to be decided. `code`: what repeated scans of it share."""

    device: DeviceContext
    code: bytes
    shown: Shown
    known: KnownScan

    def record(self, now: dt.datetime) -> Result:
        """Decide and store the scan; a known `scan_id` gets its first result."""
        read = check(self.device, self.shown, now)
        return _decide_and_record(self.device, read, self.known) or _try_again(self.device, read)


def find_scan(*, token: str, request: ScanRequest, now: dt.datetime) -> FoundScan | None:
    """Read the device of a token and the facts of its scan, in one statement; return `None` for an unknown token."""
    shown = look(request, now)
    place = _places.get(token_hash(token))
    count = request.type is ScanType.CHECKIN and not (place and _is_far_from_full(place, shown.scan))
    query = DoorQuery(
        scan_id=request.scan_id,
        tag=shown.tag,
        type=request.type.value,
        slot=shown.slot,
        at=shown.at,
        count_heads=count,
        day_start=moment(shown.epoch.start),
        day_end=moment(calendar().checkin_closes(shown.epoch)),
    )
    found = scan_sql.read_device_and_facts(token=token, now=now, query=query)
    if found is None:
        return None
    device, known = found
    if count:
        _remember(device, known)
        if device.venue_id in _counted:
            _places[token_hash(token)] = device
    elif request.type is ScanType.CHECKIN and not _is_far_from_full(device, shown.scan):
        known = _read_facts(device, check(device, shown, now))  # the venue's limit has changed
    return FoundScan(device, shown.tag, shown, known)


def record_scan(*, device: DeviceContext, request: ScanRequest, now: dt.datetime) -> Result:
    """Decide and store a scan; a known `scan_id` gets its first result."""
    read = check(device, look(request, now), now)
    return _try(device, read) or _try_again(device, read)


def _try_again(device: DeviceContext, read: ReadScan) -> Result:
    """Decide a scan again after others intervened."""
    for attempt in range(1, TRIES):
        if attempt < TRIES_AMONG_OTHERS:
            result = _try(device, read)
        else:
            with transaction.atomic():
                scan_sql.wait_for_others(read.tag)
                result = _try(device, read)
        if result is not None:
            return result
    raise TooBusy


def _try(device: DeviceContext, read: ReadScan) -> Result | None:
    return _decide_and_record(device, read, _read_facts(device, read))


def _read_facts(device: DeviceContext, read: ReadScan) -> KnownScan:
    query = _query_of(device, read)
    known = scan_sql.read_facts(query)
    if query.limit is not None:
        _remember(device, known)
    return known


def record_one_by_one(
    *, device: DeviceContext, requests: Iterable[ScanRequest], malformed: Iterable[str], now: dt.datetime
) -> dict[str, Result]:
    """Decide scans in their order, then malformed items; return the result of each scan_id.

    A row that the database refuses is declined in its place and does not affect others.
    """
    answers: dict[str, Result] = {}
    for request in requests:
        try:
            with transaction.atomic():
                answers[request.scan_id] = record_scan(device=device, request=request, now=now)
        except (DataError, IntegrityError):
            answers[request.scan_id] = Result.DECLINED
    for scan_id in malformed:
        answers[scan_id] = record_malformed(device=device, scan_id=scan_id, now=now)
    return answers


def record_malformed(*, device: DeviceContext, scan_id: str, now: dt.datetime) -> Result:
    """Record that an item of a batch was not a scan; a known `scan_id` gets its first result."""
    request = ScanRequest(scan_id=scan_id, credential="", type=ScanType.CHECKIN, scanned_at=now)
    read = check(device, look(request, now), now)
    known = scan_sql.read_facts(_query_of(device, read))
    if known.facts.known_result is not None:
        return known.facts.known_result
    scan_sql.record(record_of(device, read, known, cause=Cause.MALFORMED.value))
    return Result.DECLINED


def _query_of(device: DeviceContext, read: ReadScan) -> ScanQuery:
    counts = read.scan.type is ScanType.CHECKIN
    private = device.access.value == "Private"
    return ScanQuery(
        venue=device.venue_id,
        scan_id=read.request.scan_id,
        tag=read.tag,
        type=read.scan.type.value,
        slot=read.slot,
        at=read.at,
        limit=people_limit(device) if counts and not _is_far_from_full(device, read.scan) else None,
        day=(moment(read.epoch.start), moment(calendar().checkin_closes(read.epoch))) if private else None,
    )


def _is_far_from_full(device: DeviceContext, scan: Scan) -> bool:
    """Return whether the venue cannot have come near its limit since heads were counted last."""
    remembered = _counted.get(device.venue_id)
    if remembered is None or abs(scan.received_at - scan.scanned_at) > PRESENT_S:
        return False
    heads, counted_at = remembered
    most = heads + MOST_ENTRIES_A_SECOND * (time.monotonic() - counted_at)
    return most < people_limit(device) - NEAR_LIMIT


def _remember(device: DeviceContext, known: KnownScan) -> None:
    if people_limit(device) > MOST_ENTRIES_A_SECOND:  # smaller venues are counted each time
        if len(_counted) >= REMEMBERED_VENUES:
            _counted.clear()
            _places.clear()
        _counted[device.venue_id] = (known.facts.occupancy, time.monotonic())


def _decide_and_record(device: DeviceContext, read: ReadScan, known: KnownScan) -> Result | None:
    """Return the result, or `None` if the facts changed meanwhile."""
    verdict = decide_scan(parsed=read.parsed, scan=read.scan, door=door_of(device, read, known), facts=known.facts)
    if known.facts.known_result is not None:
        return verdict.result
    if not verdict.store:  # erased: the record finds no pass, stores nothing, and takes its usual time
        scan_sql.record(record_of(device, read, known))
        return verdict.result
    change = settle_visit(verdict=verdict, parsed=read.parsed, scan=read.scan, facts=known.facts)
    live = read.scan.kiosk_result is None
    limit = people_limit(device)
    outcome = scan_sql.record(
        record_of(
            device,
            read,
            known,
            approved=verdict.result is Result.APPROVED,
            cause="" if verdict.cause is None else verdict.cause.value,
            effect=change.effect,
            left=None if change.left is None else moment(change.left),
            limit=limit if live and known.facts.occupancy >= limit - NEAR_LIMIT else None,
        )
    )
    if outcome == "again":
        return None
    return Result.DECLINED if outcome == "full" else verdict.result


__all__ = [
    "EARLIEST_SECONDS",
    "FoundScan",
    "ScanRequest",
    "TooBusy",
    "find_scan",
    "record_malformed",
    "record_one_by_one",
    "record_scan",
]
