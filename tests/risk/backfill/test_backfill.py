"""Backfills from folders of Parquet: one kernel, two engines, the same bits."""

from __future__ import annotations

import json
import os
from collections.abc import Callable
from io import StringIO
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from django.core.management import CommandError, call_command

from risk.backfill.folders import Folder
from risk.backfill.kernel import DOSES, ROOMS, VISITS, doses_of_venue
from risk.backfill.local import backfill

HOUR_US = 3_600_000_000
ROOT = Path(__file__).resolve().parents[3]
PEERS = os.environ.get("CROWDTRACE_PEERS") or str(ROOT / ".venv-peers" / "bin" / "python")


def town(visits: int, venues: int, seed: int = 7) -> tuple[pa.Table, pa.Table]:
    """Return visits of a fortnight in random order, a third of them linked to an earlier one, and their rooms."""
    rng = np.random.default_rng(seed)
    venue = np.sort(rng.integers(0, venues, visits) ** 2 // venues)
    arrive = rng.integers(0, 14 * 24 * 4, visits) * HOUR_US // 4
    order = np.lexsort((arrive, venue))
    arrive = arrive[order]
    previous = [
        int(row - 1)
        if row and venue[row] == venue[row - 1] and arrive[row] > arrive[row - 1] and row % 3 == 0
        else None
        for row in range(visits)
    ]
    stays = pa.table(
        {
            "venue": [f"v_{number:04d}" for number in venue],
            "visit": np.arange(visits),
            "arrive_us": arrive,
            "leave_us": arrive + rng.integers(0, 4 * 12, visits) * HOUR_US // 12,
            "answer_class": rng.choice([0, 0, 0, 1, 2, 3, -1], visits),
            "previous": pa.array(previous, pa.int64()),
        }
    )
    rooms = pa.table(
        {
            "venue": [f"v_{number:04d}" for number in range(venues)],
            "volume_m3": rng.uniform(50, 500, venues),
            "removal_rate_per_h": rng.uniform(0.5, 9, venues),
        }
    )
    return stays.take(rng.permutation(visits)), rooms.take(rng.permutation(venues))


def write(folder: Path, visits: pa.Table, rooms: pa.Table, files: int = 3) -> Path:
    for part in ("visits", "rooms"):
        (folder / part).mkdir(parents=True)
    size = max(1, -(-visits.num_rows // files))
    for number in range(files):
        pq.write_table(visits.slice(number * size, size), folder / "visits" / f"{number}.parquet")
    pq.write_table(rooms, folder / "rooms" / "all.parquet")
    return folder


def read(folder: Path) -> pa.Table:
    assert (folder / "_SUCCESS").exists()
    table = pa.concat_tables([pq.read_table(file) for file in sorted(folder.glob("*.parquet"))])
    assert table.schema == DOSES
    return table.sort_by([("venue", "ascending"), ("visit", "ascending")])


def run(*arguments: str) -> dict[str, Any]:
    out = StringIO()
    call_command("recompute", *arguments, stdout=out)
    return dict(json.loads(out.getvalue()))


def same_bits(one: pa.Table, other: pa.Table) -> bool:
    """Return whether two tables contain the same values, to the last bit."""
    return all(
        one[name].combine_chunks().equals(other[name].combine_chunks())
        if not pa.types.is_floating(one.schema.field(name).type)
        else one[name].to_numpy().tobytes() == other[name].to_numpy().tobytes()
        for name in DOSES.names
    )


class TestTheLocalEngine:
    def test_gives_each_venue_what_the_kernel_gives_it_alone(self, tmp_path: Path) -> None:
        visits, rooms = town(800, 30)
        source = write(tmp_path / "in", visits, rooms)

        assert run("--from", str(source), "--to", str(tmp_path / "out"), "--cores", "2") == {"visits": 800}

        whole = read(tmp_path / "out")
        alone = pa.concat_tables(
            doses_of_venue(
                visits.filter(pa.compute.equal(visits["venue"], venue)),
                rooms.filter(pa.compute.equal(rooms["venue"], venue)),
            )
            for venue in sorted(set(visits["venue"].to_pylist()))
        )
        assert same_bits(whole, alone)
        assert whole["dose_h2_per_m3_everybody"].to_numpy().max() > 0

    def test_the_order_of_rows_and_files_changes_nothing(self, tmp_path: Path) -> None:
        visits, rooms = town(300, 9)
        mixed = visits.take(np.random.default_rng(1).permutation(300))
        for name, table, files in (("a", visits, 1), ("b", mixed, 5)):
            backfill(
                Folder(str(write(tmp_path / name, table, rooms, files))), Folder(str(tmp_path / f"{name}2")), cores=1
            )
        assert same_bits(read(tmp_path / "a2"), read(tmp_path / "b2"))

    def test_visits_without_links_need_no_such_column(self, tmp_path: Path) -> None:
        visits, rooms = town(50, 3)
        source = write(tmp_path / "in", visits.drop_columns(["previous"]), rooms)
        assert run("--from", source.as_uri(), "--to", (tmp_path / "out").as_uri()) == {"visits": 50}

    def test_no_visits_are_no_doses(self, tmp_path: Path) -> None:
        source = write(tmp_path / "in", VISITS.empty_table(), ROOMS.empty_table())
        assert run("--from", str(source), "--to", str(tmp_path / "out")) == {"visits": 0}
        assert read(tmp_path / "out").num_rows == 0


def without(name: str) -> Callable[[pa.Table], pa.Table]:
    return lambda table: table.drop_columns([name])


def with_first(name: str, value: Any) -> Callable[[pa.Table], pa.Table]:
    def change(table: pa.Table) -> pa.Table:
        values = table[name].to_pylist()
        values[0] = value
        return table.set_column(table.column_names.index(name), name, pa.array(values))

    return change


class TestBadInput:
    @pytest.mark.parametrize(
        ("change", "says"),
        [
            (without("leave_us"), "leave_us: visits/0.parquet has no such column"),
            (with_first("venue", None), "venue: visits/0.parquet has rows without a value"),
            (with_first("answer_class", 4), "answer_class: must be 0, 1, 2, 3 or -1"),
            (with_first("answer_class", 300), "answer_class: visits/0.parquet has values that are not int8"),
            (with_first("leave_us", -5), "leave_us: before arrive_us"),
            (with_first("venue", "v_9999"), "venue: v_9999 has no row in rooms"),
            (with_first("previous", 10**6), "previous: 1000000 is no visit of the same venue"),
            (lambda table: pa.concat_tables([table, table.slice(0, 1)]), "is given twice in a venue"),
        ],
    )
    def test_of_a_visit_is_named_and_nothing_is_finished(self, tmp_path: Path, change: Any, says: str) -> None:
        visits, rooms = town(20, 3)
        source = write(tmp_path / "in", change(visits), rooms, files=1)
        with pytest.raises(CommandError) as refused:
            run("--from", str(source), "--to", str(tmp_path / "out"))
        assert says in str(refused.value)
        assert not (tmp_path / "out" / "_SUCCESS").exists()

    @pytest.mark.parametrize(
        ("name", "value"), [("volume_m3", 0.0), ("volume_m3", float("nan")), ("removal_rate_per_h", 0.001)]
    )
    def test_of_a_room_is_named(self, tmp_path: Path, name: str, value: float) -> None:
        visits, rooms = town(20, 3)
        source = write(tmp_path / "in", visits, with_first(name, value)(rooms))
        with pytest.raises(CommandError, match=f"{name}: must be finite"):
            run("--from", str(source), "--to", str(tmp_path / "out"))

    def test_a_file_that_is_not_parquet_is_named(self, tmp_path: Path) -> None:
        source = write(tmp_path / "in", *town(20, 3))
        (source / "visits" / "1.parquet").write_bytes(b"no parquet")
        with pytest.raises(CommandError, match=r"1\.parquet is no Parquet file"):
            run("--from", str(source), "--to", str(tmp_path / "out"))

    def test_folders_that_cannot_serve_are_refused(self, tmp_path: Path) -> None:
        source = write(tmp_path / "in", *town(20, 3))
        (tmp_path / "full").mkdir()
        (tmp_path / "full" / "something").touch()
        for arguments, says in (
            (("--from", str(source)), "Give both"),
            (("--engine", "spark"), "give --from and --to"),
            (
                ("--from", str(tmp_path / "none"), "--to", str(tmp_path / "out")),
                "has no Parquet file in its folder visits/",
            ),
            (("--from", str(source), "--to", str(tmp_path / "full")), "is not empty"),
            (("--from", "ftp://host/x", "--to", str(tmp_path / "out")), "neither a path nor file:// nor s3://"),
            (("--from", str(source), "--to", str(tmp_path / "out"), "--cores", "0"), "a number from 1 on"),
        ):
            with pytest.raises(CommandError) as refused:
                run(*arguments)
            assert says in str(refused.value)

    def test_without_pyspark_a_message_says_how_to_install_it(self, tmp_path: Path) -> None:
        source = write(tmp_path / "in", *town(20, 3))
        with pytest.raises(CommandError, match=r"locks/spark\.txt"):
            run("--engine", "spark", "--from", str(source), "--to", str(tmp_path / "out"))


@pytest.mark.peers
class TestSpark:
    def spark(self, source: Path, target: Path) -> dict[str, Any]:
        paths = ("--from", str(source), "--to", str(target))
        return run("--engine", "spark", "--master", "local[2]", "--python", PEERS, *paths)

    @pytest.mark.long
    def test_gives_the_bits_of_the_local_engine(self, tmp_path: Path) -> None:
        source = write(tmp_path / "in", *town(3000, 40))
        assert run("--from", str(source), "--to", str(tmp_path / "local")) == {"visits": 3000}
        assert self.spark(source, tmp_path / "spark") == {"visits": 3000}
        assert same_bits(read(tmp_path / "local"), read(tmp_path / "spark"))

    @pytest.mark.long
    def test_a_visit_that_no_model_takes_is_named(self, tmp_path: Path) -> None:
        visits, rooms = town(20, 3)
        source = write(tmp_path / "in", with_first("venue", "v_9999")(visits), rooms)
        with pytest.raises(CommandError) as refused:
            self.spark(source, tmp_path / "out")
        assert str(refused.value) == "venue: v_9999 has no row in rooms"
        assert not (tmp_path / "out" / "_SUCCESS").exists()
