"""Signals in the ledger and in the lake: those of each day with its release, those of a week once it is complete."""

import datetime as dt
from collections.abc import Iterable, Iterator, Sequence
from typing import Any, Final

import pyarrow as pa

from exports.dataset.engines import arrow_schema
from exports.dataset.tables import SIGNALS
from exports.lake.catalogue import Lake
from exports.lake.write import overwrite_day
from exports.models import Release, Step
from exports.policy.signals import DAYS_OF_A_WEEK, Signal, by_week, first_of_week

# Digits after the point: far below any standard error.
DIGITS: Final = 3


def stored_signals(signals: Iterable[Signal]) -> list[list[Any]]:
    """Return signals in the ledger's format: without the day, and with values rounded far below their error."""
    return [[*each[1:]] for each in rounded(signals)]


def rounded(signals: Iterable[Signal]) -> list[Signal]:
    """Return signals with values and errors rounded far below the errors."""
    return [each._replace(value=round(each.value, DIGITS), stderr=round(each.stderr, DIGITS)) for each in signals]


def read_signals(day: dt.date, stored: Sequence[Sequence[Any]]) -> list[Signal]:
    """Return the signals of a release."""
    return [Signal(day, *line) for line in stored]


def write_signals(*, lake: Lake, day: dt.date, signals: Sequence[Sequence[Any]], job: str) -> None:
    """Write a release's stored signals to the lake, and those of its week into the partition of the week's last day.

    A day that is released after the last one of its week completes the week, so that partition is written again.
    """
    week = _others_of_week(day) | {day: read_signals(day, signals)}
    sunday = first_of_week(day) + dt.timedelta(days=DAYS_OF_A_WEEK - 1)
    weekly = rounded(by_week(week.values()))
    own = week[day] + (weekly if day == sunday else [])
    overwrite_day(lake=lake, described=SIGNALS, day=day, batches=lambda: _batches(own), job=job)
    if weekly and day != sunday:
        last = week[sunday] + weekly
        overwrite_day(lake=lake, described=SIGNALS, day=sunday, batches=lambda: _batches(last), job=f"{job}-week")


def _others_of_week(day: dt.date) -> dict[dt.date, list[Signal]]:
    """Return the signals of the other announced days of a day's week."""
    monday = first_of_week(day)
    days = (monday, monday + dt.timedelta(days=DAYS_OF_A_WEEK - 1))
    others = Release.objects.filter(step=Step.ANNOUNCED, day__range=days).exclude(day=day).order_by("day")
    return {other: read_signals(other, stored) for other, stored in others.values_list("day", "signals")}


def _batches(signals: Sequence[Signal]) -> Iterator[pa.RecordBatch]:
    yield from signals_table(signals).to_batches()


def signals_table(signals: Sequence[Signal]) -> pa.Table:
    """Return signals in the schema of their table, in its order."""
    schema = arrow_schema(SIGNALS)
    ordered = sorted(signals, key=lambda each: (each.day, each.geo_type, each.geo_value, each.signal, each.time_value))
    columns = list(zip(*ordered, strict=True)) if ordered else [()] * len(schema)
    made = dict(zip(Signal._fields, columns, strict=True))
    made["scan_date"] = made.pop("day")
    return pa.Table.from_arrays([pa.array(made[field.name], field.type) for field in schema], schema=schema)
