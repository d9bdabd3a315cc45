"""Self-reported results: added on arrival to the quarter-hours they concern, and never treated as certain.

A positive result whose infectious window covers a stay makes it more likely that an infectious person was there. The
chance of one of the people inside rises by the likelihood ratio of a self-report
(`risk.model.classes.reported_positive`), which is applied when a shield is computed. A negative result adds nothing:
everybody counts at least as "admitted here", and less would reveal something about the others. The number of reports
that one venue-day can count is capped; for the rest only their number is stored, until the operator decides. No row
holds an owner together with a result: a report is added in the transaction that spends its owner, so that nothing is
added twice, nothing shows whose it was, and nothing can be withdrawn. The sums appear in shields after the next nightly
run.
"""

from __future__ import annotations

import datetime as dt
import random
import uuid
from collections.abc import Iterable
from dataclasses import dataclass
from operator import itemgetter
from typing import Any, Final

import numpy as np
from django.db import connection, transaction
from django.db.models import Sum

from common.audit import record
from common.locks import keep_rows
from passes.limits import FASTEST_SURVEY_S
from passes.services.holders import shuffled, spend_owner
from risk.crowd import venue_days
from risk.crowd.venue_days import QUARTERS_A_DAY, Floats
from risk.model.crowd_state import QUARTER_US, edge_after
from risk.model.far import LONGEST_STAY_US
from risk.models import ReportedDay
from risk.reads import REPORTED_STAYS

BEFORE: Final = dt.timedelta(days=7)
AFTER: Final = dt.timedelta(days=3)
"""A test concerns stays up to seven days before it and three days after; our assumption about the infectious time."""
MOST_REPORTS: Final = 3
"""Positive reports that count on a venue-day without review, so that many false reports have no more effect; our
choice."""


@dataclass(frozen=True, slots=True)
class Folded:
    """The result of a nightly run: reports that now count, venue-days changed, reports waiting for the operator."""

    reports: int
    days: int
    waiting: int


def report_test(*, owner_hashes: Iterable[bytes], tested_on: dt.date, positive: bool, now: dt.datetime) -> set[bytes]:
    """Count a result for the stays so far of these owners' passes, once for each owner; skip the others.

    Each owner has a separate transaction, and no row holds an owner together with a result. Return the owners that
    counted.
    """
    counted = set()
    for owner_hash in shuffled(owner_hashes):
        with transaction.atomic():
            if not spend_owner(owner_hash=owner_hash, now=now):
                continue
            counted.add(owner_hash)
            if positive:
                _add(_stays_of(owner_hash, tested_on))
    return counted


def _stays_of(owner_hash: bytes, tested_on: dt.date) -> list[tuple[int, int, int]]:
    """Return venue, arrival and end (microseconds) of the stays that a test concerns."""
    wanted: dict[str, Any] = {
        "owner": owner_hash,
        "day": tested_on,
        "before": BEFORE.days,
        "after": AFTER.days,
        "fastest": FASTEST_SURVEY_S,
    }
    with connection.cursor() as cursor:
        cursor.execute(REPORTED_STAYS, wanted)
        return list(cursor.fetchall())


def _add(stays: Iterable[tuple[int, int, int]]) -> None:
    """Add one report to the days of its stays; if a day is full, add it to the number of those that wait."""
    pieces: dict[tuple[int, dt.date], Floats] = {}
    for venue, arrive_us, leave_us in stays:
        for day, inside in _inside(arrive_us, min(leave_us, arrive_us + LONGEST_STAY_US)):
            pieces[venue, day] = np.minimum(pieces.get((venue, day), np.zeros(QUARTERS_A_DAY)) + inside, 1.0)
    for (venue, day), inside in sorted(pieces.items(), key=itemgetter(0)):
        ReportedDay.objects.bulk_create([ReportedDay(venue_id=venue, day=day)], ignore_conflicts=True)
        row = ReportedDay.objects.select_for_update().get(venue=venue, day=day)
        if row.reports + row.new_reports < MOST_REPORTS:
            row.new_positive, row.new_reports = _sum(row.new_positive, inside), row.new_reports + 1
        else:
            row.waiting += 1
        row.save(update_fields=["new_positive", "new_reports", "waiting"])


def fold_reports(*, now: dt.datetime) -> Folded:
    """Make the day's reports count, one venue-day at a time in random order. Running it again changes nothing."""
    del now  # the meaning of a result does not depend on when it is counted
    new = ReportedDay.objects.filter(new_reports__gt=0)
    keys = list(new.values_list("pk", flat=True))
    random.SystemRandom().shuffle(keys)
    days = [_show(key) for key in keys]
    waiting = ReportedDay.objects.aggregate(total=Sum("waiting"))["total"] or 0
    return Folded(sum(days), len(days), waiting)


@transaction.atomic
def _show(key: uuid.UUID) -> int:
    keep_rows()
    row = ReportedDay.objects.select_for_update().get(pk=key)
    shown = row.new_reports
    row.positive, row.reports = _sum(row.positive, _read(row.new_positive)), row.reports + shown
    row.new_positive, row.new_reports = b"", 0
    row.save(update_fields=["positive", "reports", "new_positive", "new_reports"])
    return shown


def _read(sums: bytes | memoryview) -> Floats:
    return np.frombuffer(sums, "<f4").astype(np.float64) if sums else np.zeros(QUARTERS_A_DAY)


def _sum(sums: bytes | memoryview, more: Floats) -> bytes:
    return (_read(sums) + more).astype("<f4").tobytes()


def _inside(arrive_us: int, leave_us: int) -> Iterable[tuple[dt.date, Floats]]:
    """Yield, day by day, the share of each quarter-hour that a stay covers."""
    edge, end = arrive_us // QUARTER_US, edge_after(leave_us)
    while edge < end:
        midnight = (edge // QUARTERS_A_DAY + 1) * QUARTERS_A_DAY
        begins = (midnight - QUARTERS_A_DAY + np.arange(QUARTERS_A_DAY)) * QUARTER_US
        covered = np.minimum(begins + QUARTER_US, leave_us) - np.maximum(begins, arrive_us)
        yield venue_days.day_of(edge), np.clip(covered / QUARTER_US, 0.0, 1.0)
        edge = midnight


def settle_waiting(*, venue: int, day: dt.date, accept: bool, actor: str, now: dt.datetime) -> int:
    """Count or drop the waiting reports of a venue-day, as the operator decides, and return how many there were.

    Only their number is stored, so they count as if spread over the hours like the reports that count already.
    """
    with transaction.atomic():
        keep_rows()
        row = ReportedDay.objects.select_for_update().filter(venue=venue, day=day).first()
        if row is None or row.waiting == 0:
            return 0
        settled = row.waiting
        if accept:
            more = settled / (row.reports + row.new_reports)
            shown, new = _read(row.positive), _read(row.new_positive)
            row.positive, row.reports = _sum(row.positive, more * (shown + new)), row.reports + settled
        row.waiting = 0
        row.save(update_fields=["positive", "reports", "waiting"])
        verb = "reports.accepted" if accept else "reports.left_out"
        record(actor=actor, verb=verb, subject=f"{row.venue.public_id} {day}", now=now)
    return settled
