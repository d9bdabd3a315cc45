"""Self-reported results, added as they come to the quarter-hours they speak of, never as certainty.

A positive result within the infectious window of a stay makes it likelier that somebody infectious was there: the
chance of one of the people inside, by the likelihood ratio of a self-report (`risk.model.classes.reported_positive`),
which is applied when a shield is read. A negative result adds nothing, for everybody counts as "admitted here" at
least, and less would tell on the others. What reports may add to a venue-day is capped; of those beyond the number
waits for the operator. No row holds an owner and a result: a report is added in the transaction that spends its owner,
so nothing is added twice, nothing says whose it was, and nothing can be taken back. Sums show with the next night.
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
from passes.services.holders import shuffled, spend_owner
from risk.crowd import venue_days
from risk.crowd.venue_days import QUARTERS_A_DAY, Floats
from risk.model.crowd_state import QUARTER_US, edge_after
from risk.model.far import LONGEST_STAY_US
from risk.models import ReportedDay
from risk.reads import REPORTED_STAYS

BEFORE: Final = dt.timedelta(days=7)
AFTER: Final = dt.timedelta(days=3)
"""A test speaks of stays up to seven days before it and three days after; our assumption, about the infectious time."""
MOST_REPORTS: Final = 3
"""Positive reports that count on a venue-day by themselves, so that a crowd of liars moves no more; our choice."""


@dataclass(frozen=True, slots=True)
class Folded:
    """What a night did: reports that show from now on, venue-days touched, reports that wait for the operator."""

    reports: int
    days: int
    waiting: int


def report_test(*, owner_hashes: Iterable[bytes], tested_on: dt.date, positive: bool, now: dt.datetime) -> set[bytes]:
    """Count a result for the stays of these owners' passes so far, once an owner; the others are skipped.

    Each owner is a transaction of its own, and no row holds an owner and a result. Returns the owners that counted.
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
    """Venue, arrival and end (microseconds) of the stays that a test speaks of."""
    wanted: dict[str, Any] = {
        "owner": owner_hash,
        "day": tested_on,
        "before": BEFORE.days,
        "after": AFTER.days,
    }
    with connection.cursor() as cursor:
        cursor.execute(REPORTED_STAYS, wanted)
        return list(cursor.fetchall())


def _add(stays: Iterable[tuple[int, int, int]]) -> None:
    """Add one report to the days of its stays; where the day is full, to the number of those that wait."""
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
    """Have the reports of the day show, a venue-day at a time and in random order. Running it again finds none."""
    del now  # what a result says does not depend on when it shows
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
    """Share of each quarter-hour that a stay covers, day by day."""
    edge, end = arrive_us // QUARTER_US, edge_after(leave_us)
    while edge < end:
        midnight = (edge // QUARTERS_A_DAY + 1) * QUARTERS_A_DAY
        begins = (midnight - QUARTERS_A_DAY + np.arange(QUARTERS_A_DAY)) * QUARTER_US
        covered = np.minimum(begins + QUARTER_US, leave_us) - np.maximum(begins, arrive_us)
        yield venue_days.day_of(edge), np.clip(covered / QUARTER_US, 0.0, 1.0)
        edge = midnight


def settle_waiting(*, venue: int, day: dt.date, accept: bool, actor: str, now: dt.datetime) -> int:
    """The operator's word on the reports of a venue-day that wait: count them, or leave them out. Returns how many.

    Of those only the number is kept, so they count as if spread over the hours like the reports that count already.
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
