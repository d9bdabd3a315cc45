"""The draws of venue statistics: one per closed day and one per closed week, over all venues, never repeated.

A draw is committed with its entry in the ledger and copied to the lake before any of its figures is shown. A ledger
restored from an older backup adopts the copies, so that no draw is made twice (`exports.statistics.log`).
"""

import datetime as dt
import logging
from collections.abc import Iterator, Mapping, Sequence
from typing import Final

from django.db import transaction
from django.db.models import Q

from common.days import first_instant
from common.logs import kind_of
from common.time import deployment_zone
from exports import conf
from exports.lake.deployment import storage
from exports.lake.storage import Storage
from exports.locks import holding
from exports.models import ServedDay, StatisticsDraw
from exports.policy.draw import Drawn, draw
from exports.policy.noise import Counts
from exports.policy.owner_figures import tables_of
from exports.policy.periods import SHARE, Period
from exports.release.closed_days import closed_until
from exports.release.counts import rows_may_be_gone
from exports.statistics import log as draw_log
from exports.statistics.cards import refresh_cards
from exports.statistics.counts import exact_counts
from exports.statistics.ledger import enter
from passes.codec.epochs import epoch_end
from passes.models import Pass
from venues.models import Organisation, Venue

log = logging.getLogger(__name__)

WEEK: Final = dt.timedelta(days=7)
LOCK: Final = "owner statistics"


def draw_waiting(*, now: dt.datetime) -> int:
    """Make every due draw; return their number. Nothing is drawn without the lake.

    After a failure, the rest is retried the next night.
    """
    files = storage()
    try:
        with holding(LOCK):
            adopted = len(draw_log.reconcile(files))
            drawn = sum(_draw_once(period, first, files, now) for period, first in _waiting(now))
    except Exception as error:
        log.exception("statistics of venues were not drawn: %s", kind_of(error))
        return 0
    if adopted or drawn:
        refresh_cards(now=now)
    return drawn


def last_day(period: Period, first: dt.date) -> dt.date:
    """Return the last day of a period that begins with `first`."""
    return first if period is Period.DAY else first + WEEK - dt.timedelta(days=1)


def _waiting(now: dt.datetime) -> Iterator[tuple[Period, dt.date]]:
    """Yield closed days and weeks with a day in service and without an entry in the ledger, oldest first.

    Simulated days are included only if they have passes: others may exist in the dataset as drawn counts alone.
    """
    last = closed_until(now)
    served = set(ServedDay.objects.filter(day__lte=last, simulated=False).values_list("day", flat=True))
    served |= set(Pass.objects.filter(epoch__lte=last).values_list("epoch", flat=True).distinct())
    mondays = {day - dt.timedelta(days=day.weekday()) for day in served}
    firsts = {Period.DAY: served, Period.WEEK: {day for day in mondays if last_day(Period.WEEK, day) <= last}}
    for period, days in firsts.items():
        known = set(StatisticsDraw.objects.filter(period=period).values_list("first_day", flat=True))
        for day in sorted(days - known):
            yield period, day


def _draw_once(period: Period, first: dt.date, files: Storage, now: dt.datetime) -> bool:
    """Make one draw, in one transaction with its entry; return false if rows may be gone, so that it stays a gap."""
    lost = rows_may_be_gone(day=first, now=now, of=Organisation.objects.all())
    venues = _venues(first, last_day(period, first))
    with transaction.atomic():
        row = StatisticsDraw.objects.create(period=period, first_day=first, budget=conf.statistics_budget())
        if lost:
            row.lost_at = now
        elif venues:
            enter(row, _drawn(period, first, sorted(venues), row.budget), now)
        row.save()
    if row.drawn is not None:
        draw_log.keep(files, row)
    return row.drawn is not None


def draw_simulated(
    *,
    period: Period,
    first: dt.date,
    venues: Sequence[str],
    counts: Mapping[str, Counts],
    budget: float,
    now: dt.datetime,
) -> None:
    """Draw a period of simulated people from given counts, within a separate budget.

    It is stored and copied to the lake like any other; a period that has a draw keeps it.
    """
    with transaction.atomic():
        row, is_new = StatisticsDraw.objects.get_or_create(period=period, first_day=first, defaults={"budget": budget})
        if not is_new:
            return
        tables = tables_of(period, venues)
        enter(row, draw(day=first, counts=counts, tables=tables, budget=budget * SHARE[period]), now)
        row.save()
    draw_log.keep(storage(), row)


def _venues(first: dt.date, last: dt.date) -> list[str]:
    """Return public ids of all venues that existed: whether a venue has a figure never depends on the counts."""
    zone = deployment_zone()
    begins, ends = first_instant(first, zone), epoch_end(last, zone)
    there = Venue.objects.filter(Q(closed_at=None) | Q(closed_at__gt=begins), created_at__lt=ends)
    return list(there.values_list("public_id", flat=True))


def _drawn(period: Period, first: dt.date, venues: list[str], budget: float) -> Drawn:
    counts = exact_counts(period=period, first=first, venues=venues)
    return draw(day=first, counts=counts, tables=tables_of(period, venues), budget=budget * SHARE[period])
