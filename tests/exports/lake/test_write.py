"""Writing closed days: one job, one overwrite, one commit."""

import datetime as dt
from concurrent.futures import ThreadPoolExecutor
from threading import Barrier

import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from pyiceberg.exceptions import CommitFailedException

from exports.dataset.engines import arrow_schema
from exports.dataset.tables import CROWD_TRACING, DP_COUNTS, VERIFIED, ZIP3, states_by_zip3
from exports.lake import write
from exports.lake.catalogue import STORED_TABLES, Lake
from exports.lake.storage import Storage, local_path
from exports.lake.write import JOB, overwrite_day, overwrite_table
from tests.exports.lake.factories import DAY, batches, open_rows
from tests.live import PATIENCE_S

NEXT = DAY + dt.timedelta(days=1)


def put(lake: Lake, rows: pa.Table, *, day: dt.date = DAY, job: str = "job-1") -> write.Written:
    return overwrite_day(lake=lake, described=CROWD_TRACING, day=day, batches=lambda: batches(rows), job=job)


def read(lake: Lake, day: dt.date | None = None) -> pa.Table:
    scan = lake.table(CROWD_TRACING).scan(row_filter=f"scan_date == '{day}'" if day else "scan_date is not null")
    return scan.to_arrow()


def test_all_tables_exist_and_are_empty_from_the_start(lake: Lake) -> None:
    for described in STORED_TABLES:
        rows = lake.table(described).scan().to_arrow()
        assert rows.num_rows == 0
        assert rows.column_names == list(described.names)
        assert lake.table(described).metadata.format_version == 2
    lake.prepare()


def test_a_day_is_written_and_read_back(lake: Lake) -> None:
    rows = open_rows(2500)
    written = put(lake, rows)
    assert (written.rows, len(written.files), written.repeated) == (2500, 1, False)
    assert read(lake).cast(arrow_schema(CROWD_TRACING)).equals(rows)


def test_the_job_is_in_the_summary_of_its_one_snapshot(local_lake: Lake) -> None:
    put(local_lake, open_rows(10))
    snapshots = local_lake.table(CROWD_TRACING).metadata.snapshots
    assert len(snapshots) == 1
    assert snapshots[0].summary is not None
    assert snapshots[0].summary.additional_properties[JOB] == "job-1"


def test_a_day_is_replaced_and_other_days_stay(lake: Lake) -> None:
    put(lake, open_rows(100), job="first")
    put(lake, open_rows(50, day=NEXT), day=NEXT, job="next")
    put(lake, open_rows(70), job="second")
    assert read(lake, DAY).num_rows == 70
    assert read(lake, NEXT).num_rows == 50


def test_a_job_that_runs_again_changes_nothing(lake: Lake) -> None:
    first = put(lake, open_rows(100))
    again = put(lake, open_rows(999))
    assert again.repeated
    assert (again.files, again.rows, again.snapshot) == (first.files, first.rows, first.snapshot)
    assert read(lake).num_rows == 100


def test_a_job_killed_before_its_commit_writes_the_same_files_again(
    local_lake: Lake, monkeypatch: pytest.MonkeyPatch
) -> None:
    def die(*_: object, **__: object) -> None:
        raise KeyboardInterrupt

    with monkeypatch.context() as patched:
        patched.setattr(write, "replace_files", die)
        with pytest.raises(KeyboardInterrupt):
            put(local_lake, open_rows(100))
    folder = local_path(local_lake.location(CROWD_TRACING)) / "data"
    left = {path.name: path.read_bytes() for path in folder.rglob("*.parquet")}
    assert read(local_lake).num_rows == 0
    written = put(local_lake, open_rows(100))
    assert {path.name: path.read_bytes() for path in folder.rglob("*.parquet")} == left
    assert len(written.files) == len(left) == 1


def test_a_commit_that_loses_a_race_is_tried_again(local_lake: Lake, monkeypatch: pytest.MonkeyPatch) -> None:
    real, calls = write.replace_files, []

    def second_time(*arguments: object, **summary: str) -> None:
        calls.append(1)
        if len(calls) == 1:
            raise CommitFailedException("somebody else was faster")
        real(*arguments, **summary)  # type: ignore[arg-type]

    monkeypatch.setattr(write, "replace_files", second_time)
    assert put(local_lake, open_rows(5)).rows == 5
    assert len(calls) == 2


def test_retries_are_bounded(local_lake: Lake, monkeypatch: pytest.MonkeyPatch) -> None:
    calls = []

    def never(*_: object, **__: object) -> None:
        calls.append(1)
        raise CommitFailedException("no")

    monkeypatch.setattr(write, "replace_files", never)
    with pytest.raises(CommitFailedException):
        put(local_lake, open_rows(5))
    assert len(calls) == write.COMMIT_TRIES


