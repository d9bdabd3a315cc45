"""The statements of a check-in: what the database knows of it, and its record.

Plain SQL, as for scans (`scan_sql`): through the ORM a check-in took twelve statements, and a full hall sends hundreds
a second before its doors open.
"""

import datetime as dt
from dataclasses import dataclass
from typing import Final, NamedTuple

from django.db import connection

from common.statements import one_row
from passes.admission import CheckinRules, Question
from passes.hashes import erased_owner_mark, erased_pass_mark
from passes.reads import CHECKIN_FACTS

_RECORD: Final = """
    WITH spent AS (
        INSERT INTO passes_spentticket (nonce_hash, body_hash, go, epoch)
        VALUES (%(nonce_hash)s, %(body_hash)s, %(go)s, %(epoch)s)
    )
    INSERT INTO passes_pass (id, tag, anchor, venue_id, epoch, owner_hash, symptoms, diagnosed, contact, near,
                             survey_seconds, go, refused_hour, revoked, counted)
    VALUES (gen_random_uuid(), %(tag)s, %(anchor)s, %(venue)s, %(epoch)s, %(owner_hash)s, %(symptoms)s, %(diagnosed)s,
            %(contact)s, %(near)s, %(survey_seconds)s, %(go)s, %(refused_hour)s, false, %(counted)s)
    RETURNING 1
"""
_BURIED: Final = "SELECT EXISTS (SELECT FROM passes_tombstone WHERE mark IN (%(pass_mark)s, %(owner_mark)s))"
_QUESTIONS: Final = tuple(Question)


class CheckinQuery(NamedTuple):
    """Which check-in is asked about. `opened`: when check-in for the epoch opened; `day_*`: the epoch's local day."""

    venue: str  # public id
    nonce_hash: bytes
    tag: bytes
    owner_hash: bytes
    opened: dt.datetime
    day_start: dt.datetime
    day_end: dt.datetime


class Spent(NamedTuple):
    """What a spent ticket was spent on, and its verdict."""

    body_hash: bytes
    go: bool


@dataclass(frozen=True, slots=True)
class CheckinFacts:
    """What the database answered, of one moment.

    `known`: the anchor or the owner hash made a pass or a refusal before, also one that is erased. `is_valid`: the row
    of the anchor exists and is not revoked.
    """

    venue: int
    rules: CheckinRules
    known: bool
    is_valid: bool
    spent: Spent | None


class CheckinRecord(NamedTuple):
    """A pass or a refusal to be kept, with the ticket that it spends."""

    nonce_hash: bytes
    body_hash: bytes
    tag: bytes
    anchor: bytes
    venue: int
    epoch: dt.date
    owner_hash: bytes
    symptoms: bool
    diagnosed: bool
    contact: bool
    near: bool
    survey_seconds: int
    go: bool
    refused_hour: int | None
    counted: bool


def read_facts(query: CheckinQuery) -> CheckinFacts | None:
    """Return all that is known for one check-in, in one statement; `None` for a venue that is unknown or closed."""
    row = one_row(CHECKIN_FACTS, query._asdict() | _marks(query.tag, query.owner_hash))
    if row is None:
        return None
    venue, *refused, by_invitation, known, is_valid, body_hash, go = row
    refusing = frozenset(question for question, refuses in zip(_QUESTIONS, refused, strict=True) if refuses)
    spent = None if body_hash is None else Spent(bytes(body_hash), go)
    return CheckinFacts(venue, CheckinRules(refusing, invitation_needed=by_invitation), known, is_valid, spent)


def record(row: CheckinRecord) -> bool:
    """Keep a check-in, in the caller's transaction; `False` where an erasure of its anchor came between.

    The caller then rolls back: that erasure has been committed, for the row's unique tag waited for it. Raises
    `IntegrityError` where the ticket, the anchor or the owner hash is known.
    """
    one_row(_RECORD, row._asdict())
    with connection.cursor() as cursor:
        cursor.execute(_BURIED, _marks(row.tag, row.owner_hash))
        (buried,) = cursor.fetchone()
    return not buried


def _marks(tag: bytes, owner_hash: bytes) -> dict[str, bytes]:
    return {"pass_mark": erased_pass_mark(tag), "owner_mark": erased_owner_mark(owner_hash)}
