"""An engine over a small lake in memory or in files."""

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq

from exports.dataset.engines import arrow_schema
from exports.dataset.tables import CROWD_TRACING, DP_COUNTS, ZIP3, states_by_zip3
from exports.engine.engine import Engine, Source
from exports.engine.limits import Limits
from exports.lake.storage import Storage
from tests.exports.lake.factories import a_row

QUERIES = Path(__file__).parents[3] / "exports" / "queries"


def published(name: str) -> str:
    """Return a published query, byte for byte."""
    return (QUERIES / name).read_bytes().decode()


def some_rows() -> list[dict[str, Any]]:
    """Return rows of two days, two ZIPs and the empty one."""
    return [
        a_row(symptoms=True, risklevel="High", result="Declined"),
        a_row(),
        a_row(near=True, risklevel="Moderate", scannerdevice_zipcode="90200"),
        a_row(contact=True, scannerdevice_zipcode=""),
        a_row(diagnosed=True, scandate="2020-10-14T23:30:00.000Z", scan_date=None),
        a_row(scandate="2020-10-16T00:30:00.000Z"),
    ]


def write(folder: Path, rows: Sequence[dict[str, Any]]) -> str:
    """Write rows of the open table to one Parquet file; return its path."""
    folder.mkdir(parents=True, exist_ok=True)
    path = folder / "rows.parquet"
    pq.write_table(pa.Table.from_pylist(list(rows), schema=arrow_schema(CROWD_TRACING)), path)
    return str(path)


def an_engine(
    folder: Path, rows: Sequence[dict[str, Any]] | None = None, *, limits: Limits | None = None, ahead: bool = False
) -> Engine:
    """Return an engine over a file of rows, the lookup table and an empty table of counts."""
    file = write(folder / "lake", some_rows() if rows is None else rows)
    return Engine(
        schema="covid-19",
        sources=(
            Source(CROWD_TRACING, files=(file,)),
            Source(ZIP3, rows=sorted(states_by_zip3().items())),
            Source(DP_COUNTS),
        ),
        storage=Storage((folder / "lake").as_uri()),
        limits=limits or Limits(),
        slots=folder,
        ahead=ahead,
    )
