"""Figures of scores for the operator: numbers by score, by day, and by device and day. Never a pass or a visitor."""

import datetime as dt
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Final

from django.db.models import Count, Q

from passes.clock import calendar
from passes.codec.epochs import Epoch
from passes.limits import FASTEST_SURVEY_S
from passes.models import Pass
from passes.scans_by_day import epochs_back, scans_of, visits_of
from passes.selectors import FEWEST
from passes.services.abuse_settings import exempt_devices, threshold
from passes.services.scoring import DAYS_BACK
from venues.models import Device

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


def scored_epochs(now: dt.datetime) -> list[Epoch]:
    """Return the days that are still scored, newest first."""
    return epochs_back(now, DAYS_BACK)


def figures_of_days(now: dt.datetime) -> list[DayFigures]:
    """Return the figures of the days that are still scored, newest first; none of a day without any."""
    from_score = threshold()
    days = scored_epochs(now)
    # Check-in for tomorrow is open, so answers may be too fast for it.
    tomorrow = calendar().following(calendar().current(now.timestamp()))
    found = (_figures_of_day(epoch, from_score) for epoch in (tomorrow, *days))
    return [day for day in found if day.scans or day.kept_out or day.too_fast]


def _figures_of_day(epoch: Epoch, from_score: float) -> DayFigures:
    bins: dict[str, Any] = {f"bin{at}": Count("pk", filter=_of_bin(at)) for at in range(BINS)}
    found = scans_of(epoch).aggregate(
        not_computed=Count("pk", filter=Q(abuse_score=None)),
        over=Count("pk", filter=Q(abuse_score__gte=from_score)),
        **bins,
    )
    return DayFigures(
        day=epoch.date,
        bins=tuple(found[name] for name in bins),
        not_computed=found["not_computed"],
        over=found["over"],
        kept_out=visits_of(epoch).filter(kept_out=True).count(),
        too_fast=Pass.objects.filter(epoch=epoch.date, survey_seconds__lt=FASTEST_SURVEY_S).count(),
    )


def odd_days(now: dt.datetime) -> list[OddDay]:
    """Return the worst twenty days of devices with ten or more scans at or over the threshold; no exempt devices."""
    from_score, exempt = threshold(), exempt_devices(now)
    counted = (
        (row["odd"], epoch.date, row)
        for epoch in scored_epochs(now)
        for row in scans_of(epoch)
        .filter(device__isnull=False)
        .exclude(device__in=exempt)
        .order_by()
        .values("device")
        .annotate(
            scans=Count("pk"),
            odd=Count("pk", filter=Q(abuse_score__gte=from_score)),
            red=Count("pk", filter=Q(approved=False)),
        )
        .filter(odd__gte=FEWEST)
    )
    worst = sorted(counted, key=lambda one: (-one[0], one[2]["device"], one[1]))[:MOST_ODD]
    devices = Device.objects.select_related("door__venue__organisation").in_bulk([row["device"] for *_, row in worst])
    return [_odd_day(devices[row["device"]], day, row) for _, day, row in worst if row["device"] in devices]


def _odd_day(device: Device, day: dt.date, row: Mapping[str, Any]) -> OddDay:
    venue = device.door.venue
    return OddDay(
        device=device.public_id,
        name=device.name,
        venue=venue.name,
        organisation=venue.organisation.name,
        day=day,
        scans=row["scans"],
        odd=row["odd"],
        red=row["red"],
    )


def _of_bin(at: int) -> Q:
    within = Q(abuse_score__gte=at / BINS)
    return within if at == BINS - 1 else within & Q(abuse_score__lt=(at + 1) / BINS)
