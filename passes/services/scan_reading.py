"""A scan from its text to a row: what is read, what is checked for a venue, and what is stored."""

import datetime as dt
from dataclasses import dataclass, field

from django.conf import settings

from passes import keys
from passes.admission import Readings, Result, Scan, ScanType, VisitEffect, check_arrival
from passes.clock import calendar, moment
from passes.codec import Cause, DoorRequirements, GoPass, UncheckedPass, check_pass, read_pass
from passes.codec.epochs import Epoch
from passes.codec.identity import slot_at
from passes.hashes import nobodys_tag, pass_tag
from passes.limits import SLOTS
from passes.rules import door_requirements, end_of_stay
from passes.services.scan_sql import KnownScan, Record
from venues import requirements
from venues.selectors import DeviceContext


@dataclass(frozen=True, slots=True, kw_only=True)
class ScanRequest:
    """A scan as a device reports it. `credential` is any text."""

    scan_id: str
    credential: str = field(repr=False)
    type: ScanType
    scanned_at: dt.datetime
    kiosk_result: Result | None = None
    temperature_f: float | None = field(default=None, repr=False)
    o2: float | None = field(default=None, repr=False)


@dataclass(frozen=True, slots=True)
class Shown:
    """A scan whose venue is not known yet: the unverified content of its text."""

    request: ScanRequest
    scan: Scan
    unchecked: UncheckedPass | Cause
    at: dt.datetime  # the time under which it is stored
    tag: bytes  # of the pass that it claims to be, otherwise one that no pass has
    epoch: Epoch
    slot: int


@dataclass(frozen=True, slots=True)
class ReadScan:
    """A scan after parsing."""

    request: ScanRequest
    scan: Scan
    parsed: GoPass | Cause
    at: dt.datetime  # the time under which it is stored
    tag: bytes
    epoch: Epoch
    slot: int


def look(request: ScanRequest, now: dt.datetime) -> Shown:
    """Read what does not depend on the venue."""
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
    if not in_time:  # stored under the present time: a wrong clock must not extend the life of a row
        scanned_at = now.replace(microsecond=0)
    unchecked = read_pass(request.credential)
    if isinstance(unchecked, UncheckedPass):
        epoch = calendar().epoch_starting(unchecked.epoch_start)
        if epoch is not None:
            slot = slot_at(epoch.start, at) if unchecked.slot is None else unchecked.slot
            return Shown(request, scan, unchecked, scanned_at, pass_tag(unchecked.anchor), epoch, slot)
    return Shown(request, scan, unchecked, scanned_at, nobodys_tag(request.credential), *_filed_under(scanned_at))


def check(device: DeviceContext, shown: Shown, now: dt.datetime) -> ReadScan:
    """Check the pass for the venue of the device."""
    request, scan, unchecked, at = shown.request, shown.scan, shown.unchecked, shown.at
    if isinstance(unchecked, Cause):
        return ReadScan(request, scan, unchecked, at, shown.tag, shown.epoch, shown.slot)
    parsed = check_pass(unchecked, venue=device.venue, keys=keys.keyring(now), at=scan.scanned_at)
    if isinstance(parsed, GoPass):
        if parsed.epoch_start == shown.epoch.start:
            return ReadScan(request, scan, parsed, at, shown.tag, shown.epoch, shown.slot)
        parsed = Cause.KEY_EPOCH  # no local day starts then
    return ReadScan(request, scan, parsed, at, nobodys_tag(request.credential), *_filed_under(at))


def _filed_under(at: dt.datetime) -> tuple[Epoch, int]:
    """Return epoch and slot of a row without a pass."""
    epoch = calendar().current(at.timestamp())
    return epoch, max(1, min(SLOTS, slot_at(epoch.start, at.timestamp())))


def people_limit(device: DeviceContext) -> int:
    return requirements.people_limit(device.rules.capacity, device.rules.enforced_limit_percent)


def door_of(device: DeviceContext, read: ReadScan, known: KnownScan) -> DoorRequirements:
    epochs = frozenset({read.epoch.start}) if known.by_invitation else frozenset[int]()
    return door_requirements(device, invitation_epochs=epochs)


def record_of(
    device: DeviceContext,
    read: ReadScan,
    known: KnownScan,
    *,
    approved: bool = False,
    cause: str = "",
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
