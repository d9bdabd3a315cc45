"""Self-reported results, folded nightly into the quarter-hours they speak of, never as certainty.

A positive result within the infectious window of a stay makes it likelier that somebody infectious was there: the
chance of one of the people inside, by the likelihood ratio of a self-report (`risk.model.classes.reported_positive`),
which is applied when a shield is read. A negative result adds nothing, for everybody counts as "admitted here" at
least, and less would tell on the others. What reports may add to a venue-day is capped; those beyond wait for the
operator. The reports go in the same transaction, so nothing is folded twice and nothing says whose it was.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any, Final

import numpy as np
from django.db import connection, transaction

from common.audit import record
from common.locks import ESTIMATE, hold
from risk.crowd import venue_days
from risk.crowd.venue_days import QUARTERS_A_DAY, Floats
from risk.model.crowd_state import QUARTER_US, edge_after
from risk.model.far import LONGEST_STAY_US
from risk.models import ReportedDay
from risk.reads import REPORTED_STAYS, TAKE_SELF_REPORTS

BEFORE: Final = dt.timedelta(days=7)
AFTER: Final = dt.timedelta(days=3)
"""A test speaks of stays up to seven days before it and three days after; our assumption, about the infectious time."""
MOST_REPORTS: Final = 3
"""Positive reports that count on a venue-day by themselves, so that a crowd of liars moves no more; our choice."""


@dataclass(frozen=True, slots=True)
class Folded:
    """What a fold did: reports taken, venue-days touched, reports that wait for the operator."""

    reports: int
    days: int
    waiting: int


def fold_reports(*, now: dt.datetime) -> Folded:
    """Fold every report that waits. Running it again finds none."""
    del now  # what a result says does not depend on when it is folded
    with transaction.atomic():
        hold(ESTIMATE)
        with connection.cursor() as cursor:
            cursor.execute(TAKE_SELF_REPORTS)
            reports = cursor.fetchall()
            positive = [(owner, day) for owner, day, says_so in reports if says_so]
            if not positive:
                return Folded(len(reports), 0, 0)
            owners, days = (list(column) for column in zip(*positive, strict=True))
            wanted: dict[str, Any] = {
                "owners": owners,
                "days": days,
                "before": BEFORE.days,
                "after": AFTER.days,
            }
            cursor.execute(REPORTED_STAYS, wanted)
            stays = cursor.fetchall()
        return _add(len(reports), stays)


def _add(reports: int, stays: Iterable[Any]) -> Folded:
    """Add each report to the days of its stays, or to what waits there where the day is full."""
    pieces: dict[tuple[int, dt.date, int], Floats] = {}
    for number, venue, arrive_us, leave_us in stays:
        for day, inside in _inside(arrive_us, min(leave_us, arrive_us + LONGEST_STAY_US)):
            key = (venue, day, number)
            pieces[key] = np.minimum(pieces.get(key, np.zeros(QUARTERS_A_DAY)) + inside, 1.0)
    wanted = {(venue, day) for venue, day, _number in pieces}
    rows = ReportedDay.objects.select_for_update().filter(
        venue__in={venue for venue, _day in wanted}, day__in={day for _venue, day in wanted}
    )
    known = {(row.venue_id, row.day): row for row in rows}
    waiting = 0
    for (venue, day, _number), inside in pieces.items():
        row = known.setdefault((venue, day), ReportedDay(venue_id=venue, day=day))
        if row.reports < MOST_REPORTS:
            row.positive, row.reports = _sum(row.positive, inside), row.reports + 1
        else:
            row.held, row.waiting = _sum(row.held, inside), row.waiting + 1
            waiting += 1
    ReportedDay.objects.bulk_create(
        [known[key] for key in sorted(wanted)],
        update_conflicts=True,
        unique_fields=["venue", "day"],
        update_fields=["positive", "reports", "held", "waiting"],
    )
    return Folded(reports, len(wanted), waiting)


def _sum(sums: bytes | memoryview, inside: Floats) -> bytes:
    before = np.frombuffer(sums, "<f4") if sums else np.zeros(QUARTERS_A_DAY, "<f4")
    return (before + inside).astype("<f4").tobytes()


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
    """The operator's word on the reports of a venue-day that wait: count them, or leave them out. Returns how many."""
    with transaction.atomic():
        hold(ESTIMATE)
        row = ReportedDay.objects.select_for_update().filter(venue=venue, day=day).first()
        if row is None or row.waiting == 0:
            return 0
        settled = row.waiting
        if accept:
            row.positive = _sum(row.positive, np.frombuffer(row.held, "<f4").astype(np.float64))
            row.reports += settled
        row.held, row.waiting = b"", 0
        row.save(update_fields=["positive", "reports", "held", "waiting"])
        verb = "reports.accepted" if accept else "reports.left_out"
        record(actor=actor, verb=verb, subject=f"{row.venue.public_id} {day}", now=now)
    return settled
