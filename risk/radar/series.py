"""Weekly series as they were known at each moment: recorded once, revised by further rows, never changed."""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Final

from django.db import transaction

from risk.models import Series, SeriesWeek

Key = tuple[str, dt.date]
"""Region, and last day of the week."""
SATURDAY: Final = 5
BATCH: Final = 5000


@dataclass(frozen=True, slots=True)
class Number:
    """One number. ``week`` is the week's last day, a Saturday; the unit is that of the series."""

    region: str
    week: dt.date
    value: float
    stderr: float | None = None
    sample_size: float | None = None


class UnitError(ValueError):
    """Numbers of another unit than their series has."""


def week_of(day: dt.date) -> dt.date:
    """The last day of a day's week: weeks are those of the CDC, from Sunday to Saturday."""
    return day + dt.timedelta(days=(SATURDAY - day.weekday()) % 7)


def numbers_known(series: Series, *, at: dt.datetime) -> Mapping[Key, Number]:
    """What was known of a series at a moment: the number of each region and week that was recorded last."""
    rows = SeriesWeek.objects.filter(series=series, recorded_at__lte=at).order_by("recorded_at", "pk")
    fields = rows.values_list("region", "week", "value", "stderr", "sample_size")
    return {(row[0], row[1]): Number(*row) for row in fields.iterator(chunk_size=BATCH)}


@transaction.atomic
def record_numbers(
    *,
    source: str,
    signal: str,
    unit: str,
    numbers: Iterable[Number],
    now: dt.datetime,
    simulated: bool = False,
) -> int:
    """Record numbers of one series, as known from `now` on; returns how many are new or differ from what was known.

    A number known already is not recorded again. What was recorded before stays, so that what was made of it can be
    made again; the unit of a series does not change. Raises `UnitError` for another unit.
    """
    series, _made = Series.objects.get_or_create(
        source=source, signal=signal, defaults={"unit": unit, "simulated": simulated}
    )
    # Two imports at once would each record what the other does.
    Series.objects.select_for_update().get(pk=series.pk)
    if series.unit != unit:
        raise UnitError(f"{series} holds numbers of the unit {series.unit}, not {unit}")
    known = numbers_known(series, at=now)
    new = [number for number in numbers if known.get((number.region, number.week)) != number]
    SeriesWeek.objects.bulk_create(
        [
            SeriesWeek(
                series=series,
                region=one.region,
                week=one.week,
                value=one.value,
                stderr=one.stderr,
                sample_size=one.sample_size,
                recorded_at=now,
            )
            for one in new
        ],
        batch_size=BATCH,
    )
    return len(new)
