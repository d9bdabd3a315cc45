"""Import files of official series: every row is checked, and each refused one is named with its reason.

All rows or none are stored. Three formats are recognised by their columns: known active cases (`region`, `week`,
`known_active_per_person`, `source`), FluSight's target data (`date` or `target_end_date`, `location`, `value` or
`observation`) and COVIDcast's (`geo_type`, `geo_value`, `time_value`, `value`). A file is CSV, plain or gzipped, with
or without a byte order mark, or Parquet.
"""

from __future__ import annotations

import datetime as dt
import math
import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Final, TypeVar

from django.db import transaction

from risk.crowd.cases import LONGEST_SOURCE, NewSignal, monday, record_public_signals
from risk.radar.files import MISSING, BadFileError, Read, read
from risk.radar.regions import GEO_TYPES, NATION, find_region
from risk.radar.series import Number, UnitError, record_numbers, week_of

KNOWN_ACTIVE: Final = "known_active_per_person"
FLUSIGHT: Final = ("FluSight", "hospital admissions")
"""Source and signal of a file in FluSight's format, which names neither."""
LONGEST_NAME: Final = 60
LARGEST: Final = 1e12
OLDEST: Final = dt.date(1990, 1, 1)
SHOWN: Final = 50
"""Number of refused rows that an error names; it counts the others."""
NEWEST: Final = dt.date(9000, 1, 1)
SHOWN_COLUMNS: Final = 12
_VALUES: Final = {"value", "observation"}
_DATE: Final = re.compile(r"(\d{4})-?(\d{2})-?(\d{2})(?:[T ][0-9:.]*(?:Z|[+-][0-9:]+)?)?", re.ASCII)
_EPIWEEK: Final = re.compile(r"(\d{4})(\d{2})(?:\.0)?", re.ASCII)


class BadRowsError(BadFileError):
    """A file with rows that cannot be used: ``rows`` holds the number of each and the reason."""

    def __init__(self, path: Path, rows: list[tuple[int, str]]) -> None:
        self.rows = rows
        more = f"\n... and {len(rows) - SHOWN} more rows" if len(rows) > SHOWN else ""
        listed = "\n".join(f"row {number}: {reason}" for number, reason in rows[:SHOWN])
        super().__init__(f"{path.name}: {len(rows)} rows are refused, nothing was stored.\n{listed}{more}")


class _RowError(ValueError):
    """The reason why one row cannot be used."""


@dataclass(frozen=True, slots=True)
class Imported:
    """The result of an import: numbers of rows stored as new or as revised, known already, and without a value."""

    stored: int
    known: int
    empty: int


@dataclass(frozen=True, slots=True)
class _Raw:
    """A row of a weekly series in the form of its format: texts, and a day of its week."""

    source: str
    signal: str
    region: str
    kind: str
    day: dt.date
    value: str
    stderr: str = ""
    sample_size: str = ""


Row = Mapping[str, str]
Made = TypeVar("Made")


def import_file(
    path: Path,
    *,
    now: dt.datetime,
    source: str = "",
    signal: str = "",
    unit: str = "",
    total: bool = False,
) -> Imported:
    """Store a file's rows in one transaction, as known from `now` on.

    A week with another known value becomes a revision. `source` and `signal` name the series if the file does not.
    `unit` is `count` or `percent`; the default is counts for FluSight's format and percent for COVIDcast's. `total`:
    known active cases are shares of people who are infectious. Raise `BadFileError` for a file that cannot be read, and
    `BadRowsError` for rows that cannot be used.
    """
    file = read(path, ())
    columns = {str(name) for name in file.table.columns}
    is_covidcast = {"geo_type", "geo_value", "time_value", "value"} <= columns
    is_flusight = bool("location" in columns and columns & {"date", "target_end_date"} and columns & _VALUES)
    if (KNOWN_ACTIVE in columns) + is_covidcast + is_flusight > 1:
        raise BadFileError(f"{path.name} has the columns of more than one format. Keep those of one.")
    if KNOWN_ACTIVE in columns:
        return _import_known_active(read(path, ("region", "week", KNOWN_ACTIVE, "source")), now=now, total=total)
    if is_covidcast:
        shape, usual = _covidcast(source, signal), "percent"
    elif is_flusight:
        shape, usual = _flusight(source or FLUSIGHT[0], signal or FLUSIGHT[1]), "count"
    else:
        named = ", ".join(f"{name:.40}" for name in sorted(columns)[:SHOWN_COLUMNS])
        raise BadFileError(
            f"{path.name} has the columns {named}. It needs region, week, {KNOWN_ACTIVE}, source; "
            "or date, location, value like FluSight; or geo_type, geo_value, time_value, value like COVIDcast."
        )
    return _import_series(file, shape, now=now, unit=unit or usual)


