"""Scans at doors: one bit for the door, a row with its cause for the operator's sums, and the visit it makes.

The path is short on purpose. The device was looked up when it authenticated; here one SELECT gathers the facts, a pure
function decides, one statement records. Garbage goes the same way, so that a red light takes as long whatever it is.
"""

import datetime as dt
import time
from collections.abc import Iterable
from dataclasses import dataclass, field
from typing import Final

from django.conf import settings
from django.db import transaction

from passes import keys
from passes.admission import (
    EARLIEST_SECONDS,
    Readings,
    Result,
    Scan,
    ScanType,
    VisitEffect,
    check_arrival,
    decide_scan,
    replay_slot,
    settle_visit,
)
from passes.clock import calendar, moment
from passes.codec import Cause, DoorRequirements, GoPass, parse_pass
from passes.codec.epochs import Epoch
from passes.codec.identity import slot_at
from passes.codec.limits import SLOTS
from passes.hashes import nobodys_tag, pass_tag
from passes.rules import door_requirements, end_of_stay
from passes.services import scan_sql
from passes.services.scan_sql import KnownScan, Record, ScanQuery
from venues.requirements import people_limit
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


class TooBusy(RuntimeError):
    """Other scans of the same pass kept coming between."""


@dataclass(frozen=True, slots=True, kw_only=True)
class ScanRequest:
    """A scan as a device reports it. `credential` is any text at all."""

    scan_id: str
    credential: str = field(repr=False)
    type: ScanType
    scanned_at: dt.datetime
    kiosk_result: Result | None = None
    temperature_f: float | None = field(default=None, repr=False)
    o2: float | None = field(default=None, repr=False)


@dataclass(frozen=True, slots=True)
class _Read:
    """A scan after parsing, before the database is queried."""

    request: ScanRequest
    scan: Scan
    parsed: GoPass | Cause
    at: dt.datetime  # when it is filed
    tag: bytes
    epoch: Epoch
    slot: int


def record_scan(*, device: DeviceContext, request: ScanRequest, now: dt.datetime) -> Result:
    """Decide a scan and keep it; a known `scan_id` gets its first answer."""
    read = _read(device, request, now)
    for attempt in range(TRIES):
        if attempt < TRIES_AMONG_OTHERS:
            result = _try(device, read)
        else:
            with transaction.atomic():
                scan_sql.wait_for_others(read.tag)
                result = _try(device, read)
        if result is not None:
            return result
    raise TooBusy


def _try(device: DeviceContext, read: _Read) -> Result | None:
    query = _query_of(device, read)
    known = scan_sql.read_facts(query)
    _remember(device, query, known)
    return _decide_and_record(device, read, known)


def record_scans(*, device: DeviceContext, requests: Iterable[ScanRequest], now: dt.datetime) -> dict[str, Result]:
    """Decide many scans, oldest first, as they happened; the answer to each scan_id."""
    ordered = sorted(requests, key=lambda request: request.scanned_at)
    return {request.scan_id: record_scan(device=device, request=request, now=now) for request in ordered}


def record_malformed(*, device: DeviceContext, scan_id: str, now: dt.datetime) -> Result:
    """Keep that an item of a batch was no scan; a known `scan_id` gets its first answer."""
    request = ScanRequest(scan_id=scan_id, credential="", type=ScanType.CHECKIN, scanned_at=now)
    read = _read(device, request, now)
    known = scan_sql.read_facts(_query_of(device, read))
    if known.facts.known_result is not None:
        return known.facts.known_result
    scan_sql.record(_record(device, read, known, approved=False, cause=Cause.MALFORMED.value))
    return Result.DECLINED


def _read(device: DeviceContext, request: ScanRequest, now: dt.datetime) -> _Read:
    scanned_at = request.scanned_at.replace(microsecond=0)
    at = scanned_at.timestamp()
    scan = Scan(
        type=request.type,
        scanned_at=at,
        received_at=now.timestamp(),
        readings=Readings(temperature_f=request.temperature_f, o2=request.o2),
        kiosk_result=request.kiosk_result,
    )
    in_time = check_arrival(scanned_at=at, received_at=scan.received_at) is None
    if not in_time:  # filed under the present: a row must not live as long as a wrong clock says
        scanned_at = now.replace(microsecond=0)
    parsed = parse_pass(request.credential, venue=device.venue, keys=keys.keyring(now), at=at)
    if isinstance(parsed, GoPass):
        epoch = calendar().epoch_starting(parsed.epoch_start)
        if epoch is not None:
            slot = replay_slot(parsed, at)
            return _Read(request, scan, parsed, scanned_at, pass_tag(parsed.anchor), epoch, slot)
        parsed = Cause.KEY_EPOCH
    epoch = calendar().current(scanned_at.timestamp())
    slot = max(1, min(SLOTS, slot_at(epoch.start, scanned_at.timestamp())))
    return _Read(request, scan, parsed, scanned_at, nobodys_tag(request.credential), epoch, slot)


