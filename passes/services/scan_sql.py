"""The two statements of a scan: what the database knows of it, and its record.

They are plain SQL, because doors wait for them: an approved scan took eight statements with the ORM. `read_facts` is
one SELECT for everything that `passes.admission.decide_scan` needs; `record` calls `passes_record_scan`, a database
function (`migrations/record_scan.sql`) that writes all or nothing and returns whether the facts still hold.
"""

import datetime as dt
import uuid
from typing import Any, Final, NamedTuple

from django.db import connection

from common.locks import keep_rows
from common.statements import one_row
from passes.admission import Result, ScanFacts, VisitEffect, VisitFacts
from passes.reads import DEVICE_AND_FACTS, SCAN_FACTS
from venues.selectors import DEVICE_COLUMNS, DeviceContext, device_of_row, device_values

_RECORD: Final = """
    SELECT passes_record_scan(
        %(scan_id)s::varchar, %(venue)s::bigint, %(device)s::bigint, %(tag)s::bytea, %(epoch)s::date, %(type)s::varchar,
        %(slot)s::smallint, %(at)s::timestamptz, %(approved)s::boolean, %(cause)s::varchar, %(kiosk)s::boolean,
        %(temperature)s::double precision, %(o2)s::smallint, %(seen)s::bigint, %(effect)s::varchar, %(visit)s::uuid,
        %(left)s::timestamptz, %(times_out)s::timestamptz, %(limit)s::integer)
"""


class ScanQuery(NamedTuple):
    """The scan to query.

    `tag`: of the pass, or one that no pass has. `limit`: how many heads are counted at most; `None` counts none. `day`:
    the local day of the pass's epoch, for a private door.
    """

    venue: int
    scan_id: str
    tag: bytes
    type: str
    slot: int
    at: dt.datetime
    limit: int | None
    day: tuple[dt.datetime, dt.datetime] | None = None


class DoorQuery(NamedTuple):
    """The scan to query if the venue is not known yet. `count_heads`: whether to count heads."""

    scan_id: str
    tag: bytes
    type: str
    slot: int
    at: dt.datetime
    count_heads: bool
    day_start: dt.datetime
    day_end: dt.datetime


class KnownScan(NamedTuple):
    """The result of the query. `seen`: scans of this pass so far; `by_invitation`: the day requires an invitation."""

    facts: ScanFacts
    seen: int
    visit: uuid.UUID | None
    by_invitation: bool


class Record(NamedTuple):
    """One scan to store. `tag` is `None` if no pass was read; `limit` is `None` if heads need not be counted again."""

    scan_id: str
    venue: int
    device: int
    tag: bytes | None
    epoch: dt.date
    type: str
    slot: int
    at: dt.datetime
    approved: bool
    cause: str
    kiosk: bool | None
    temperature: float | None
    o2: int | None
    seen: int
    effect: VisitEffect
    visit: uuid.UUID | None
    left: dt.datetime | None
    times_out: dt.datetime | None
    limit: int | None


def read_facts(query: ScanQuery) -> KnownScan:
    """Return everything known about one scan, in one statement."""
    day_start, day_end = query.day or (query.at, query.at)
    values: dict[str, Any] = {
        "venue": query.venue,
        "scan_id": query.scan_id,
        "tag": query.tag,
        "type": query.type,
        "slot": query.slot,
        "at": query.at,
        "limit": query.limit,
        "private": query.day is not None,
        "day_start": day_start,
        "day_end": day_end,
    }
    return _known(_only(one_row(SCAN_FACTS, values)))


def read_device_and_facts(*, token: str, now: dt.datetime, query: DoorQuery) -> tuple[DeviceContext, KnownScan] | None:
    """Return the device of a token and everything known about a scan at its venue; `None` for an unknown token.

    One statement.
    """
    row = one_row(DEVICE_AND_FACTS, device_values(token, now) | query._asdict())
    return None if row is None else (device_of_row(row[:DEVICE_COLUMNS]), _known(row[DEVICE_COLUMNS:]))


def _known(row: tuple[Any, ...]) -> KnownScan:
    approved, revoked, exists, seen, used, let_in, last_slot, next_checkout, visit, arrived, left, times_out = row[:12]
    facts = ScanFacts(
        known_result=None if approved is None else _result(approved),
        pass_known=exists,
        revoked=bool(revoked),
        slot_used=bool(used),
        slot_let_in=bool(let_in),
        last_slot=last_slot,
        visit=None if visit is None else _visit(arrived, left, times_out),
        next_checkout=None if next_checkout is None else int(next_checkout.timestamp()),
        occupancy=row[12],
    )
    return KnownScan(facts=facts, seen=seen, visit=visit, by_invitation=row[13])


def wait_for_others(tag: bytes) -> None:
    """Lock the pass until the transaction ends, as `record` does; what is read afterwards stays true."""
    keep_rows()
    with connection.cursor() as cursor:
        cursor.execute("SELECT 1 FROM passes_pass WHERE tag = %s FOR NO KEY UPDATE", [tag])


def record(scan: Record) -> str:
    """Store a scan; return `done`, `full` (stored as declined for lack of a place), or `again` (nothing stored)."""
    return str(_only(one_row(_RECORD, scan._asdict()))[0])


def _only(row: tuple[Any, ...] | None) -> tuple[Any, ...]:
    assert row is not None  # noqa: S101 - both statements always return one row
    return row


def _result(approved: bool) -> Result:
    return Result.APPROVED if approved else Result.DECLINED


def _visit(arrived: dt.datetime, left: dt.datetime | None, times_out: dt.datetime) -> VisitFacts:
    ends = times_out if left is None else left
    return VisitFacts(arrived=int(arrived.timestamp()), left=int(ends.timestamp()), checked_out=left is not None)
