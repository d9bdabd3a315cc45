"""Messages of Amazon Athena's API (2017-05-18, JSON 1.1) for results of the query engine. Pure: no Django.

They include what pyathena and awswrangler need to run a query and read its rows.
"""

import datetime as dt
import decimal
import math
from collections.abc import Mapping
from typing import Any, Final

import pyarrow as pa

from exports.engine.results import type_name

TARGET: Final = "AmazonAthena."
CONTENT_TYPE: Final = "application/x-amz-json-1.1"
CATALOGUE: Final = "AwsDataCatalog"
ENGINE: Final = {"SelectedEngineVersion": "AUTO", "EffectiveEngineVersion": "Athena engine version 3"}
MOST_RESULTS: Final = 1000
# Clients wait and retry.
THROTTLED: Final = "TooManyRequestsException"

Json = dict[str, Any]


class AthenaError(Exception):
    """An error of Athena's API; `kind` is the name of its exception there."""

    def __init__(self, message: str, *, kind: str = "InvalidRequestException") -> None:
        super().__init__(message)
        self.kind = kind

    def body(self) -> Json:
        """Return the members of the response."""
        return {"__type": self.kind, "Message": str(self), "message": str(self)}


def text(value: Any, kind: pa.DataType | None = None) -> str | None:
    """Format a value of a type as Athena writes it in its results; `None` for null."""
    match value:
        case None | str():
            return value
        case bool():
            written = str(value).lower()
        case dt.datetime():
            digits = "microseconds" if value.microsecond % 1000 else "milliseconds"
            moment = value.replace(tzinfo=None).isoformat(sep=" ", timespec=digits)
            written = f"{moment} {getattr(value.tzinfo, 'key', 'UTC')}" if value.tzinfo else moment
        case dt.date():
            written = value.isoformat()
        case decimal.Decimal():
            written = format(value, "f")
        case bytes():
            written = value.hex(" ")
        case float():
            written = _floating(value, is_real=kind is not None and pa.types.is_float32(kind))
        case list() | dict():
            written = _nested(value, kind)
        case _:
            written = str(value)
    return written


def _floating(value: float, *, is_real: bool) -> str:
    """Format a floating-point number as Java does, with an exponent from ten million and below a thousandth: 1.0E7."""
    if not math.isfinite(value):
        return "NaN" if math.isnan(value) else "Infinity" if value > 0 else "-Infinity"
    shortest = str(pa.scalar(value, pa.float32()).cast(pa.string())) if is_real else repr(value)
    if "." not in shortest and "e" not in shortest:
        shortest += ".0"
    if value == 0 or 1e-3 <= abs(value) < 1e7:
        return format(decimal.Decimal(shortest), "f") if "e" in shortest else shortest
    sign, digits, _ = decimal.Decimal(shortest).normalize().as_tuple()
    mantissa = f"{digits[0]}.{''.join(map(str, digits[1:])) or '0'}"
    return f"{'-' if sign else ''}{mantissa}E{decimal.Decimal(shortest).adjusted()}"


def _nested(value: list[Any] | dict[str, Any], kind: pa.DataType | None) -> str:
    """Format a list, a map (a list of pairs) or a row."""
    if isinstance(value, dict):
        kinds = {field.name: field.type for field in kind} if kind is not None else {}
        return "{" + ", ".join(f"{name}={_inner(each, kinds.get(name))}" for name, each in value.items()) + "}"
    if (kind is not None and pa.types.is_map(kind)) or (value and isinstance(value[0], tuple)):
        key, item = (kind.key_type, kind.item_type) if kind is not None else (None, None)
        return "{" + ", ".join(f"{text(name, key)}={_inner(each, item)}" for name, each in value) + "}"
    return "[" + ", ".join(_inner(each, kind.value_type if kind is not None else None) for each in value) + "]"


def _inner(value: Any, kind: pa.DataType | None) -> str:
    """Format a value inside a list, a map or a row."""
    written = text(value, kind)
    return "null" if written is None else written