def _query_of(device: DeviceContext, read: _Read) -> ScanQuery:
    counts = read.scan.type is ScanType.CHECKIN
    private = device.access.value == "Private"
    return ScanQuery(
        venue=device.venue_id,
        scan_id=read.request.scan_id,
        tag=read.tag,
        type=read.scan.type.value,
        slot=read.slot,
        at=read.at,
        limit=_people_limit(device) if counts and not _is_far_from_full(device, read) else None,
        day=(moment(read.epoch.start), moment(calendar().checkin_closes(read.epoch))) if private else None,
    )


def _is_far_from_full(device: DeviceContext, read: _Read) -> bool:
    """Whether the venue cannot have come near its limit since heads were counted last."""
    remembered = _counted.get(device.venue_id)
    if remembered is None or abs(read.scan.received_at - read.scan.scanned_at) > PRESENT_S:
        return False
    heads, counted_at = remembered
    most = heads + MOST_ENTRIES_A_SECOND * (time.monotonic() - counted_at)
    return most < _people_limit(device) - NEAR_LIMIT


def _remember(device: DeviceContext, query: ScanQuery, known: KnownScan) -> None:
    if query.limit is not None and query.limit > MOST_ENTRIES_A_SECOND:  # smaller venues are counted each time
        if len(_counted) >= REMEMBERED_VENUES:
            _counted.clear()
        _counted[device.venue_id] = (known.facts.occupancy, time.monotonic())


def _people_limit(device: DeviceContext) -> int:
    return people_limit(device.rules.capacity, device.rules.enforced_limit_percent)


def _decide_and_record(device: DeviceContext, read: _Read, known: KnownScan) -> Result | None:
    """The answer, or `None` where the facts changed meanwhile."""
    verdict = decide_scan(parsed=read.parsed, scan=read.scan, door=_door(device, read, known), facts=known.facts)
    if known.facts.known_result is not None:
        return verdict.result
    if not verdict.store:  # erased: the record finds no pass, keeps nothing, and takes its usual time
        scan_sql.record(_record(device, read, known, approved=False, cause=""))
        return verdict.result
    change = settle_visit(verdict=verdict, parsed=read.parsed, scan=read.scan, facts=known.facts)
    live = read.scan.kiosk_result is None
    limit = _people_limit(device)
    outcome = scan_sql.record(
        _record(
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


def _door(device: DeviceContext, read: _Read, known: KnownScan) -> DoorRequirements:
    epochs = frozenset({read.epoch.start}) if known.by_invitation else frozenset[int]()
    return door_requirements(device, invitation_epochs=epochs)


def _record(
    device: DeviceContext,
    read: _Read,
    known: KnownScan,
    *,
    approved: bool,
    cause: str,
    effect: VisitEffect = VisitEffect.NONE,
    left: dt.datetime | None = None,
    limit: int | None = None,
) -> Record:
    stays = effect in {VisitEffect.START, VisitEffect.RESTART, VisitEffect.CONTINUE}
    published = settings.PUBLISH_READINGS
    request = read.request
    return Record(
        scan_id=request.scan_id,
        venue=device.venue_id,
        device=device.device_id,
        tag=read.tag if isinstance(read.parsed, GoPass) else None,
        epoch=read.epoch.date,
        type=read.scan.type.value,
        slot=read.slot,
        at=read.at,
        approved=approved,
        cause=cause,
        kiosk=None if request.kiosk_result is None else request.kiosk_result is Result.APPROVED,
        temperature=request.temperature_f if published else None,
        o2=round(request.o2) if published and request.o2 is not None else None,
        seen=known.seen,
        effect=effect,
        visit=known.visit,
        left=left,
        times_out=end_of_stay(device, read.at, moment(read.epoch.end)) if stays else None,
        limit=limit,
    )


__all__ = ["EARLIEST_SECONDS", "ScanRequest", "TooBusy", "record_malformed", "record_scan", "record_scans"]
