"""Rows for the lake's tests."""

import datetime as dt
from collections.abc import Iterator
from typing import Any

import pyarrow as pa

from exports.dataset.engines import arrow_schema
from exports.dataset.tables import CROWD_TRACING, VERIFIED, Table

DAY = dt.date(2020, 10, 15)


def a_row(**values: Any) -> dict[str, Any]:
    """Return one row of a crowd tracing table, as a dictionary."""
    return {
        "scandate": "2020-10-15T12:30:00.000Z",
        "scannerdevice_zipcode": "02100",
        "type_of_scan": "Checkin",
        "risklevel": "Low",
        "accesslevel": "Public",
        "readingtype": "Gate",
        "symptoms": False,
        "diagnosed": False,
        "contact": False,
        "near": False,
        "result": "Approved",
        "scan_date": DAY,
    } | values


def a_table(rows: list[dict[str, Any]], described: Table = CROWD_TRACING) -> pa.Table:
    """Return rows in a table's schema; missing columns are null."""
    return pa.Table.from_pylist(rows, schema=arrow_schema(described))


def batches(rows: pa.Table, size: int = 1000) -> Iterator[pa.RecordBatch]:
    """Return the rows in small batches."""
    yield from rows.to_batches(max_chunksize=size)


def open_rows(count: int, *, day: dt.date = DAY, **values: Any) -> pa.Table:
    """Return `count` rows of the open table."""
    time = f"{day.isoformat()}T12:30:00.000Z"
    return a_table([a_row(scandate=time, scan_date=day) | values] * count)


def verified_rows(count: int, *, day: dt.date = DAY, zip3: str = "021", seed: str = "a", **values: Any) -> pa.Table:
    """Return `count` rows of one class of the verified table; every third answered yes to `contact`."""
    time = f"{day.isoformat()}T12:30:00.000Z"
    return a_table(
        [
            a_row(
                scandate=time,
                scan_date=day,
                scannerdevice_zipcode=zip3 + "00",
                userid=token(seed, number),
                contact=number % 3 == 0,
            )
            | values
            for number in range(count)
        ],
        VERIFIED,
    )


def token(seed: str, number: int) -> str:
    """Return a token in the format of real ones."""
    return f"{seed}{number:031x}"
