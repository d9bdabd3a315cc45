"""The two statements of a batch of scans: what the database knows of all of them, and their records."""

import datetime as dt
import json
from collections.abc import Iterable, Sequence
from typing import Any, Final, NamedTuple

from common.statements import one_row
from passes.admission import ScanType
from passes.clock import moment
from passes.ledger import KeptPass, KeptScan, Ledger, Stay
from passes.reads import BATCH_FACTS
from passes.services.scan_sql import Record

_RECORD: Final = """
    SELECT passes_record_scans(%(venue)s::bigint, %(device)s::bigint, %(scans)s::jsonb, %(visits)s::jsonb,
                               %(since)s::timestamptz)
"""
_HEADS: Final = """
    SELECT ARRAY(SELECT passes_occupancy(%(venue)s::bigint, asked.at, %(most)s::integer)
                 FROM unnest(%(times)s::timestamptz[]) WITH ORDINALITY AS asked (at, place) ORDER BY asked.place)
"""
_TYPES: Final = {kind.value: kind for kind in ScanType}


class BatchQuery(NamedTuple):
    """The scans to query.

    `first` to `last`: the time for which heads matter. `most`: how many of them are counted at most. `day_starts`,
    `day_ends`: days that may be by invitation.
    """

    venue: int
    scan_ids: list[str]
    tags: list[bytes]
    first: dt.datetime
    last: dt.datetime
    most: int
    day_starts: list[dt.datetime]
    day_ends: list[dt.datetime]


class KnownBatch(NamedTuple):
    """The result of the query. `around`: heads inside at any time; `by_invitation`: for each day."""

    ledger: Ledger
    around: int
    by_invitation: list[bool]


class NewVisit(NamedTuple):
    """A visit that is new, or an existing one that changed. Times are Unix seconds."""

    tag: bytes
    epoch: dt.date
    stay: Stay


def read_batch(query: BatchQuery) -> KnownBatch:
    """Return everything known about the scans of a batch, in one statement."""
    row = one_row(BATCH_FACTS, query._asdict())
    assert row is not None  # noqa: S101 - it always returns one row
    answers, passes, around, by_invitation = row
    ledger = Ledger({bytes.fromhex(one[0]): _pass(*one[1:]) for one in json.loads(passes)}, json.loads(answers))
    return KnownBatch(ledger, around, by_invitation)


def heads_at(venue: int, times: Sequence[float], most: int) -> dict[float, int]:
    """Return how many visits at a venue include each time; counting stops beyond `most`."""
    row = one_row(_HEADS, {"venue": venue, "most": most, "times": [moment(at) for at in times]})
    assert row is not None  # noqa: S101
    return dict(zip(times, row[0], strict=True))


def record_batch(
    *, venue: int, device: int, records: Iterable[Record], visits: Iterable[NewVisit], since: dt.datetime | None
) -> set[bytes] | None:
    """Store scans and visits; return the tags of passes that changed meanwhile, of which nothing is stored.

    Return `None` if a row is refused; then nothing at all is stored.
    """
    values = {
        "venue": venue,
        "device": device,
        "scans": json.dumps([_scan_row(record) for record in records]),
        "visits": json.dumps([_visit_row(*visit) for visit in visits]),
        "since": since,
    }
    row = one_row(_RECORD, values)
    assert row is not None  # noqa: S101
    return None if row[0] is None else {bytes.fromhex(tag) for tag in row[0]}


def _pass(revoked: bool, scans: list[Any], visits: list[Any]) -> KeptPass:
    return KeptPass(
        revoked, [KeptScan(_TYPES[kind], *rest) for kind, *rest in scans], [Stay(*visit) for visit in visits]
    )


def _scan_row(record: Record) -> dict[str, Any]:
    return {
        "scan_id": record.scan_id,
        "tag": None if record.tag is None else record.tag.hex(),
        "epoch": record.epoch.isoformat(),
        "type": record.type,
        "slot": record.slot,
        "at": record.at.isoformat(),
        "approved": record.approved,
        "cause": record.cause,
        "kiosk": record.kiosk,
        "temperature": record.temperature,
        "o2": record.o2,
        "seen": record.seen,
    }


def _visit_row(tag: bytes, epoch: dt.date, stay: Stay) -> dict[str, Any]:
    return {
        "id": stay.id,
        "tag": tag.hex(),
        "epoch": epoch.isoformat(),
        "arrived": moment(stay.arrived).isoformat(),
        "left": None if stay.left is None else moment(stay.left).isoformat(),
        "times_out": moment(stay.times_out).isoformat(),
    }
