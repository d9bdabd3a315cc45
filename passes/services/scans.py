"""Scans at doors: one bit for the door, a row with its cause for the operator's sums, and the visit it makes.

The path is short on purpose. One SELECT finds the device and gathers the facts, a pure function decides, one statement
records. Garbage goes the same way, so that a red light takes as long whatever it is.
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
"""So many places below the people limit, heads are counted again under a lock: the web server has fewer threads and
processes at one venue's doors than that, so the limit is exact."""
MOST_ENTRIES_A_SECOND: Final = 5_000
"""More people than these cannot enter a venue in a second, through 200 doors at 25 each; so a head count that was far
below the limit a moment ago need not be made again. A stadium counts its tens of thousands every few seconds only."""
PRESENT_S: Final = 120
"""A scan not older than this is one of the present, whose head count may be a remembered one."""
REMEMBERED_VENUES: Final = 10_000
TRIES: Final = 5
"""A scan is decided anew so often when others of its pass come between; each time one of them has got through."""
TRIES_AMONG_OTHERS: Final = 2
"""After so many the pass is locked first, so that a photo shown to many doors at once is a fault at none."""


_counted: dict[int, tuple[int, float]] = {}
"""Venue -> heads counted last and when, by the monotonic clock, in this process."""
_places: dict[bytes, DeviceContext] = {}
"""Hash of a token -> where its device was seen last, for venues that are remembered: a guess that is checked."""


class TooBusy(RuntimeError):
    """Other scans of the same pass kept coming between."""


@dataclass(frozen=True, slots=True)
class FoundScan:
    """A scan whose device and facts were read, still to be decided. `code`: what repeats of it share."""

    device: DeviceContext
    code: bytes
    shown: Shown
    known: KnownScan

    def record(self, now: dt.datetime) -> Result:
        """Decide it and keep it; a known `scan_id` gets its first answer."""
        read = check(self.device, self.shown, now)
        return _decide_and_record(self.device, read, self.known) or _try_again(self.device, read)


def find_scan(*, token: str, request: ScanRequest, now: dt.datetime) -> FoundScan | None:
    """Read the device of a token and the facts of its scan, in one statement; `None` for a token that nobody has."""
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
        known = _read_facts(device, check(device, shown, now))  # the venue's limit is another now
    return FoundScan(device, shown.tag, shown, known)


def record_scan(*, device: DeviceContext, request: ScanRequest, now: dt.datetime) -> Result:
    """Decide a scan and keep it; a known `scan_id` gets its first answer."""
    read = check(device, look(request, now), now)
    return _try(device, read) or _try_again(device, read)


def _try_again(device: DeviceContext, read: ReadScan) -> Result:
    """Decide anew what others came between."""
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
    """Decide scans in their order, then what was none; the answer to each scan_id.

    A row that the database refuses is declined in its place and harms no other.
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
    """Keep that an item of a batch was no scan; a known `scan_id` gets its first answer."""
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
    """Whether the venue cannot have come near its limit since heads were counted last."""
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
    """The answer, or `None` where the facts changed meanwhile."""
    verdict = decide_scan(parsed=read.parsed, scan=read.scan, door=door_of(device, read, known), facts=known.facts)
    if known.facts.known_result is not None:
        return verdict.result
    if not verdict.store:  # erased: the record finds no pass, keeps nothing, and takes its usual time
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
