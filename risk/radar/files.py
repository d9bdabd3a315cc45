"""Files of series, vintages and forecasts: strictly validated on reading, and written for others to score."""

from __future__ import annotations

import csv
import gzip
import io
import zlib
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

import numpy as np
import pandas as pd
import pyarrow as pa
import pyarrow.parquet as pq

from common.files import UnreadableFileError, read_bytes, text_of
from risk.model.forecast.levels import LEVELS
from risk.model.forecast.panel import HORIZONS, WEEK, Days, Flags, Floats, Rows, Vintage
from risk.model.forecast.radar import Forecast
from risk.model.forecast.score import wide

COLUMNS: Final = ("model", "reference_date", "horizon", "target_end_date", "location", "quantile", "value")
FLAGS: Final = b"flags"
"""Metadata key of the Parquet file that holds remarks on areas, one per line."""
MISSING: Final = ("", "na", "nan", "null", "none", "<na>", "nat")
PARQUET: Final = b"PAR1"
GZIP: Final = b"\x1f\x8b"
"""First bytes of a Parquet file, and of a compressed one."""
NAMED: Final = 5
"""Number of rows that an error names."""
LARGEST_BYTES: Final = 1 << 30
"""Largest file, unpacked: a season of every area and vintage is a hundredth of it."""
_WEEKDAYS: Final = ("Monday", "Tuesday", "Wednesday", "Thursday", "Friday", "Saturday", "Sunday")


class BadFileError(Exception):
    """A file that cannot be used; the text names the file, the row and the reason."""


@dataclass(frozen=True, slots=True)
class Read:
    """A file's rows as text, and how to name a row."""

    path: Path
    table: pd.DataFrame
    first: int
    """Number of the first row: 2 in a CSV file, whose first line is the header."""

    def text(self, column: str) -> pd.Series:
        """Return a column as text without surrounding space; a missing value is ""."""
        values = self.table[column]
        return values.astype("string").fillna("").str.strip().astype(object)

    def refuse(self, wrong: Flags, reason: str, column: str | None = None) -> None:
        """Raise `BadFileError` if there are wrong rows, naming the first of them."""
        at = np.flatnonzero(wrong)
        if not len(at):
            return
        shown = [
            f"row {self.first + row}" + (f" ({self.table[column].iloc[row]!s:.40})" if column else "")
            for row in at[:NAMED]
        ]
        more = f" and {len(at) - NAMED} more" if len(at) > NAMED else ""
        raise BadFileError(f"{self.path.name}: {reason}: {', '.join(shown)}{more}.")

    def dates(self, column: str) -> Days:
        """Return a column of dates as days."""
        text = self.text(column).str.slice(0, 10)
        days = pd.to_datetime(text, format="%Y-%m-%d", errors="coerce")
        self.refuse(days.isna().to_numpy(), f"{column} is not a date like 2026-01-03", column)
        return np.asarray(days.to_numpy().astype("datetime64[D]"))

    def numbers(self, column: str) -> Floats:
        """Return a column of finite numbers that are not negative; NaN for an empty field."""
        text = self.text(column)
        missing = text.str.lower().isin(MISSING).to_numpy()
        numbers = pd.to_numeric(text.where(~missing), errors="coerce").to_numpy(np.float64)
        self.refuse(~missing & ~np.isfinite(numbers), f"{column} is not a number", column)
        self.refuse(~missing & (numbers < 0.0), f"{column} is below 0", column)
        return np.asarray(numbers)


def read(path: Path, columns: Sequence[str]) -> Read:
    """Read a CSV file or a Parquet file with these columns.

    CSV is plain or gzipped, in UTF-8 or in what its byte order mark says. What a file is, its first bytes say, whatever
    its name; only a name in `.parquet` promises Parquet.
    """
    parquet = path.suffix == ".parquet"
    try:
        if path.is_file() and path.stat().st_size > LARGEST_BYTES:
            raise _too_large(path)
        content = read_bytes(path)
        parquet = parquet or content.startswith(PARQUET)
        table, first = _read_parquet(path, content) if parquet else _read_csv(path, _unpacked(path, content))
    except UnreadableFileError as error:
        raise BadFileError(str(error)) from None
    except (OSError, EOFError, zlib.error, ValueError, pa.ArrowException, csv.Error) as error:
        reason = str(error).splitlines()[0][:300] if str(error) else type(error).__name__
        raise BadFileError(f"{path.name} cannot be read as {'Parquet' if parquet else 'CSV'}: {reason}") from None
    table.columns = [str(name).strip().lower() for name in table.columns]
    absent = [name for name in columns if name not in table.columns]
    if absent:
        raise BadFileError(f"{path.name} has no column {', '.join(absent)}; it needs {', '.join(columns)}.")
    if table.columns.duplicated().any():
        raise BadFileError(f"{path.name} has a column twice.")
    return Read(path, table.reset_index(drop=True), first)


