"""A query's rows in every format of the API."""

import datetime as dt
import decimal
import io
import json
import math
import re
from collections.abc import Callable, Iterable, Iterator
from typing import Any, Final

import pyarrow as pa
import pyarrow.parquet as pq

from exports.engine.errors import QueryError

MEDIA_TYPES: Final = {
    "csv": "text/csv; charset=utf-8",
    "parquet": "application/vnd.apache.parquet",
    "arrow": "application/vnd.apache.arrow.stream",
}
TYPE_NAMES: Final[dict[pa.DataType, str]] = {
    pa.string(): "varchar",
    pa.int64(): "bigint",
    pa.int32(): "integer",
    pa.int16(): "smallint",
    pa.int8(): "tinyint",
    pa.float64(): "double",
    pa.float32(): "real",
    pa.bool_(): "boolean",
    pa.date32(): "date",
    pa.binary(): "varbinary",
    pa.large_string(): "varchar",
    pa.large_binary(): "varbinary",
    pa.null(): "unknown",
    pa.time64("us"): "time",
    # DuckDB's own types: the smallest of Athena's types that can represent their values.
    pa.uint8(): "smallint",
    pa.uint16(): "integer",
    pa.uint32(): "bigint",
    pa.uint64(): "decimal(20,0)",
}
# Rows of CSV that are formatted at once.
PART_ROWS: Final = 2000
# Spreadsheets treat a cell that begins with one of these as a formula, some also the full-width forms (OWASP, "CSV
# Injection"), but not a number with a sign.
FORMULA_STARTS: Final = ("=", "+", "-", "@", "\t", "\r", "\n", "\uff1d", "\uff0b", "\uff0d", "\uff20")
_NUMBER: Final = re.compile(r"[+-](\d+(\.\d*)?|\.\d+)([eE][+-]?\d+)?", re.ASCII)


def columns_of(table: pa.Table) -> list[dict[str, str]]:
    """Return name and type of each column, with Athena's type names if they exist."""
    return [{"name": field.name, "type": type_name(field.type)} for field in table.schema]


def type_name(kind: pa.DataType) -> str:
    """Return Athena's name of an Arrow type."""
    if pa.types.is_timestamp(kind):
        return "timestamp with time zone" if kind.tz else "timestamp"
    if pa.types.is_decimal(kind):
        return f"decimal({kind.precision},{kind.scale})"
    if pa.types.is_dictionary(kind):
        return type_name(kind.value_type)
    return _nested_name(kind) or TYPE_NAMES.get(kind, str(kind))


def _nested_name(kind: pa.DataType) -> str:
    if pa.types.is_list(kind) or pa.types.is_fixed_size_list(kind):
        return f"array({type_name(kind.value_type)})"
    if pa.types.is_map(kind):
        return f"map({type_name(kind.key_type)},{type_name(kind.item_type)})"
    if pa.types.is_struct(kind):
        return f"row({','.join(f'{field.name} {type_name(field.type)}' for field in kind)})"
    return ""


def json_rows(table: pa.Table) -> list[list[Any]]:
    """Return rows as JSON values: dates and times as ISO 8601 with `Z`, NaN and infinities as null."""
    return [[_json(value) for value in row] for row in _rows(table)]


def _rows(rows: pa.Table | pa.RecordBatch) -> Iterator[tuple[Any, ...]]:
    columns = [column.to_pylist() for column in rows.columns]
    yield from zip(*columns, strict=True)


def _json(value: Any) -> Any:
    if isinstance(value, float):
        return value if math.isfinite(value) else None
    if isinstance(value, (list, tuple)):  # a tuple is a pair of a map
        return [_json(each) for each in value]
    if isinstance(value, dict):
        return {str(name): _json(each) for name, each in value.items()}
    return value if value is None or isinstance(value, (bool, int, str)) else _text(value)


def _text(value: Any) -> str:
    if isinstance(value, dt.datetime):
        text = value.isoformat()
        return text.replace("+00:00", "Z")
    if isinstance(value, (dt.date, dt.time)):
        return value.isoformat()
    if isinstance(value, (list, dict)):
        return json.dumps(value, ensure_ascii=False)
    if isinstance(value, bytes):
        return value.hex()
    if isinstance(value, decimal.Decimal):
        return format(value, "f")
    return str(value)


def to_csv(table: pa.Table) -> bytes:
    """Return the CSV of `csv_parts` as a whole."""
    return b"".join(table_parts(table))


def table_parts(table: pa.Table, *, missing: str = "") -> Iterator[bytes]:
    """Yield the rows of a table as CSV, see `csv_parts`."""
    return csv_parts(table.column_names, table.to_batches(max_chunksize=PART_ROWS), missing=missing)


def csv_parts(names: Iterable[str], batches: Iterable[pa.RecordBatch], *, missing: str = "") -> Iterator[bytes]:
    """Yield CSV (RFC 4180) with a header, one part for each batch: null is an empty field, an empty text is `""`.

    A text that spreadsheets treat as a formula gets a leading apostrophe; numbers never do, nor do texts that are
    numbers. `missing` is written as a last line that begins with `#` and says which rows are missing; it must not have
    commas or quotes. No other line begins so, and a cell with `#` is in quotes, so that readers may skip comments.
    """
    yield _line(_quoted(_safe(name)) for name in names)
    for batch in batches:
        yield b"".join(_line(map(_cell, row)) for row in _rows(batch))
    if missing:
        yield _line([f"# {missing}"])


def _line(cells: Iterable[str]) -> bytes:
    return (",".join(cells) + "\r\n").encode()


def _cell(value: Any) -> str:
    if value is None:
        return ""
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, (int, float)):
        return repr(value)
    if isinstance(value, decimal.Decimal):
        return format(value, "f")
    return _quoted(_safe(value if isinstance(value, str) else _text(_json(value))))


def _quoted(text: str) -> str:
    """Quote a text if it needs quotes; so does an empty one, because null has none."""
    needed = not text or any(letter in text for letter in ',"\r\n#')
    return '"' + text.replace('"', '""') + '"' if needed else text


def _safe(text: str) -> str:
    return "'" + text if text.startswith(FORMULA_STARTS) and not _NUMBER.fullmatch(text) else text


def to_parquet(table: pa.Table) -> bytes:
    """Return a Parquet file, compressed with zstd; raise `QueryError` for two columns of one name."""
    seen: set[str] = set()
    for name in table.column_names:
        if name.lower() in seen:
            detail = f'Two columns are named "{name}", and Parquet files hold each name once: name them apart with AS.'
            raise QueryError("duplicate-names", detail, nearest=(f"{name}_2",))
        seen.add(name.lower())
    out = io.BytesIO()
    pq.write_table(table, out, compression="zstd")
    return out.getvalue()


def to_arrow(table: pa.Table) -> bytes:
    """Return an Arrow IPC stream."""
    out = io.BytesIO()
    with pa.ipc.new_stream(out, table.schema) as writer:
        writer.write_table(table)
    return out.getvalue()


# Writer and download name of each format.
WRITERS: Final[dict[str, Callable[[pa.Table], bytes]]] = {"csv": to_csv, "parquet": to_parquet, "arrow": to_arrow}
FILE_NAMES: Final = {"csv": "rows.csv", "parquet": "rows.parquet", "arrow": "rows.arrows"}
