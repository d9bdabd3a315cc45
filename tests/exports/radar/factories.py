"""Weekly series for tests of the radar."""

from __future__ import annotations

import datetime as dt
import math
from collections.abc import Iterable

from exports.radar.models import RadarRun
from exports.radar.runs import forecast_all
from risk.model.forecast.boosting import Boosting
from risk.models import Series
from risk.radar.series import Number, record_numbers

LAST = dt.date(2026, 2, 7)
QUICK = Boosting(rounds=3, bags=1)
REGIONS = ("US", "CA", "NY", "941", "900")
SIZE = {"US": 400.0, "CA": 100.0, "NY": 60.0, "941": 40.0, "900": 50.0}


def moment(week: dt.date) -> dt.datetime:
    """Return when a week is reported: noon four days after its end."""
    return dt.datetime.combine(week + dt.timedelta(days=4), dt.time(12), dt.UTC)


def value(region: str, week: dt.date) -> float:
    """Return a winter wave, equal everywhere except for its size."""
    winter = math.exp(-0.5 * (((week - dt.date(2026, 1, 24)).days / 7.0 + 26) % 52 - 26) ** 2 / 16.0)
    return round(SIZE.get(region, 80.0) * (0.2 + winter))


def record(
    weeks: Iterable[dt.date],
    *,
    now: dt.datetime,
    regions: Iterable[str] = REGIONS,
    source: str = "Office",
    **more: float,
) -> Series:
    """Record weeks of a series of counts; `more` has values of regions that differ from the usual ones."""
    numbers = [Number(region, week, more.get(region, value(region, week))) for week in weeks for region in regions]
    record_numbers(source=source, signal="admissions", unit="count", numbers=numbers, now=now)
    return Series.objects.get(source=source)


def weeks_to(last: dt.date, count: int) -> list[dt.date]:
    """Return consecutive weeks, oldest first."""
    return [last - dt.timedelta(weeks=age) for age in reversed(range(count))]


def weekly_runs(
    count: int, *, history: int = 30, regions: Iterable[str] = REGIONS, last: dt.date = LAST
) -> list[RadarRun]:
    """Make runs of consecutive weeks, each when its week was reported."""
    found: list[RadarRun] = []
    regions = tuple(regions)
    first = last - dt.timedelta(weeks=count)
    record(weeks_to(first, history), now=moment(first), regions=regions)
    for week in weeks_to(last, count):
        record([week], now=moment(week), regions=regions)
        found += forecast_all(now=moment(week), settings=QUICK)
    return found
