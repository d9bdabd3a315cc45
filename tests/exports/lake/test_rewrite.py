"""Erasing rows of the verified tier: find, rewrite, sweep, prove."""

import datetime as dt
from collections.abc import Collection

import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq
import pytest

from exports.dataset.tables import VERIFIED
from exports.lake import write
from exports.lake.catalogue import Lake
from exports.lake.rewrite import Erased, NotFoundError, erase_rows, prove_absence
from exports.lake.storage import S3Objects, local_path
from exports.lake.sweep import reachable, sweep
from exports.lake.write import overwrite_day
from exports.policy.verified import ClassPolicy
from tests.exports.lake.factories import DAY, batches, token, verified_rows
from tests.exports.s3 import S3Server

NEXT = DAY + dt.timedelta(days=1)
POLICY = ClassPolicy()


def put(lake: Lake, *parts: pa.Table, day: dt.date = DAY, job: str = "release") -> None:
    rows = pa.concat_tables(parts)
    overwrite_day(lake=lake, described=VERIFIED, day=day, batches=lambda: batches(rows), job=job)


def put_in_batches(lake: Lake, *parts: pa.Table, size: int) -> None:
    rows = pa.concat_tables(parts).combine_chunks()
    overwrite_day(lake=lake, described=VERIFIED, day=DAY, batches=lambda: batches(rows, size), job="release")


def data_files(lake: Lake) -> list[str]:
    """Return paths of the table's data files, in the order of their rows."""
    return sorted(str(local_path(task.file.file_path)) for task in lake.table(VERIFIED).scan().plan_files())


def erase(lake: Lake, wanted: Collection[str], *, day: dt.date = DAY, job: str = "erasure") -> Erased:
    return erase_rows(lake=lake, tokens={day: wanted}, job=job, policy=POLICY)


def rows_of(lake: Lake) -> list[dict[str, object]]:
    found: list[dict[str, object]] = lake.table(VERIFIED).scan().to_arrow().to_pylist()
    return sorted(found, key=lambda row: str(row["userid"]))


def test_the_row_goes_and_every_other_row_stays_as_it_was(lake: Lake) -> None:
    put(lake, verified_rows(50), verified_rows(50, zip3="100", seed="b"))
    put(lake, verified_rows(40, day=NEXT, seed="c"), day=NEXT, job="next")
    before = rows_of(lake)
    erased = erase(lake, [token("a", 7)])
    assert (erased.rows, erased.dropped) == (1, 0)
    assert [(change.before, change.after) for change in erased.objects] == [(100, 99)]
    assert rows_of(lake) == [row for row in before if row["userid"] != token("a", 7)]


def test_a_delete_alone_leaves_the_rows_in_old_files_and_the_sweep_removes_them(lake: Lake) -> None:
    wanted = [token("a", number) for number in range(3)]
    put(lake, verified_rows(60))
    erase(lake, wanted)
    assert prove_absence(lake=lake, tokens=wanted).holding != ()
    swept = sweep(lake=lake, described=VERIFIED)
    proof = prove_absence(lake=lake, tokens=wanted)
    assert proof.holding == ()
    assert proof.read >= len(swept.remaining) > 0
    assert any(name.endswith(".parquet") for name in swept.removed)
    assert prove_absence(lake=lake, tokens=[token("a", 30)]).holding != ()


def test_the_sweep_removes_versions_and_markers_that_s3_keeps(bucket_lake: Lake) -> None:
    lake = bucket_lake
    wanted = [token("a", 1)]
    put(lake, verified_rows(60))
    erase(lake, wanted)
    sweep(lake=lake, described=VERIFIED)
    left = list(lake.storage.objects().versions(lake.location(VERIFIED)))
    assert all(each.is_current and not each.is_marker for each in left)
    assert {each.url for each in left} == reachable(lake.table(VERIFIED))


def test_the_table_stays_readable_and_writable_after_a_sweep(lake: Lake) -> None:
    put(lake, verified_rows(60))
    erase(lake, [token("a", 1)])
    sweep(lake=lake, described=VERIFIED)
    assert len(rows_of(lake)) == 59
    put(lake, verified_rows(45, day=NEXT, seed="n"), day=NEXT, job="next")
    assert len(rows_of(lake)) == 104


