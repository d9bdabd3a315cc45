"""Scans and visits of one day, found by the index on place and time.

There is none on the day, because each scan would have to update it (docs/decisions/0021-no-partitions.md): a read by
the day alone reads the scans of all days.
"""

import datetime as dt
from typing import Final

from django.db.models import BooleanField, QuerySet
from django.db.models.expressions import RawSQL

from passes.clock import calendar, epoch_of, moment
from passes.codec.epochs import Epoch
from passes.models import Scan, Visit
from venues.models import Venue

BEFORE: Final = dt.timedelta(hours=1)
AFTER: Final = dt.timedelta(days=1)
"""How far outside of its pass's epoch a scan is looked for, because clocks differ.

A scan that arrived later than it may is stored under the time of its arrival, and is not found.
"""


def epochs_back(now: dt.datetime, days: int) -> list[Epoch]:
    """Return the epochs of the last days, today's first."""
    today = calendar().current(now.timestamp()).date
    return [epoch for back in range(days) if (epoch := epoch_of(today - dt.timedelta(days=back)))]


def span_of(epoch: Epoch) -> tuple[dt.datetime, dt.datetime]:
    """Return the time in which scans and visits of a day are looked for."""
    return moment(epoch.start) - BEFORE, moment(epoch.end) + AFTER


def scans_of(epoch: Epoch) -> QuerySet[Scan]:
    """Return the scans of a day."""
    places = RawSQL("passes_scan.venue_id = ANY(%s::bigint[])", [venues()], BooleanField())
    return Scan.objects.filter(places, scanned_at__range=span_of(epoch), epoch=epoch.date)


def visits_of(epoch: Epoch) -> QuerySet[Visit]:
    """Return the visits of a day, by the index on place and time."""
    start, end = span_of(epoch)
    places = RawSQL("passes_visit.venue_id = ANY(%s::bigint[])", [venues()], BooleanField())
    return Visit.objects.filter(places, arrived_at__gte=start, arrived_at__lt=end, epoch=epoch.date)


def venues() -> list[int]:
    """Return the places by which rows of a day are found: all."""
    return list(Venue.objects.values_list("pk", flat=True))