def test_an_empty_day_is_a_commit_without_files(lake: Lake) -> None:
    put(lake, open_rows(30), job="first")
    written = put(lake, open_rows(0), job="second")
    assert (written.rows, written.files) == (0, ())
    assert read(lake).num_rows == 0


def test_files_are_zstd_parquet_in_the_partition_s_folder(local_lake: Lake) -> None:
    written = put(local_lake, open_rows(1000))
    path = local_path(written.files[0])
    assert path.parent.name == "scan_date=2020-10-15"
    assert path.name == "job-1-00000.parquet"
    metadata = pq.read_metadata(path)
    assert {metadata.row_group(0).column(number).compression for number in range(metadata.num_columns)} == {"ZSTD"}


def test_a_large_day_is_split_into_files_and_groups(local_lake: Lake, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(write, "FILE_ROWS", 4000)
    monkeypatch.setattr(write, "ROW_GROUP_ROWS", 1500)
    written = put(local_lake, open_rows(10_000))
    assert [pq.read_metadata(local_path(file)).num_rows for file in written.files] == [4000, 4000, 2000]
    assert pq.read_metadata(local_path(written.files[0])).num_row_groups == 2
    assert read(local_lake).num_rows == 10_000


def test_the_lookup_table_is_replaced_as_a_whole(lake: Lake) -> None:
    states = sorted(states_by_zip3().items())
    for job in ("one", "two"):
        rows = pa.table({"zip": [zip3 for zip3, _ in states], "state": [state for _, state in states]})
        rows = rows.cast(arrow_schema(ZIP3))
        overwrite_table(lake=lake, described=ZIP3, batches=rows.to_batches, job=job)
    assert lake.table(ZIP3).scan().to_arrow().num_rows == 933


def test_open_and_verified_tables_lie_under_different_prefixes_and_namespaces(local_lake: Lake) -> None:
    assert local_lake.location(CROWD_TRACING).endswith("/open/aspirevc_crowd_tracing")
    assert local_lake.location(VERIFIED).endswith("/verified/aspirevc_crowd_tracing_verified")
    assert local_lake.identifier(DP_COUNTS)[0] == "covid-19"
    assert local_lake.identifier(VERIFIED)[0] == "covid-19-verified"


def test_wrong_keys_are_refused_by_the_server(catalogue_url: str, bucket: Storage) -> None:
    wrong = Storage(bucket.url, bucket.endpoint, bucket.region, bucket.access_key, "not-the-key")
    with Lake.in_postgres(url=catalogue_url, storage=wrong, database="covid-19") as made, pytest.raises(OSError):
        made.prepare()


def test_the_keys_are_not_in_the_representation_of_a_storage(bucket: Storage) -> None:
    assert bucket.secret_key not in repr(bucket)
    assert bucket.access_key not in repr(bucket)


@pytest.mark.parametrize("url", ["", "lake", "http://x/y", "s3://", "file://host/folder", "sqlite:///x"])
def test_a_url_of_neither_a_folder_nor_a_bucket_is_refused(url: str) -> None:
    with pytest.raises(ValueError, match="URL"):
        Storage(url)


def test_a_catalogue_outside_postgresql_is_refused(folder: Storage) -> None:
    with (
        pytest.raises(ValueError, match="PostgreSQL"),
        Lake.in_postgres(url="sqlite:///x", storage=folder, database="covid-19"),
    ):
        pass


def test_opening_a_lake_again_writes_nothing(local_lake: Lake) -> None:
    objects, place = local_lake.storage.objects(), local_lake.storage.url
    before = sorted(each.url for each in objects.versions(place))
    local_lake.prepare()
    assert sorted(each.url for each in objects.versions(place)) == before


def test_many_that_open_a_new_lake_at_once_make_it_once(catalogue_url: str, folder: Storage) -> None:
    everybody = Barrier(6)

    def open_it() -> list[str]:
        with Lake.in_postgres(url=catalogue_url, storage=folder, database="covid-19") as lake:
            everybody.wait(PATIENCE_S)
            lake.prepare()
            return [lake.table(described).metadata_location for described in STORED_TABLES]

    with ThreadPoolExecutor(6) as pool:
        found = [future.result() for future in [pool.submit(open_it) for _ in range(6)]]
    assert all(each == found[0] for each in found)
    made = [each.url for each in folder.objects().versions(folder.url)]
    assert sum(url.endswith(".metadata.json") for url in made) == len(STORED_TABLES)