# Known active cases ---------------------------------------------------------------------------------------------------
def _import_known_active(file: Read, *, now: dt.datetime, total: bool) -> Imported:
    def made(row: Row) -> tuple[tuple[str, ...], NewSignal]:
        signal = _known_active(row, now.date(), total=total)
        return (signal.region, str(signal.week)), signal

    signals, _empty = _checked(file, made)
    stored = record_public_signals(signals=signals, now=now)
    return Imported(stored, len(signals) - stored, 0)


def _known_active(row: Row, today: dt.date, *, total: bool) -> NewSignal:
    region = _region(row["region"], "")
    if region == NATION:
        raise _RowError("region is neither a state nor three digits of a ZIP code")
    week = monday(_day(row["week"], "week"))
    if week > today:
        raise _RowError(f"the week of {week} is in the future")
    share = _number(row[KNOWN_ACTIVE], KNOWN_ACTIVE)
    if share is None or share > 1.0:
        raise _RowError(f"{KNOWN_ACTIVE} is a share, from 0 to 1")
    if not 0 < len(row["source"]) <= LONGEST_SOURCE or not row["source"].isprintable():
        raise _RowError(f"source must name the origin, in up to {LONGEST_SOURCE} characters")
    return NewSignal(region, week, share, row["source"], already_total=total)


# Weekly series --------------------------------------------------------------------------------------------------------
def _import_series(file: Read, shape: Callable[[Row], _Raw], *, now: dt.datetime, unit: str) -> Imported:
    """Check and store the rows of one or more series."""

    def made(row: Row) -> tuple[tuple[str, ...], tuple[str, str, Number] | None]:
        raw = shape(row)
        number = _weekly(raw, now.date(), unit)
        key = raw.source, raw.signal, _region(raw.region, raw.kind), str(week_of(raw.day))
        return key, None if number is None else (raw.source, raw.signal, number)

    rows, empty = _checked(file, made)
    series: dict[tuple[str, str], list[Number]] = {}
    for source, signal, number in rows:
        series.setdefault((source, signal), []).append(number)
    try:
        with transaction.atomic():
            stored = sum(
                record_numbers(source=source, signal=signal, unit=unit, numbers=numbers, now=now)
                for (source, signal), numbers in series.items()
            )
    except UnitError as error:
        raise BadFileError(f"{file.path.name}: {error}; nothing was stored.") from None
    return Imported(stored, len(rows) - stored, empty)


def _flusight(source: str, signal: str) -> Callable[[Row], _Raw]:
    """Parse target data of FluSight: `date` or `target_end_date` ends the week, `location` is FIPS digits or US."""

    def raw(row: Row) -> _Raw:
        day = _day(row["target_end_date"] if "target_end_date" in row else row["date"], "date")
        value = row["observation"] if "observation" in row else row["value"]
        return _Raw(source, signal, row["location"], "", day, value)

    return raw


def _covidcast(source: str, signal: str) -> Callable[[Row], _Raw]:
    """Parse rows of COVIDcast: `time_value` is a day of the week, or an epidemiological week such as 202401."""

    def raw(row: Row) -> _Raw:
        if row.get("time_type", "") not in {"week", ""}:
            raise _RowError(f"time_type is {row['time_type']:.20}: only weeks are read, so sum or average days first")
        kind = row["geo_type"].lower()
        if kind not in GEO_TYPES:
            raise _RowError(f"geo_type {kind:.20} is not {', '.join(GEO_TYPES)}")
        named = source or row.get("data_source", "") or row.get("source", "")
        day = _epiweek(row["time_value"]) or _day(row["time_value"], "time_value")
        more = row.get("stderr", ""), row.get("sample_size", "")
        return _Raw(named, signal or row.get("signal", ""), row["geo_value"], kind, day, row["value"], *more)

    return raw


