"""Weekly series as they were known at each time: recorded once, revised by further rows, never changed."""

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
    """One number. ``week`` is the last day of the week, a Saturday; the unit is that of the series."""

    region: str
    week: dt.date
    value: float
    stderr: float | None = None
    sample_size: float | None = None


class UnitError(ValueError):
    """Numbers whose unit differs from that of their series."""


def week_of(day: dt.date) -> dt.date:
    """Return the last day of a day's week: weeks are those of the CDC, from Sunday to Saturday."""
    return day + dt.timedelta(days=(SATURDAY - day.weekday()) % 7)


def numbers_known(series: Series, *, at: dt.datetime) -> Mapping[Key, Number]:
    """Return what was known of a series at a time: for each region and week, the number that was recorded last."""
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
    """Record numbers of one series, as known from `now` on; return how many are new or differ from what was known.

    A number that is known already is not recorded again. Earlier numbers stay, so that results computed from them can
    be reproduced; the unit of a series does not change. A series with simulated numbers in it stays one. Raise
    `UnitError` for another unit.
    """
    series, _made = Series.objects.get_or_create(
        source=source, signal=signal, defaults={"unit": unit, "simulated": simulated}
    )
    # Two concurrent imports would each record the same numbers.
    series = Series.objects.select_for_update().get(pk=series.pk)
    if simulated and not series.simulated:
        series.simulated = True
        series.save(update_fields=["simulated"])
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
