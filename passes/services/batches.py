"""Decide scans queued in a device as a set: one statement reads everything known about them, one records them all.

They are decided one after another in memory (`passes.ledger`), oldest first, as they happened. Passes that change in
the meantime are decided again one by one, and so is a whole batch if its scans compete for the last places or the
database refuses one of its rows: the decisions never depend on the way.
"""

import datetime as dt
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field, replace

from passes.admission import Result, ScanFacts, ScanType, VisitChange, VisitEffect, decide_scan, settle_visit
from passes.clock import calendar, moment
from passes.codec import Cause, DoorRequirements, GoPass
from passes.codec.epochs import Epoch
from passes.ledger import KeptScan
from passes.rules import door_requirements, end_of_stay
from passes.services import batch_sql
from passes.services.batch_sql import BatchQuery, KnownBatch, NewVisit
from passes.services.scan_reading import ReadScan, ScanRequest, check, look, people_limit, record_of
from passes.services.scan_sql import KnownScan, Record
from passes.services.scans import NEAR_LIMIT, record_one_by_one
from venues.kinds import Access
from venues.selectors import DeviceContext


def record_batch(
    *, device: DeviceContext, requests: Iterable[ScanRequest], malformed: Iterable[str], now: dt.datetime
) -> dict[str, Result]:
    """Decide scans, oldest first, then malformed items; return the result of each scan_id."""
    ordered, spoilt = sorted(requests, key=lambda request: request.scanned_at), list(malformed)
    batch = _Batch.read(device, ordered, spoilt, now)
    changed = None if batch is None else batch.record()
    if batch is None or changed is None:
        return record_one_by_one(device=device, requests=ordered, malformed=spoilt, now=now)
    if changed:
        again = [one.request for one in batch.scans if one.tag in changed and isinstance(one.parsed, GoPass)]
        batch.answers |= record_one_by_one(device=device, requests=again, malformed=(), now=now)
    return batch.answers


