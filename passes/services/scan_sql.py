"""The two statements of a scan: what the database knows of it, and its record.

Plain SQL, because doors wait for it: an approved scan through the ORM took eight statements. `read_facts` is one SELECT
that gathers everything `passes.admission.decide_scan` asks for; `record` calls `passes_record_scan`, a function of the
database (`migrations/record_scan.sql`) that writes all or nothing and says whether the facts still held.
"""

import datetime as dt
import uuid
from typing import Any, Final, NamedTuple

from django.db import connection

from common.statements import one_row
from passes.admission import Result, ScanFacts, VisitEffect, VisitFacts

# Scans of one pass are few, so one look through them (`mine`) answers four questions. A scan let its visitor through
# if the kiosk's result, or where there is none the server's, is an approval. `stay` is the latest visit that had begun
# by the scan's time, else the earliest one: nothing sorts before a visit that has begun.
_FACTS: Final = """
    SELECT known.approved, pass.revoked, pass.tag IS NOT NULL,
           mine.seen, mine.slot_used, mine.slot_let_in, mine.last_slot, mine.next_checkout,
           stay.id, stay.arrived_at, stay.left_at, stay.times_out_at,
           CASE WHEN %(limit)s::integer IS NULL THEN 0 ELSE (
               SELECT count(*) FROM (
                   (SELECT 1 FROM passes_visit AS visit
                    WHERE visit.venue_id = %(venue)s AND visit.left_at IS NULL AND visit.times_out_at > %(at)s
                      AND visit.arrived_at <= %(at)s LIMIT %(limit)s)
                   UNION ALL
                   (SELECT 1 FROM passes_visit AS visit
                    WHERE visit.venue_id = %(venue)s AND visit.left_at > %(at)s
                      AND visit.arrived_at <= %(at)s LIMIT %(limit)s)) AS inside) END,
           %(private)s AND EXISTS (
               SELECT FROM venues_event AS event
               WHERE event.venue_id = %(venue)s AND event.cancelled_at IS NULL AND event.invitation_needed
                 AND event.starts_at >= %(day_start)s AND event.starts_at < %(day_end)s)
    FROM (VALUES (1)) AS one
    LEFT JOIN passes_scan AS known ON known.venue_id = %(venue)s AND known.scan_id = %(scan_id)s
    LEFT JOIN passes_pass AS pass ON pass.tag = %(tag)s AND pass.venue_id = %(venue)s AND pass.go
    LEFT JOIN LATERAL (
        SELECT count(*) AS seen,
               bool_or(scan.type = %(type)s AND scan.slot = %(slot)s
                       AND (scan.approved OR coalesce(scan.kiosk_approved, false))) AS slot_used,
               bool_or(scan.type = %(type)s AND scan.slot = %(slot)s
                       AND coalesce(scan.kiosk_approved, scan.approved)) AS slot_let_in,
               max(scan.slot) FILTER (WHERE scan.type = %(type)s
                       AND coalesce(scan.kiosk_approved, scan.approved)) AS last_slot,
               min(scan.scanned_at) FILTER (WHERE scan.type = 'Checkout' AND scan.scanned_at > %(at)s
                       AND coalesce(scan.kiosk_approved, scan.approved)) AS next_checkout
        FROM passes_scan AS scan WHERE scan.tag = %(tag)s
    ) AS mine ON true
    LEFT JOIN LATERAL (
        SELECT visit.id, visit.arrived_at, visit.left_at, visit.times_out_at
        FROM passes_visit AS visit WHERE visit.tag = %(tag)s
        ORDER BY visit.arrived_at <= %(at)s DESC,
                 CASE WHEN visit.arrived_at <= %(at)s THEN %(at)s - visit.arrived_at
                      ELSE visit.arrived_at - %(at)s END
        LIMIT 1
    ) AS stay ON true
"""

_RECORD: Final = """
    SELECT passes_record_scan(
        %(scan_id)s::varchar, %(venue)s::bigint, %(device)s::bigint, %(tag)s::bytea, %(epoch)s::date, %(type)s::varchar,
        %(slot)s::smallint, %(at)s::timestamptz, %(approved)s::boolean, %(cause)s::varchar, %(kiosk)s::boolean,
        %(temperature)s::double precision, %(o2)s::smallint, %(seen)s::bigint, %(effect)s::varchar, %(visit)s::uuid,
        %(left)s::timestamptz, %(times_out)s::timestamptz, %(limit)s::integer)
"""


class Asked(NamedTuple):
    """Which scan is asked about. `tag`: of the pass, or one that no pass has. `limit`: how many heads are counted at
    most; `None` counts none. `day`: the local day of the pass's epoch, where the door is a private one."""

    venue: int
    scan_id: str
    tag: bytes
    type: str
    slot: int
    at: dt.datetime
    limit: int | None
    day: tuple[dt.datetime, dt.datetime] | None = None


class Known(NamedTuple):
    """What the database answered. `seen`: scans of this pass so far; `by_invitation`: the day asks for one."""

    facts: ScanFacts
    seen: int
    visit: uuid.UUID | None
    by_invitation: bool


class Record(NamedTuple):
    """One scan to be kept. `tag` is `None` where no pass was read; `limit` where heads need not be counted again."""

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


def read_facts(asked: Asked) -> Known:
    """All that is known for one scan, in one statement."""
    day_start, day_end = asked.day or (asked.at, asked.at)
    values: dict[str, Any] = {
        "venue": asked.venue,
        "scan_id": asked.scan_id,
        "tag": asked.tag,
        "type": asked.type,
        "slot": asked.slot,
        "at": asked.at,
        "limit": asked.limit,
        "private": asked.day is not None,
        "day_start": day_start,
        "day_end": day_end,
    }
    row = _only(one_row(_FACTS, values))
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
    return Known(facts=facts, seen=seen, visit=visit, by_invitation=row[13])


def wait_for_others(tag: bytes) -> None:
    """Lock the pass until the transaction ends, as `record` does; what is read after it stays true."""
    with connection.cursor() as cursor:
        cursor.execute("SELECT 1 FROM passes_pass WHERE tag = %s FOR NO KEY UPDATE", [tag])


def record(scan: Record) -> str:
    """Keep a scan: `done`, `full` (kept as declined, the last place was taken), or `again` (nothing kept)."""
    return str(_only(one_row(_RECORD, scan._asdict()))[0])


def _only(row: tuple[Any, ...] | None) -> tuple[Any, ...]:
    assert row is not None  # noqa: S101 - both statements answer with one row, whatever they find
    return row


def _result(approved: bool) -> Result:
    return Result.APPROVED if approved else Result.DECLINED


def _visit(arrived: dt.datetime, left: dt.datetime | None, times_out: dt.datetime) -> VisitFacts:
    ends = times_out if left is None else left
    return VisitFacts(arrived=int(arrived.timestamp()), left=int(ends.timestamp()), checked_out=left is not None)
