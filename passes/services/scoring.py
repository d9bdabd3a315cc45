"""Score the scans of a day, independently of the doors."""

import datetime as dt
from collections.abc import Hashable

from django.db import connection, transaction

from passes.abuse import ScanMark, score_marks
from passes.clock import calendar
from passes.models import Scan, ScanType

DAYS_BACK = 8
"""Scans arrive up to 7 days late and change the scores of their day."""


def score_scans(*, now: dt.datetime) -> int:
    """Write the abuse scores of the last days, and return how many changed. Running it again changes nothing more."""
    today = calendar().current(now.timestamp()).date
    return sum(_score_day(today - dt.timedelta(days=back)) for back in range(DAYS_BACK))


@transaction.atomic
def _score_day(date: dt.date) -> int:
    rows = Scan.objects.filter(epoch=date).values_list(
        "pk", "device", "scanned_at", "type", "approved", "tag", "abuse_score"
    )
    marks: list[ScanMark] = []
    before: dict[Hashable, float] = {}
    for key, device, at, kind, approved, tag, score in rows.iterator():
        out = kind == ScanType.CHECKOUT
        marks.append(ScanMark(key, device, at.timestamp(), out, approved, None if tag is None else bytes(tag)))
        before[key] = score
    changed = {key: score for key, score in score_marks(marks).items() if score != before[key]}
    if changed:
        with connection.cursor() as cursor:
            cursor.execute(
                "UPDATE passes_scan AS scan SET abuse_score = scored.score "
                "FROM unnest(%s::uuid[], %s::double precision[]) AS scored (id, score) WHERE scan.id = scored.id",
                [list(changed), list(changed.values())],
            )
    return len(changed)
