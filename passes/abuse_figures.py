"""Figures of scores for the operator: numbers by score, by day, and by device and day. Never a pass or a visitor."""

import datetime as dt
from dataclasses import dataclass
from typing import Any, Final

from django.db.models import Count, Q

from passes.clock import calendar
from passes.limits import FASTEST_SURVEY_S
from passes.models import Pass, Scan, Visit
from passes.selectors import FEWEST
from passes.services.abuse_settings import exempt_devices, threshold
from passes.services.scoring import DAYS_BACK

BINS: Final = 10
"""Tenths of the score; 1 belongs to the last one."""
MOST_ODD: Final = 20


@dataclass(frozen=True, slots=True)
class DayFigures:
    """Scans of a day by score, and what is kept out of crowd state.

    `too_fast`: passes and refusals whose questions were answered in no time, which no release counts.
    """

    day: dt.date
    bins: tuple[int, ...]
    not_computed: int
    over: int
    kept_out: int
    too_fast: int

    @property
    def scans(self) -> int:
        """Return the number of scans."""
        return sum(self.bins) + self.not_computed


@dataclass(frozen=True, slots=True)
class OddDay:
    """A day of a device with many scans that score too high; names of the place, no data of a visit."""

    device: str
    name: str
    venue: str
    organisation: str
    day: dt.date
    scans: int
    odd: int
    red: int


def first_day(now: dt.datetime) -> dt.date:
    """Return the earliest day that is still scored."""
    return calendar().current(now.timestamp()).date - dt.timedelta(days=DAYS_BACK - 1)


def figures_of_days(now: dt.datetime) -> list[DayFigures]:
    """Return the figures of the days that are still scored, newest first."""
    since = first_day(now)
    bins: dict[str, Any] = {f"bin{at}": Count("pk", filter=_of_bin(at)) for at in range(BINS)}
    rows: Any = (
        Scan.objects.filter(epoch__gte=since)
        .order_by()
        .values("epoch")
        .annotate(
            not_computed=Count("pk", filter=Q(abuse_score=None)),
            over=Count("pk", filter=Q(abuse_score__gte=threshold())),
            **bins,
        )
    )
    scans = {row["epoch"]: row for row in rows}
    kept_out = _by_day(Visit.objects.filter(epoch__gte=since, kept_out=True))
    too_fast = _by_day(Pass.objects.filter(epoch__gte=since, survey_seconds__lt=FASTEST_SURVEY_S))
    return [
        DayFigures(
            day,
            tuple(scans[day][name] if day in scans else 0 for name in bins),
            scans[day]["not_computed"] if day in scans else 0,
            scans[day]["over"] if day in scans else 0,
            kept_out.get(day, 0),
            too_fast.get(day, 0),
        )
        for day in sorted({*scans, *kept_out, *too_fast}, reverse=True)
    ]


def odd_days(now: dt.datetime) -> list[OddDay]:
    """Return the worst twenty days of devices with ten or more scans at or over the threshold; no exempt devices."""
    place = ("device__public_id", "device__name", "device__door__venue__name")
    organisation = "device__door__venue__organisation__name"
    rows = (
        Scan.objects.filter(epoch__gte=first_day(now), device__isnull=False)
        .exclude(device__in=exempt_devices(now))
        .order_by()
        .values_list(*place, organisation, "epoch")
        .annotate(
            scans=Count("pk"),
            odd=Count("pk", filter=Q(abuse_score__gte=threshold())),
            red=Count("pk", filter=Q(approved=False)),
        )
        .filter(odd__gte=FEWEST)
        .order_by("-odd", "device", "epoch")[:MOST_ODD]
    )
    return [OddDay(*row) for row in rows]


def _of_bin(at: int) -> Q:
    within = Q(abuse_score__gte=at / BINS)
    return within if at == BINS - 1 else within & Q(abuse_score__lt=(at + 1) / BINS)


def _by_day(rows: Any) -> dict[dt.date, int]:
    return {row["epoch"]: row["rows"] for row in rows.order_by().values("epoch").annotate(rows=Count("pk"))}
