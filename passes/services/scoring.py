"""Score the scans of a day, independently of the doors, and keep visits that score too high out of crowd state."""

import datetime as dt
from collections.abc import Hashable, Iterator
from typing import Any, Final

from django.db import connection, transaction

from common.locks import keep_rows
from passes.abuse import ScanMark, score_marks
from passes.codec.epochs import Epoch
from passes.limits import FASTEST_SURVEY_S
from passes.models import Change, Pass, ScanType
from passes.scans_by_day import epochs_back, scans_of, span_of, venues
from passes.services.abuse_settings import exempt_devices, threshold

DAYS_BACK: Final = 8
"""Scans arrive up to 7 days late and change the scores of their day."""
ROWS_AT_ONCE: Final = 5_000
"""Scores written in one transaction, so that nobody waits long for it."""
_WRITE: Final = """
    UPDATE passes_scan AS scan SET abuse_score = scored.score
    FROM unnest(%s::uuid[], %s::double precision[]) AS scored (id, score) WHERE scan.id = scored.id
"""
# A visit belongs to the Checkin that began it; of several in one second, to the one with the lowest score.
_KEEP_OUT: Final = """
    WITH judged AS (
        SELECT visit.id,
               bool_and(coalesce(scan.abuse_score >= %(threshold)s, false)
                        AND NOT coalesce(scan.device_id = ANY(%(exempt)s::bigint[]), false)) AS kept_out
        FROM passes_visit AS visit
        JOIN passes_scan AS scan
          ON scan.tag = visit.tag AND scan.type = 'Checkin' AND scan.scanned_at = visit.arrived_at
        WHERE visit.venue_id = ANY(%(venues)s::bigint[]) AND visit.arrived_at >= %(start)s
          AND visit.arrived_at < %(end)s AND visit.epoch = %(day)s
        GROUP BY visit.id
    )
    UPDATE passes_visit AS visit SET kept_out = judged.kept_out
    FROM judged WHERE visit.id = judged.id AND visit.kept_out <> judged.kept_out
    RETURNING visit.venue_id, visit.arrived_at
"""


def score_scans(*, now: dt.datetime, days: int = DAYS_BACK) -> int:
    """Write the scores of the last days and the visits to keep out, and return how many rows changed.

    Running it again changes nothing more.
    """
    return sum(_score_day(epoch) + _keep_out(epoch, now) for epoch in epochs_back(now, days))


def _score_day(epoch: Epoch) -> int:
    before: dict[Hashable, float | None] = {}
    scores = score_marks(_marks(epoch, before))
    changed = [(key, score) for key, score in scores.items() if score != before[key]]
    for at in range(0, len(changed), ROWS_AT_ONCE):
        keys, values = zip(*changed[at : at + ROWS_AT_ONCE], strict=True)
        with transaction.atomic(), connection.cursor() as cursor:
            keep_rows()
            cursor.execute(_WRITE, [list(keys), list(values)])
    return len(changed)


@transaction.atomic
def _marks(epoch: Epoch, before: dict[Hashable, float | None]) -> list[ScanMark]:
    """Return the scans of a day, and put their stored scores into `before`."""
    fast = set(_fast_passes(epoch.date))
    rows: Any = scans_of(epoch).values_list("pk", "device", "scanned_at", "type", "approved", "tag", "abuse_score")
    marks = []
    for key, device, at, kind, approved, tag, score in rows.iterator():
        before[key] = score
        pass_tag = None if tag is None else bytes(tag)
        survey = None if pass_tag is None else 0 if pass_tag in fast else FASTEST_SURVEY_S
        marks.append(ScanMark(key, device, at.timestamp(), kind == ScanType.CHECKOUT, approved, pass_tag, survey))
    return marks


def _fast_passes(day: dt.date) -> Iterator[bytes]:
    rows = Pass.objects.filter(epoch=day, survey_seconds__lt=FASTEST_SURVEY_S)
    return (bytes(tag) for tag in rows.values_list("tag", flat=True).iterator())


@transaction.atomic
def _keep_out(epoch: Epoch, now: dt.datetime) -> int:
    """Mark the visits of a day that are kept out, and queue the change of their venues' crowd."""
    keep_rows()
    with connection.cursor() as cursor:
        start, end = span_of(epoch)
        which: dict[str, Any] = {"day": epoch.date, "start": start, "end": end, "venues": venues()}
        cursor.execute(_KEEP_OUT, which | {"threshold": threshold(), "exempt": exempt_devices(now)})
        moved = cursor.fetchall()
    since: dict[int, dt.datetime] = {}
    for venue, arrived in moved:
        since[venue] = min(arrived, since.get(venue, arrived))
    Change.objects.bulk_create(Change(venue_id=venue, since=first) for venue, first in since.items())
    return len(moved)
