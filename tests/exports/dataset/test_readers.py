"""The query engine, pyiceberg and DuckDB read a release in the lake, and all return the released counts."""

import datetime as dt
from importlib.resources import files
from pathlib import Path

import duckdb
import pytest

from exports.dataset.tables import CROWD_TRACING, OPEN_TABLES
from exports.engine.engine import Engine
from exports.engine.sources import open_sources
from exports.lake.catalogue import Lake
from exports.lake.storage import local_path
from exports.policy.fit import Fitted
from tests.exports.conftest import DATABASE
from tests.exports.engine.factories import locked, published
from tests.exports.releases import expected_daily, release_day

DAYS = (dt.date(2020, 10, 14), dt.date(2020, 10, 15))


def engine_of(lake: Lake, folder: Path, **snapshots: int) -> Engine:
    return Engine(schema=DATABASE, sources=open_sources(lake, snapshots=snapshots), storage=lake.storage, slots=folder)


def daily(lake: Lake, folder: Path, **snapshots: int) -> dict[dt.date, tuple[int, ...]]:
    rows = engine_of(lake, folder, **snapshots).run(published("daily_counts.sql")).table.to_pylist()
    return {row["date"]: tuple(list(row.values())[1:]) for row in rows}


def test_the_published_queries_say_what_was_released(lake: Lake, tmp_path: Path) -> None:
    released = {day: release_day(lake, day=day, size=3000, seed=number) for number, day in enumerate(DAYS)}
    assert daily(lake, tmp_path) == {day: expected_daily(fitted) for day, fitted in released.items()}
    rows = engine_of(lake, tmp_path).run(published("counts_by_state_and_risklevel.sql")).table.to_pylist()
    assert {row["date"] for row in rows} == {DAYS[1]}
    assert {(row["zip"], row["state"]) for row in rows} == {("021", "MA"), ("100", "NY"), ("902", "CA")}
    assert sum(row["total_count"] for row in rows) == released[DAYS[1]].cells[1:].sum()


def test_the_published_queries_run_before_the_first_release(lake: Lake, tmp_path: Path) -> None:
    assert daily(lake, tmp_path) == {}


def test_a_query_can_go_back_to_an_earlier_release(local_lake: Lake, tmp_path: Path) -> None:
    first = release_day(local_lake, day=DAYS[0], size=500)
    snapshot = local_lake.table(CROWD_TRACING).current_snapshot()
    assert snapshot is not None
    release_day(local_lake, day=DAYS[1], size=700)
    earlier = {CROWD_TRACING.name: snapshot.snapshot_id}
    assert daily(local_lake, tmp_path, **earlier) == {DAYS[0]: expected_daily(first)}
    assert set(daily(local_lake, tmp_path)) == set(DAYS)


def test_the_query_process_cannot_read_other_files_of_the_lake(lake: Lake, tmp_path: Path) -> None:
    release_day(lake, day=DAYS[0], size=500)
    connection = locked(engine_of(lake, tmp_path))
    for target in (lake.location(CROWD_TRACING) + "/metadata/x.parquet", lake.storage.at("verified", "x.parquet")):
        path = target if lake.storage.is_s3 else str(local_path(target))
        with pytest.raises(duckdb.PermissionException):
            connection.execute(f"SELECT * FROM read_parquet('{path}')")


def test_pyiceberg_and_duckdb_read_the_same_rows(local_lake: Lake) -> None:
    fitted: Fitted = release_day(local_lake, day=DAYS[1], size=2000)
    for described in OPEN_TABLES:
        scan = local_lake.table(described).scan()
        files = [str(local_path(task.file.file_path)) for task in scan.plan_files()]
        with duckdb.connect(":memory:") as connection:
            counted = connection.execute("SELECT count(*) FROM read_parquet(?)", [files]).fetchone()
        assert counted == (scan.to_arrow().num_rows,)
    assert local_lake.table(CROWD_TRACING).scan().to_arrow().num_rows == fitted.total


def test_duckdbs_own_reader_of_iceberg_finds_the_same_rows(local_lake: Lake) -> None:
    """DuckDB reads only the table's metadata, without pyiceberg's plan: an independent implementation."""
    fitted = [release_day(local_lake, day=day, size=500, seed=number) for number, day in enumerate(DAYS)]
    metadata = local_path(local_lake.table(CROWD_TRACING).metadata_location)
    with duckdb.connect(config={"autoinstall_known_extensions": "false"}) as connection:
        for name in ("avro", "iceberg"):
            folder = Path(str(files(f"duckdb_extension_{name}")))
            [extension] = folder.glob(f"extensions/*/{name}.duckdb_extension")
            connection.execute(f"LOAD '{extension}'")
        found = connection.execute(
            "SELECT scan_date, count(*) FROM iceberg_scan(?) GROUP BY 1 ORDER BY 1", [str(metadata)]
        ).fetchall()
    assert found == [(day, each.total) for day, each in zip(DAYS, fitted, strict=True)]