def _too_large(path: Path) -> BadFileError:
    return BadFileError(f"{path.name} is larger than {LARGEST_BYTES >> 20} MB. Split it by years or regions.")


def _read_parquet(path: Path, content: bytes) -> tuple[pd.DataFrame, int]:
    """Return a table and the number of its first row; refuse one that is too large before it is unpacked."""
    meta = pq.read_metadata(io.BytesIO(content))
    if sum(meta.row_group(at).total_byte_size for at in range(meta.num_row_groups)) > LARGEST_BYTES:
        raise _too_large(path)
    return pd.read_parquet(io.BytesIO(content)), 1


def _unpacked(path: Path, content: bytes) -> bytes:
    """Return a file's content, unpacked unless it is too large."""
    if not content.startswith(GZIP):
        return content
    with gzip.open(io.BytesIO(content)) as packed:
        unpacked = packed.read(LARGEST_BYTES + 1)
    if len(unpacked) > LARGEST_BYTES:
        raise _too_large(path)
    return unpacked


def _read_csv(path: Path, content: bytes) -> tuple[pd.DataFrame, int]:
    """Return the texts as they are, and the number of the first row; blank lines at the end are no rows.

    Fields are counted, because a field too few would otherwise be read as a missing value.
    """
    rows = list(csv.reader(io.StringIO(text_of(path, content), newline=""), strict=True))
    while rows and not any(field.strip() for field in rows[-1]):
        rows.pop()
    at = next((at for at, row in enumerate(rows) if row), 0)
    if not rows:
        raise ValueError("it is empty")
    header, first = rows[at], at + 2
    if any("\0" in name for name in header):
        raise BadFileError(f"{path.name} holds NUL characters, as UTF-16 without a byte order mark. Save it as UTF-8.")
    if len(header) == 1 and any(sign in header[0] for sign in ";\t"):
        raise BadFileError(
            f"{path.name} has no commas between its columns. Save it with commas between columns and points in numbers."
        )
    rows = [row or [""] * len(header) for row in rows[at + 1 :]]
    for word, wrong in (("more", len), ("fewer", lambda row: -len(row))):
        odd = [first + number for number, row in enumerate(rows) if wrong(row) > wrong(header)]
        if odd:
            named = ", ".join(f"row {number}" for number in odd[:NAMED])
            rest = f" and {len(odd) - NAMED} more" if len(odd) > NAMED else ""
            raise BadFileError(f"{path.name} has rows with {word} fields than its header: {named}{rest}.")
    return pd.DataFrame(rows, columns=header, dtype=object), first


def read_history(path: Path) -> Rows:
    """Return the newest state of a series, from columns date, location, value."""
    return _rows(_checked(read(path, ("date", "location", "value")), "date", "location", "value"))


def read_vintages(path: Path) -> list[Vintage]:
    """Return the series as it was on each date, from columns date, location, value, as_of."""
    file = read(path, ("date", "location", "value", "as_of"))
    as_of, week = file.dates("as_of"), file.dates("date")
    file.refuse(week > as_of, "date is after as_of", "date")
    file.refuse((as_of - week).astype(np.int64) % 7 != 0, "as_of is not whole weeks after date", "as_of")
    table = _checked(file, "date", "location", "value", group=as_of)
    if table.empty:
        raise BadFileError(f"{path.name} has no values.")
    return [Vintage(np.datetime64(day, "D"), _rows(rows)) for day, rows in table.groupby("group")]


def read_references(paths: Iterable[Path]) -> list[Rows]:
    """Return other series in percent, one for each source, from columns source, region, week_end, ili_percent."""
    tables = []
    for path in paths:
        file = read(path, ("source", "region", "week_end", "ili_percent"))
        file.refuse(file.numbers("ili_percent") > 100.0, "ili_percent is above 100", "ili_percent")
        tables.append(_checked(file, "week_end", "region", "ili_percent", group=file.text("source")))
    if not tables:
        return []
    table = pd.concat(tables, ignore_index=True)
    if table.duplicated(["group", "week", "area"]).any():
        raise BadFileError("Two reference files have the same week and region of one source.")
    return [_rows(rows) for _, rows in table.groupby("group")]


def read_population(path: Path) -> dict[str, float]:
    """Return people by area, from columns location, population. An area without a number is left out."""
    file = read(path, ("location", "population"))
    area, people = file.text("location"), file.numbers("population")
    file.refuse(area.duplicated().to_numpy(), "location appears twice", "location")
    return {str(name): float(number) for name, number in zip(area, people, strict=True) if number > 0.0}


