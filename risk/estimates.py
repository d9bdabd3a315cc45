"""Self-reported results, folded nightly into likelihoods of the quarter-hours they speak of, never as certainty.

A positive result within the infectious window of a stay makes it likelier that somebody infectious was there, a
negative one less likely. What reports may add to a venue-day is capped; positives beyond wait for the operator. The
reports go in the same transaction, so nothing is folded twice and nothing says whose it was.
"""

from __future__ import annotations

import datetime as dt
import math
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any, Final

import numpy as np
from django.db import connection, transaction

from risk import states
from risk.locks import ESTIMATE, hold
from risk.model.crowd_state import QUARTER_US, edge_after
from risk.models import ReportedDay
from risk.states import QUARTERS_A_DAY

SENSITIVITY: Final = 0.75
"""Of self-reported tests of the infected; our assumption, between antigen and PCR tests."""
SPECIFICITY: Final = 0.98
"""Lower than of the test itself, since nobody checks that a report is true; our assumption."""
BEFORE: Final = dt.timedelta(days=7)
AFTER: Final = dt.timedelta(days=3)
"""A test speaks of stays up to seven days before it and three days after; our assumption, about the infectious time."""
LOG_POSITIVE: Final = math.log(SENSITIVITY / (1.0 - SPECIFICITY))
LOG_NEGATIVE: Final = math.log((1.0 - SENSITIVITY) / SPECIFICITY)
CAP: Final = 3.0 * LOG_POSITIVE
"""What all reports together may add to a venue-day: three positives, so that a crowd of liars moves no more."""


@dataclass(frozen=True, slots=True)
class Folded:
    """What a fold did: reports taken, venue-days touched, results that wait beyond the cap."""

    reports: int
    days: int
    waiting: int


_TAKE: Final = "DELETE FROM passes_selfreport RETURNING owner_hash, tested_on, positive"
_STAYS: Final = """
    SELECT report.positive, visit.venue_id,
           (extract(epoch FROM visit.arrived_at) * 1000000)::bigint,
           (extract(epoch FROM coalesce(visit.left_at, visit.times_out_at)) * 1000000)::bigint
    FROM unnest(%(owners)s::bytea[], %(days)s::date[], %(positive)s::bool[]) AS report (owner_hash, day, positive)
    JOIN passes_pass AS owned ON owned.owner_hash = report.owner_hash
    JOIN passes_visit AS visit ON visit.tag = owned.tag
    WHERE owned.epoch BETWEEN report.day - %(before)s::int AND report.day + %(after)s::int
    ORDER BY visit.venue_id, visit.arrived_at
"""


def fold_reports(*, now: dt.datetime) -> Folded:
    """Fold every report that waits. Running it again finds none."""
    del now  # what a result says does not depend on when it is folded
    with transaction.atomic():
        hold(ESTIMATE)
        with connection.cursor() as cursor:
            cursor.execute(_TAKE)
            reports = cursor.fetchall()
            if not reports:
                return Folded(0, 0, 0)
            owners, days, positive = (list(column) for column in zip(*reports, strict=True))
            wanted: dict[str, Any] = {
                "owners": owners,
                "days": days,
                "positive": positive,
                "before": BEFORE.days,
                "after": AFTER.days,
            }
            cursor.execute(_STAYS, wanted)
            stays = cursor.fetchall()
        return _add(len(reports), stays)


def _add(reports: int, stays: Iterable[Any]) -> Folded:
    pieces = [
        (venue, day, quarters, LOG_POSITIVE if positive else LOG_NEGATIVE)
        for positive, venue, arrive_us, leave_us in stays
        for day, quarters in _quarters(arrive_us, leave_us)
    ]
    wanted = {(venue, day) for venue, day, _quarters, _ratio in pieces}
    rows = ReportedDay.objects.select_for_update().filter(
        venue__in={venue for venue, _day in wanted}, day__in={day for _venue, day in wanted}
    )
    known = {(row.venue_id, row.day): row for row in rows}
    waiting = 0
    for venue, day, quarters, ratio in pieces:
        row = known.setdefault((venue, day), _empty(venue, day))
        if ratio > 0.0 and row.total + ratio > CAP + 1e-9:
            row.waiting += 1
            waiting += 1
            continue
        sums = np.frombuffer(row.log_ratio, "<f4").copy()
        sums[quarters] += ratio
        row.log_ratio, row.total = sums.tobytes(), row.total + max(0.0, ratio)
    ReportedDay.objects.bulk_create(
        [known[key] for key in sorted(wanted)],
        update_conflicts=True,
        unique_fields=["venue", "day"],
        update_fields=["log_ratio", "total", "waiting"],
    )
    return Folded(reports, len(wanted), waiting)


def _empty(venue: int, day: dt.date) -> ReportedDay:
    return ReportedDay(venue_id=venue, day=day, log_ratio=np.zeros(QUARTERS_A_DAY, "<f4").tobytes(), total=0.0)


def _quarters(arrive_us: int, leave_us: int) -> Iterable[tuple[dt.date, slice]]:
    """The quarter-hours of a stay, day by day."""
    edge, end = arrive_us // QUARTER_US, edge_after(leave_us)
    while edge < end:
        midnight = (edge // QUARTERS_A_DAY + 1) * QUARTERS_A_DAY
        last = min(end, midnight)
        first = edge % QUARTERS_A_DAY
        yield states.day_of(edge), slice(first, first + last - edge)
        edge = last