def test_a_sweep_removes_what_a_killed_job_left_behind(local_lake: Lake) -> None:
    put(local_lake, verified_rows(40))
    stray = local_path(local_lake.location(VERIFIED)) / "data" / "scan_date=2020-10-15" / "killed-00000.parquet"
    stray.write_bytes(b"half a file")
    swept = sweep(lake=local_lake, described=VERIFIED)
    assert not stray.exists()
    assert len(rows_of(local_lake)) == 40
    assert any(name.endswith("killed-00000.parquet") for name in swept.removed)


def test_a_sweep_leaves_other_tables_alone(local_lake: Lake) -> None:
    put(local_lake, verified_rows(40))
    open_folder = local_path(local_lake.storage.at("open"))
    before = sorted(open_folder.rglob("*"))
    sweep(lake=local_lake, described=VERIFIED)
    assert sorted(open_folder.rglob("*")) == before


def test_a_class_that_falls_below_its_least_size_is_dropped(lake: Lake) -> None:
    put(lake, verified_rows(36), verified_rows(50, zip3="100", seed="b"))
    assert erase(lake, [token("a", number) for number in range(6)]).dropped == 0
    erased = erase(lake, [token("a", 10)], job="second")
    assert (erased.rows, erased.dropped) == (1, 29)
    assert {row["scannerdevice_zipcode"] for row in rows_of(lake)} == {"10000"}


def test_a_class_that_is_no_longer_diverse_is_dropped(local_lake: Lake) -> None:
    one = verified_rows(1, seed="x", contact=True)
    put(local_lake, verified_rows(50, contact=False), one)
    erased = erase(local_lake, [token("x", 0)])
    assert (erased.rows, erased.dropped) == (1, 50)
    assert erased.objects[0].after == 0


def test_nothing_found_where_the_index_says_there_should_be_is_an_error(local_lake: Lake) -> None:
    put(local_lake, verified_rows(40))
    for day in (DAY, NEXT):
        with pytest.raises(NotFoundError):
            erase(local_lake, [token("z", 1)], day=day)
    assert len(rows_of(local_lake)) == 40


def test_an_erasure_that_runs_again_gives_the_same_counts_and_changes_nothing(local_lake: Lake) -> None:
    put(local_lake, verified_rows(40))
    first = erase(local_lake, [token("a", 3)])
    again = erase(local_lake, [token("a", 3)])
    assert (again.rows, again.dropped) == (first.rows, first.dropped) == (1, 0)
    assert len(rows_of(local_lake)) == 39


def test_many_holders_over_several_days_are_one_commit(local_lake: Lake) -> None:
    put(local_lake, verified_rows(80))
    put(local_lake, verified_rows(80, day=NEXT, seed="n"), day=NEXT, job="next")
    snapshots = len(local_lake.table(VERIFIED).metadata.snapshots)
    tokens = {DAY: [token("a", number) for number in range(20)], NEXT: [token("n", 5)]}
    erased = erase_rows(lake=local_lake, tokens=tokens, job="batch", policy=POLICY)
    assert erased.rows == 21
    assert len(local_lake.table(VERIFIED).metadata.snapshots) == snapshots + 1


def test_neither_job_nor_object_names_hold_a_token(local_lake: Lake) -> None:
    put(local_lake, verified_rows(40))
    erased = erase(local_lake, [token("a", 3)])
    assert all(token("a", 3) not in change.name for change in erased.objects)
    assert prove_absence(lake=local_lake, tokens=[token("a", 3)]).holding[0].endswith(".parquet")


def test_the_proof_finds_a_token_in_a_file_that_is_not_a_data_file(local_lake: Lake) -> None:
    put(local_lake, verified_rows(40))
    stray = local_path(local_lake.location(VERIFIED)) / "metadata" / "notes.json"
    stray.write_text(token("q", 1))
    assert prove_absence(lake=local_lake, tokens=[token("q", 1)]).holding == (
        local_lake.location(VERIFIED) + "/metadata/notes.json",
    )


