"""The lake's copy of each draw of statistics, so that none is made twice after the database is lost.

This is like `exports.release.draw_log` for the open release. A copy holds noisy counts only, and only the operator can
read the lake's own folders.
"""

import datetime as dt
import logging

from django.db import transaction
from django.utils import timezone

from exports.lake.storage import Storage, StoredObject
from exports.models import StatisticsDraw
from exports.policy.draw import Drawn
from exports.policy.periods import SHARE, Period
from exports.release.draw_log import STATISTICS
from exports.statistics.ledger import enter

log = logging.getLogger(__name__)


class StatisticsLogError(Exception):
    """A copy in the lake cannot be read; the text says what to do."""


def keep(files: Storage, row: StatisticsDraw) -> None:
    """Copy a draw to the lake, so that its figures may be shown."""
    files.objects().write(files.at(STATISTICS, f"{row.period}-{row.first_day.isoformat()}"), bytes(row.drawn or b""))
    row.kept_at = timezone.now()
    row.save(update_fields=["kept_at"])


def reconcile(files: Storage) -> list[StatisticsDraw]:
    """Copy draws that the lake lacks and adopt those that the ledger lacks; return the adopted ones.

    Raise `StatisticsLogError` for a copy that cannot be read.
    """
    for row in StatisticsDraw.objects.exclude(drawn=None).filter(kept_at=None):
        keep(files, row)
    objects = files.objects()
    found = objects.versions(files.at(STATISTICS))
    # An unfinished copy has another suffix; it was never shown, and the ledger has it or has no draw of it.
    stored = [each for each in found if each.is_current and not each.is_marker and not each.url.endswith(".part")]
    drawn = set(StatisticsDraw.objects.exclude(drawn=None).values_list("period", "first_day"))
    return [_adopt(each, objects.read(each)) for each in stored if _name_of(each) not in drawn]


def _name_of(stored: StoredObject) -> tuple[str, dt.date]:
    period, _, day = stored.url.rsplit("/", 1)[-1].partition("-")
    return period, dt.date.fromisoformat(day)


@transaction.atomic
def _adopt(stored: StoredObject, body: bytes) -> StatisticsDraw:
    period, first = _name_of(stored)
    try:
        drawn = Drawn.from_bytes(body)
    except Exception as error:
        raise StatisticsLogError(
            f"{STATISTICS}/{period}-{first} in the lake cannot be read: put it back from a copy of the lake"
        ) from error
    budget = drawn.budget / SHARE[Period(period)]
    row, _ = StatisticsDraw.objects.get_or_create(period=period, first_day=first, defaults={"budget": budget})
    now = timezone.now()
    enter(row, drawn, now)
    row.budget, row.kept_at = budget, now
    row.save()
    log.warning("the ledger adopts the statistics of %s %s from the lake", period, first)
    return row