def _weekly(raw: _Raw, today: dt.date, unit: str) -> Number | None:
    """Return a row's number; `None` if it has no value, which is a missing week."""
    for name, text in (("source", raw.source), ("signal", raw.signal)):
        if not 0 < len(text) <= LONGEST_NAME or not text.isprintable():
            raise _RowError(f"{name} has 1 to {LONGEST_NAME} characters; --{name} gives one to every row")
    region, week = _region(raw.region, raw.kind), week_of(raw.day)
    if week > today:
        raise _RowError(f"the week to {week} is in the future or not over yet")
    value = _number(raw.value, "value")
    if value is not None and unit == "percent" and value > 100.0:
        raise _RowError("value is above 100, and the unit is percent; --unit count reads counts")
    more = _number(raw.stderr, "stderr"), _number(raw.sample_size, "sample_size")
    return None if value is None else Number(region, week, value, *more)


# Rows and fields ------------------------------------------------------------------------------------------------------
def _checked(file: Read, make: Callable[[Row], tuple[tuple[str, ...], Made | None]]) -> tuple[list[Made], int]:
    """Return the result of `make` for each row, and the number of rows without a value.

    Raise `BadRowsError` with every row that is refused.
    """
    names = [str(name) for name in file.table.columns]
    columns = [file.text(name) for name in names]
    first: dict[tuple[str, ...], int] = {}
    found: list[Made] = []
    faults: list[tuple[int, str]] = []
    for number, texts in enumerate(zip(*columns, strict=True), start=file.first):
        try:
            key, made = make(dict(zip(names, texts, strict=True)))
            if key in first:
                raise _RowError(f"{' '.join(key[-2:])} is in row {first[key]} already")
            first[key] = number
            if made is not None:
                found.append(made)
        except _RowError as error:
            faults.append((number, str(error)))
    if faults:
        raise BadRowsError(file.path, faults)
    return found, len(first) - len(found)


def _region(text: str, kind: str) -> str:
    region = find_region(text, kind)
    if region is None:
        raise _RowError(f"{text[:20]!r} is not a known region" + (f" of the kind {kind}" if kind else ""))
    return region


def _day(text: str, name: str) -> dt.date:
    found = _DATE.fullmatch(text)
    try:
        day = dt.date(*(int(part) for part in found.groups())) if found else None
    except ValueError:
        day = None
    if day is None:
        raise _RowError(f"{name} {text[:20]!r} is not a date like 2026-01-03")
    if day < OLDEST:
        raise _RowError(f"{name} {day} is before {OLDEST}")
    if day > NEWEST:
        raise _RowError(f"{name} {day} is in the future")
    return day


def _epiweek(text: str) -> dt.date | None:
    """Return the last day of a week of the CDC's calendar, whose first week has 4 January; `None` for another text."""
    found = _EPIWEEK.fullmatch(text)
    if found is None:
        return None
    year, week = int(found[1]), int(found[2])
    if not OLDEST.year <= year < dt.MAXYEAR:
        raise _RowError(f"time_value {text} is before {OLDEST} or no week")
    day = week_of(dt.date(year, 1, 4)) + dt.timedelta(weeks=week - 1)
    if week < 1 or day >= week_of(dt.date(year + 1, 1, 4)):
        raise _RowError(f"time_value {text}: the year {year} has no week {week}")
    return day


def _number(text: str, name: str) -> float | None:
    """Return a finite number that is not negative; `None` for an empty field."""
    if text.lower() in MISSING:
        return None
    try:
        value = float(text.replace("_", "x")) if text.isascii() else math.nan
    except ValueError:
        value = math.nan
    if not math.isfinite(value):
        raise _RowError(f"{name} {text[:20]!r} is not a number")
    if value < 0.0:
        raise _RowError(f"{name} {text[:20]} is below 0")
    if value > LARGEST:
        raise _RowError(f"{name} {text[:20]} is above {LARGEST:.0e}")
    return value