def test_a_bucket_whose_versioning_is_suspended_can_be_swept_too(catalogue_url: str, s3: S3Server) -> None:
    bucket = s3.make_bucket("suspended", versioned=True)
    client = S3Objects(bucket).client
    client.put_bucket_versioning(Bucket="suspended", VersioningConfiguration={"Status": "Suspended"})
    with Lake.in_postgres(url=catalogue_url, storage=bucket, database="covid-19") as made:
        made.prepare()
        put(made, verified_rows(40))
        erase(made, [token("a", 3)])
        sweep(lake=made, described=VERIFIED)
        assert prove_absence(lake=made, tokens=[token("a", 3)]).holding == ()
        assert len(rows_of(made)) == 39


class TestManyRowGroups:
    """Files of several row groups, some of them without an erased row."""

    @pytest.fixture(autouse=True)
    def small_groups(self, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setattr(write, "ROW_GROUP_ROWS", 50)
        monkeypatch.setattr(write, "VERIFIED_FILE_ROWS", 100)

    def test_rows_of_every_row_group_stay_as_they_were_in_their_order(self, local_lake: Lake) -> None:
        parts = [verified_rows(60, zip3=f"1{number:02d}", seed=f"{number:x}", o2=95) for number in range(5)]
        put_in_batches(local_lake, *parts, size=25)
        before = {file: pq.read_table(file) for file in data_files(local_lake)}
        assert [pq.ParquetFile(file).num_row_groups for file in before] == [2, 2, 2]
        wanted = [token("1", 3), token("1", 59), token("4", 0)]
        erased = erase(local_lake, wanted)
        assert [(change.before, change.after) for change in erased.objects] == [(100, 99), (100, 99), (100, 99)]
        after = [pq.read_table(file) for file in data_files(local_lake)]
        stays = pc.invert(pc.is_in(pa.concat_tables(before.values())["userid"], pa.array(wanted)))
        assert pa.concat_tables(after).equals(pa.concat_tables(before.values()).filter(stays))

    def test_a_class_that_lies_in_several_files_is_counted_and_dropped_as_one(self, local_lake: Lake) -> None:
        put_in_batches(local_lake, verified_rows(90, seed="b", zip3="020"), verified_rows(36), size=20)
        assert erase(local_lake, [token("a", number) for number in range(6)]).dropped == 0
        erased = erase(local_lake, [token("a", 35)], job="second")
        assert (erased.rows, erased.dropped) == (1, 29)
        assert sorted(change.tokens != frozenset() for change in erased.objects) == [False, True]
        assert {row["scannerdevice_zipcode"] for row in rows_of(local_lake)} == {"02000"}

    def test_a_value_that_only_erased_rows_had_is_in_no_byte_of_the_new_files(self, local_lake: Lake) -> None:
        put_in_batches(local_lake, verified_rows(50, zip3="777"), verified_rows(50, zip3="888", seed="b"), size=100)
        erase(local_lake, [token("a", number) for number in range(21)])
        [file] = data_files(local_lake)
        chunks = pq.read_table(file, read_dictionary=["scannerdevice_zipcode"])["scannerdevice_zipcode"].chunks
        assert {text for chunk in chunks for text in chunk.dictionary.to_pylist()} == {"88800"}

    def test_a_text_of_one_erased_row_leaves_the_dictionary_of_its_row_group(self, local_lake: Lake) -> None:
        odd = verified_rows(1, seed="x", risklevel="High")
        put_in_batches(local_lake, verified_rows(49), odd, size=50)
        erase(local_lake, [token("x", 0)])
        [file] = data_files(local_lake)
        assert pq.read_table(file, read_dictionary=["risklevel"])["risklevel"].chunk(0).dictionary.to_pylist() == [
            "Low"
        ]

    @pytest.mark.parametrize("erased", [1, 300])
    def test_few_and_many_rows_of_a_row_group_go_alike(
        self, local_lake: Lake, monkeypatch: pytest.MonkeyPatch, erased: int
    ) -> None:
        monkeypatch.setattr(write, "ROW_GROUP_ROWS", 1000)
        monkeypatch.setattr(write, "VERIFIED_FILE_ROWS", 1000)
        put(local_lake, verified_rows(1000))
        wanted = [token("a", number * 2) for number in range(erased)]
        before = rows_of(local_lake)
        erase(local_lake, wanted)
        assert rows_of(local_lake) == [row for row in before if row["userid"] not in set(wanted)]