def read_forecasts(path: Path) -> pd.DataFrame:
    """Return forecasts, one row per task and a column for each of the 23 levels, from the columns `COLUMNS`."""
    file = read(path, COLUMNS)
    horizon, level = file.numbers("horizon"), file.numbers("quantile").round(4)
    file.refuse(~np.isin(horizon, np.arange(HORIZONS)), "horizon is not 0, 1, 2 or 3", "horizon")
    value = file.numbers("value")
    file.refuse(np.isnan(value), "value is missing", "value")
    table = pd.DataFrame(
        {
            "model": file.text("model"),
            "reference_date": _iso(file.dates("reference_date")),
            "horizon": horizon.astype(np.int64),
            "target_end_date": _iso(file.dates("target_end_date")),
            "location": file.text("location"),
            "quantile": level,
            "value": value,
        }
    )
    file.refuse(table.duplicated(list(COLUMNS[:-1])).to_numpy(), "a quantile appears twice")
    tasks = wide(table)
    lacking = tasks[LEVELS.tolist()].isna().any(axis=1)
    if lacking.any():
        task = tasks[lacking].iloc[0]
        raise BadFileError(
            f"{path.name}: {lacking.sum()} forecasts lack one of the 23 quantile levels, the first of them of "
            f"{task['model']} for {task['location']} on {task['reference_date']}, horizon {task['horizon']}."
        )
    return tasks


def read_truth(path: Path) -> pd.DataFrame:
    """Return the values reported later: `date` as text, `location`, `value`."""
    rows = read_history(path)
    return pd.DataFrame({"date": _iso(rows.week), "location": rows.area.astype(object), "value": rows.value})


def write_forecasts(path: Path, made: Sequence[Forecast], *, model: str) -> None:
    """Write Parquet with the columns of `COLUMNS`, dates as text; remarks are stored in the file's metadata."""
    columns: dict[str, list[Any]] = {name: [] for name in COLUMNS}
    for one in made:
        for horizon in range(HORIZONS):
            each = len(one.areas) * len(LEVELS)
            columns["reference_date"] += [str(one.as_of + WEEK)] * each
            columns["horizon"] += [horizon] * each
            columns["target_end_date"] += [str(one.as_of + (horizon + 1) * WEEK)] * each
            columns["location"] += np.repeat(one.areas, len(LEVELS)).tolist()
            columns["quantile"] += np.tile(LEVELS, len(one.areas)).tolist()
            columns["value"] += one.quantiles[:, horizon].ravel().tolist()
    columns["model"] = [model] * len(columns["value"])
    types = [pa.string(), pa.string(), pa.int8(), pa.string(), pa.string(), pa.float64(), pa.float64()]
    schema = pa.schema(list(zip(COLUMNS, types, strict=True)), metadata={FLAGS: "\n".join(remarks(made)).encode()})
    pq.write_table(pa.table(columns, schema=schema), path)


def remarks(made: Iterable[Forecast]) -> list[str]:
    """Return remarks on areas, each once, with the first and last as-of date and their number."""
    dates: dict[tuple[str, str], list[str]] = {}
    for one in made:
        for flag in one.flags:
            dates.setdefault(flag, []).append(str(one.as_of))
    return [
        f"{area or 'all areas'}: {text} (as of {days[0]}{f' to {days[-1]}, {len(days)} dates' if days[1:] else ''})"
        for (area, text), days in sorted(dates.items())
    ]


def _checked(file: Read, week: str, area: str, value: str, *, group: Any = "") -> pd.DataFrame:
    """Return the rows that have a value; each combination of group, week and area is allowed once."""
    table = pd.DataFrame(
        {"group": group, "week": file.dates(week), "area": file.text(area), "value": file.numbers(value)}
    )
    file.refuse((table["area"] == "").to_numpy(), f"{area} is missing")
    keys = ["group", "week", "area"]
    table = table.dropna(subset=["value"])
    other = table.drop_duplicates().duplicated(keys).reindex(file.table.index, fill_value=False)
    file.refuse(other.to_numpy(), f"another {value} for the same {week} and {area}", value)
    weekday = table["week"].dt.day_of_week
    if weekday.nunique() > 1:
        usual = int(weekday.mode().iloc[0])
        odd = (weekday != usual).reindex(file.table.index, fill_value=False)
        file.refuse(odd.to_numpy(), f"{week} is not a {_WEEKDAYS[usual]} like the others", week)
    return table.drop_duplicates(keys)


def _rows(table: pd.DataFrame) -> Rows:
    return Rows(
        table["week"].to_numpy().astype("datetime64[D]"),
        table["area"].to_numpy().astype(np.str_),
        table["value"].to_numpy(np.float64),
    )


def _iso(days: Days) -> np.ndarray:
    return np.datetime_as_string(days.astype("datetime64[D]")).astype(object)