def texts(column: pa.Array | pa.ChunkedArray) -> list[str | None]:
    """Format the values of a column."""
    return [text(value, column.type) for value in column.to_pylist()]


def rows(table: pa.Table) -> list[list[str | None]]:
    """Yield the names of the columns, then the rows, all as texts."""
    columns = [texts(column) for column in table.columns]
    return [list(table.column_names), *(list(row) for row in zip(*columns, strict=True))]


def to_csv(table: pa.Table) -> bytes:
    """Return the result file: every text in quotes, null as an empty field."""
    lines = (",".join("" if cell is None else _quoted(cell) for cell in row) for row in rows(table))
    return "".join(line + "\n" for line in lines).encode()


def _quoted(cell: str) -> str:
    return '"' + cell.replace('"', '""') + '"'


def column_info(field: pa.Field, *, of_utility: bool = False) -> Json:
    """Return the metadata of one column of the results; texts that a utility statement gives are strings."""
    kind = type_name(field.type).partition("(")[0]
    if of_utility and kind == "varchar":
        kind = "string"
    precision = {"varchar": 2147483647, "bigint": 19, "integer": 10, "double": 17, "real": 17, "timestamp": 3}
    return {
        "CatalogName": "hive",
        "SchemaName": "",
        "TableName": "",
        "Name": field.name,
        "Label": field.name,
        "Type": kind,
        "Precision": field.type.precision if pa.types.is_decimal(field.type) else precision.get(kind, 0),
        "Scale": field.type.scale if pa.types.is_decimal(field.type) else 0,
        "Nullable": "UNKNOWN",
        "CaseSensitive": kind == "varchar",
    }


def results_page(table: pa.Table, *, start: int, most: int, of_utility: bool = False) -> Json:
    """Return the page of rows from `start`; row 0 holds the names. `NextToken` is the start of the next page."""
    # Only this page is formatted: formatting all values could take a second for each request.
    names = 1 if start == 0 else 0
    shown = rows(table.slice(max(0, start - 1), most - names))[1 - names :]
    page: Json = {
        "UpdateCount": 0,
        "ResultSet": {
            "Rows": [{"Data": [{} if cell is None else {"VarCharValue": cell} for cell in row]} for row in shown],
            "ResultSetMetadata": {"ColumnInfo": [column_info(field, of_utility=of_utility) for field in table.schema]},
        },
    }
    if start + most < table.num_rows + 1:
        page["NextToken"] = str(start + most)
    return page


def page_of(asked: Mapping[str, Any]) -> tuple[int, int]:
    """Parse the start of a page and its number of rows; raise `AthenaError`."""
    token, most = asked.get("NextToken") or "0", asked.get("MaxResults", MOST_RESULTS)
    if not (isinstance(token, str) and token.isascii() and token.isdigit() and len(token) < 12):
        raise AthenaError("NextToken is not one of this query's")
    if isinstance(most, bool) or not isinstance(most, int) or not 1 <= most <= MOST_RESULTS:
        raise AthenaError(f"MaxResults must be from 1 to {MOST_RESULTS}")
    return int(token), most


def work_group(*, name: str, made: float) -> Json:
    """Return the response of GetWorkGroup: one group, which keeps results itself.

    Its clients read rows by GetQueryResults, not from a bucket, whose keys outsiders lack (Amazon Athena user guide,
    "Managed query results").
    """
    return {
        "WorkGroup": {
            "Name": name,
            "State": "ENABLED",
            "Description": "Queries on the open tables",
            "CreationTime": made,
            "Configuration": {
                "EnforceWorkGroupConfiguration": True,
                "PublishCloudWatchMetricsEnabled": False,
                "RequesterPaysEnabled": False,
                "EngineVersion": ENGINE,
                "ManagedQueryResultsConfiguration": {"Enabled": True},
            },
        }
    }
