"""Rows of passes in the verified tier, with their index, for tests of erasure."""

import datetime as dt
import secrets
from collections.abc import Sequence
from typing import Any

import pyarrow as pa

from exports.dataset.tables import VERIFIED
from exports.hashes import index_hash
from exports.lake.catalogue import Lake
from exports.lake.deployment import deployment_lake
from exports.lake.rewrite import name_of
from exports.lake.write import overwrite_day
from exports.models import IndexEntry, VerifiedFile
from passes.models import Pass
from tests.exports.lake.factories import a_row, a_table


def publish(rows: Sequence[Pass], *, day: dt.date) -> None:
    """Publish a row for each pass, in one file of the day: no class of fewer than 30 unless there are fewer rows."""
    tokens = {bytes(row.owner_hash): secrets.token_bytes(16) for row in rows}
    table = a_table([_row(row, tokens[bytes(row.owner_hash)], day) for row in rows], VERIFIED)
    with deployment_lake() as lake:
        name = _write(lake, table, day)
    file = VerifiedFile.objects.create(day=day, name=name)
    IndexEntry.objects.bulk_create(
        IndexEntry(index_hash=index_hash(owner), file=file, token=token) for owner, token in tokens.items()
    )


def _row(row: Pass, token: bytes, day: dt.date) -> dict[str, Any]:
    return a_row(
        scandate=f"{day.isoformat()}T12:30:00.000Z",
        scan_date=day,
        userid=token.hex(),
        scannerdevice_zipcode=row.venue.zip3 + "00",
        symptoms=row.symptoms,
        contact=row.contact,
    )


def _write(lake: Lake, table: pa.Table, day: dt.date) -> str:
    overwrite_day(lake=lake, described=VERIFIED, day=day, batches=table.to_batches, job=f"verified-{day}")
    found = lake.table(VERIFIED)
    tasks = found.scan(row_filter=f"scan_date == '{day}'").plan_files()
    return next(name_of(found, task.file) for task in tasks)


def published_rows() -> list[dict[str, Any]]:
    """Return every row of the verified tier, in the order of tokens."""
    with deployment_lake() as lake:
        rows: list[dict[str, Any]] = lake.table(VERIFIED).scan().to_arrow().to_pylist()
    return sorted(rows, key=lambda row: str(row["userid"]))


def token_of(row: Pass) -> str:
    """Return the token of a pass's row."""
    return bytes(IndexEntry.objects.get(pk=index_hash(bytes(row.owner_hash))).token).hex()