@dataclass(slots=True)
class _Batch:
    """A batch while it is decided."""

    device: DeviceContext
    scans: list[ReadScan]
    known: KnownBatch
    heads: dict[float, int]
    doors: dict[int, DoorRequirements]  # by start of epoch
    answers: dict[str, Result] = field(default_factory=dict)
    records: list[Record] = field(default_factory=list)
    epochs: dict[bytes, Epoch] = field(default_factory=dict)
    since: dt.datetime | None = None

    @classmethod
    def read(
        cls, device: DeviceContext, requests: list[ScanRequest], malformed: list[str], now: dt.datetime
    ) -> "_Batch | None":
        """Read what is known and decide; return `None` if scans must be decided one by one."""
        scans = [check(device, look(request, now), now) for request in requests]
        spoilt = [_malformed(device, scan_id, now) for scan_id in malformed]
        days = {one.epoch.start: one.epoch for one in scans} if device.access is Access.PRIVATE else {}
        known = batch_sql.read_batch(_query(device, scans, spoilt, list(days.values()), now))
        heads = _heads(device, scans, known.around)
        if heads is None:
            return None
        invited = dict(zip(days, known.by_invitation, strict=True))
        batch = cls(device, scans, known, heads, _doors(device, scans, invited))
        for one in scans:
            batch._decide(one)
        for one in spoilt:
            batch._spoil(one)
        return batch

    def record(self) -> set[bytes] | None:
        """Store the decisions; return tags of passes that changed meanwhile, or `None` if nothing was stored."""
        return batch_sql.record_batch(
            venue=self.device.venue_id,
            device=self.device.device_id,
            records=self.records,
            visits=self._visits(),
            since=self.since,
        )

    def _decide(self, one: ReadScan) -> None:
        scan_id, facts = one.request.scan_id, self._facts(one)
        verdict = decide_scan(parsed=one.parsed, scan=one.scan, door=self.doors[one.epoch.start], facts=facts)
        self.answers[scan_id] = verdict.result
        if not verdict.store:
            return
        approved = verdict.result is Result.APPROVED
        self._note(one, approved, "" if verdict.cause is None else verdict.cause.value)
        if isinstance(one.parsed, GoPass):
            kiosk = None if one.scan.kiosk_result is None else one.scan.kiosk_result is Result.APPROVED
            kept = KeptScan(one.scan.type, one.slot, one.at.timestamp(), approved, kiosk)
            self.known.ledger.passes[one.tag].scans.append(kept)
            self._change(one, settle_visit(verdict=verdict, parsed=one.parsed, scan=one.scan, facts=facts))

    def _change(self, one: ReadScan, change: VisitChange) -> None:
        """Change the visit of the scan's pass."""
        if change.effect is VisitEffect.NONE:
            return
        times_out = end_of_stay(self.device, one.at, moment(one.epoch.end)).timestamp()
        self.known.ledger.change_visit(one.tag, change, at=one.at.timestamp(), times_out=times_out)
        self.epochs[one.tag] = one.epoch
        self.since = one.at if self.since is None else min(self.since, one.at)

    def _facts(self, one: ReadScan) -> ScanFacts:
        ledger, at = self.known.ledger, one.at.timestamp()
        known = ledger.answers.get(one.request.scan_id)
        if known is not None:
            return ScanFacts(known_result=Result.APPROVED if known else Result.DECLINED)
        heads = self.heads[at] + ledger.more_heads(at) if at in self.heads else 0
        return ledger.facts(one.tag, kind=one.scan.type, slot=one.slot, at=at, heads=heads)

    def _spoil(self, one: ReadScan) -> None:
        """Record that an item was not a scan."""
        scan_id, ledger = one.request.scan_id, self.known.ledger
        known = ledger.answers.get(scan_id)
        self.answers[scan_id] = Result.APPROVED if known else Result.DECLINED
        if known is None:
            self._note(one, False, Cause.MALFORMED.value)

    def _note(self, one: ReadScan, approved: bool, cause: str) -> None:
        """Add the record of a scan."""
        self.known.ledger.answers[one.request.scan_id] = approved
        kept = self.known.ledger.passes.get(one.tag)
        known = KnownScan(ScanFacts(), 0 if kept is None else kept.seen, None, by_invitation=False)
        self.records.append(record_of(self.device, one, known, approved=approved, cause=cause))

    def _visits(self) -> Iterator[NewVisit]:
        for tag, epoch in self.epochs.items():
            for stay in self.known.ledger.passes[tag].stays:
                if stay.changed:
                    yield NewVisit(tag, epoch.date, stay)


def _malformed(device: DeviceContext, scan_id: str, now: dt.datetime) -> ReadScan:
    request = ScanRequest(scan_id=scan_id, credential="", type=ScanType.CHECKIN, scanned_at=now)
    return check(device, look(request, now), now)


def _doors(device: DeviceContext, scans: list[ReadScan], invited: dict[int, bool]) -> dict[int, DoorRequirements]:
    door = door_requirements(device)
    return {
        start: replace(door, invitation_epochs=frozenset({start})) if invited.get(start) else door
        for start in {one.epoch.start for one in scans}
    }


def _query(
    device: DeviceContext, scans: list[ReadScan], spoilt: list[ReadScan], days: list[Epoch], now: dt.datetime
) -> BatchQuery:
    entering = [one.at for one in scans if one.scan.type is ScanType.CHECKIN] or [now]
    return BatchQuery(
        venue=device.venue_id,
        scan_ids=[one.request.scan_id for one in (*scans, *spoilt)],
        tags=list({one.tag for one in scans if isinstance(one.parsed, GoPass)}),
        first=min(entering),
        last=max(entering),
        most=people_limit(device),
        day_starts=[moment(epoch.start) for epoch in days],
        day_ends=[moment(calendar().checkin_closes(epoch)) for epoch in days],
    )


def _heads(device: DeviceContext, scans: list[ReadScan], around: int) -> dict[float, int] | None:
    """Return heads at the times of the scans, if the venue may be full at any of them.

    Return `None` if heads must be counted under a lock, because undecided scans compete for the last places.
    """
    limit = people_limit(device)
    if around + len(scans) < limit - NEAR_LIMIT:
        return {}
    if any(one.scan.kiosk_result is None for one in scans):
        return None
    times = {one.at.timestamp() for one in scans if one.scan.type is ScanType.CHECKIN}
    return batch_sql.heads_at(device.venue_id, sorted(times), limit + len(scans))
