"""A release while things around it break or give wrong answers: nothing is drawn twice or half published."""

import contextlib
import datetime as dt
import errno
import os
import secrets
import shutil
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any
from urllib.parse import quote

import pyarrow.parquet as pq
import pytest
from django.conf import settings as django_settings
from django.db import connection

from exports.dataset.tables import CROWD_TRACING, DP_COUNTS
from exports.engine import run
from exports.lake.catalogue import Lake
from exports.lake.deployment import deployment_lake
from exports.lake.storage import S3Objects, Storage, local_path
from exports.models import IndexEntry, Release, Step, VerifiedDay
from exports.policy.draw import Drawn
from exports.policy.fit import fit
from exports.release import closed_days
from exports.release.closed_days import ReleaseFailed, release_day, release_waiting, waiting_days
from exports.release.verified import publish_day
from tests.exports.conftest import DATABASE
from tests.exports.published import published_rows
from tests.exports.releases import write_release
from tests.exports.rows import CLOSED, DAY, Place, a_place, a_scanned_pass
from tests.exports.s3 import S3Server

pytestmark = pytest.mark.django_db(transaction=True)
ROOT = Path(__file__).parents[3]


@pytest.fixture
def place() -> Place:
    made = a_place()
    for number in range(150):
        a_scanned_pass(made, hour=number % 24, symptoms=number % 10 == 0, contact=number % 3 == 0)
    return made


def rows_shown() -> int:
    text = f'SELECT count(*) AS n FROM "{DATABASE}"."{CROWD_TRACING.name}"'
    return int(run.run_query(sql=text).result.table["n"][0].as_py())


def files_of(folder: Path) -> dict[str, bytes]:
    return {str(path.relative_to(folder)): path.read_bytes() for path in sorted(folder.rglob("*.parquet"))}


@pytest.mark.usefixtures("deployment")
class TestKilled:
    def test_with_sigkill_at_every_step_it_ends_with_the_same_files_and_counts(
        self, place: Place, settings: Any, tmp_path: Path, catalogue_url: str
    ) -> None:
        given = django_settings.DATABASES["default"]
        password = quote(str(given["PASSWORD"]), safe="")
        database = f"postgresql://{given['USER']}:{password}@{given['HOST']}:{given['PORT']}/{given['NAME']}"
        places = [
            "exports.release.closed_days:exact_counts",
            "exports.release.closed_days:_check",
            "exports.lake.write:replace_files",
            "exports.release.closed_days:_catalogue",
            "exports.release.verified:_classify",
            "exports.lake.write:replace_files",
            "exports.release.verified:_announce",
        ]
        done = subprocess.run(
            [sys.executable, "-m", "tests.exports.dying_release", str(DAY), CLOSED.isoformat(), *places],
            env=os.environ
            | {"DATABASE_URL": database, "LAKE_URL": settings.LAKE_URL}
            | {"LAKE_CATALOGUE_URL": catalogue_url, "QUERY_SLOTS": str(tmp_path)},
            cwd=ROOT,
            capture_output=True,
            text=True,
            timeout=300,
            check=False,
        )
        assert done.returncode == 0, done.stderr[-3000:]
        release, verified = Release.objects.get(), VerifiedDay.objects.get()
        assert (release.step, release.tries) == (Step.ANNOUNCED, 5)
        assert (verified.step, verified.tries) == (VerifiedDay.Step.ANNOUNCED, 4)
        drawn = Drawn.from_bytes(bytes(release.drawn or b""))
        assert rows_shown() == fit(drawn).total == release.manifest["rows"]
        assert len(published_rows()) == IndexEntry.objects.count() == verified.rows > 0
        # The same as in a lake whose draw was written once, without a crash.
        other = Storage((tmp_path / "other").as_uri())
        with Lake.in_postgres(url=catalogue_url, storage=other, database="other") as lake:
            lake.prepare()
            write_release(lake, drawn, fit(drawn))
        for table in (CROWD_TRACING, DP_COUNTS):
            folders = [local_path(each.at("open", table.name)) for each in (Storage(settings.LAKE_URL), other)]
            mine, undisturbed = (files_of(folder) for folder in folders)
            assert mine == undisturbed
            assert mine


@pytest.mark.usefixtures("deployment")
class TestALyingClock:
    def test_no_clock_draws_a_day_twice_or_opens_one_that_nobody_served(self, place: Place) -> None:
        first = bytes(release_day(day=DAY, now=CLOSED).drawn or b"")
        for now in (CLOSED - dt.timedelta(days=400), CLOSED + dt.timedelta(days=4000), CLOSED):
            release_waiting(now=now)
        assert [bytes(row.drawn or b"") for row in Release.objects.all()] == [first]
        assert sum(row.epsilon or 0 for row in Release.objects.all()) <= 8.0
        with pytest.raises(ReleaseFailed):
            release_day(day=DAY + dt.timedelta(days=1), now=CLOSED + dt.timedelta(days=4000))

    def test_passes_dated_back_into_a_released_day_change_nothing_there(self, place: Place) -> None:
        release_day(day=DAY, now=CLOSED)
        shown = rows_shown()
        for _ in range(50):
            a_scanned_pass(place, day=DAY)
        release_waiting(now=CLOSED + dt.timedelta(days=1))
        assert (rows_shown(), Release.objects.count()) == (shown, 1)

    def test_a_clock_that_goes_back_closes_no_day_early(self, place: Place) -> None:
        assert waiting_days(now=CLOSED - dt.timedelta(days=1)) == []


@pytest.mark.usefixtures("deployment")
class TestAFullDisk:
    @pytest.fixture
    def full(self, monkeypatch: pytest.MonkeyPatch) -> pytest.MonkeyPatch:
        """Raise "no space left" for every row group."""

        def no_space(*_: Any, **__: Any) -> None:
            raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))

        monkeypatch.setattr(pq.ParquetWriter, "write_table", no_space)
        return monkeypatch

    def test_a_release_shows_nothing_half_and_ends_well_when_there_is_space(
        self, place: Place, full: pytest.MonkeyPatch
    ) -> None:
        with pytest.raises(ReleaseFailed):
            release_day(day=DAY, now=CLOSED)
        failed = Release.objects.get()
        assert (failed.step, failed.failure) == (Step.CHECKED, "step write: OSError errno 28")
        assert rows_shown() == 0
        full.undo()
        release = release_day(day=DAY, now=CLOSED)
        assert bytes(release.drawn or b"") == bytes(failed.drawn or b"")
        assert rows_shown() == release.manifest["rows"]

    @pytest.fixture
    def small_disk(self, folder: Storage) -> Iterator[Path]:
        """Yield the lake's folder as a file system of 8 MiB, whose free space a file fills."""
        place = local_path(folder.url)
        place.mkdir(parents=True, exist_ok=True)
        mounted = subprocess.run(
            ["mount", "-t", "tmpfs", "-o", "size=8m", "tmpfs", str(place)], check=False, capture_output=True
        )
        if mounted.returncode:
            pytest.skip("this account may not mount a file system; other tests raise the error")
        try:
            with deployment_lake():
                pass  # tables, as every deployment has them
            filler = place / "filler"
            with filler.open("wb", buffering=0) as stream, contextlib.suppress(OSError):
                while stream.write(b"0" * 4096):
                    pass
            yield filler
        finally:
            subprocess.run(["umount", "--lazy", str(place)], check=True)

    def test_a_disk_that_is_really_full_stops_a_release_which_ends_when_there_is_space(
        self, place: Place, small_disk: Path
    ) -> None:
        assert shutil.disk_usage(small_disk.parent).free == 0
        with pytest.raises(ReleaseFailed):
            release_day(day=DAY, now=CLOSED)
        failed = Release.objects.get()
        assert (failed.step, failed.failure) == (Step.DRAWN, "step check: OSError errno 28")
        assert rows_shown() == 0
        small_disk.unlink()
        release = release_day(day=DAY, now=CLOSED)
        assert bytes(release.drawn or b"") == bytes(failed.drawn or b"")
        assert rows_shown() == release.manifest["rows"] > 0

    def test_verified_rows_are_neither_shown_nor_indexed(self, place: Place, full: pytest.MonkeyPatch) -> None:
        with pytest.raises(OSError, match="No space left"):
            publish_day(day=DAY, now=CLOSED)
        assert (published_rows(), IndexEntry.objects.count()) == ([], 0)
        full.undo()
        assert publish_day(day=DAY, now=CLOSED).rows == IndexEntry.objects.count() > 0


class TestABucket:
    @pytest.fixture
    def own_bucket(self, deployment_in_s3: None, s3: S3Server, settings: Any) -> Storage:
        name = "vanishing-" + secrets.token_hex(4)
        storage = s3.make_bucket(name, versioned=False)
        settings.LAKE_URL = storage.url
        return storage

    def test_wrong_keys_stop_a_release_after_the_draw_at_the_latest_and_right_ones_end_it(
        self, place: Place, own_bucket: Storage, settings: Any
    ) -> None:
        settings.LAKE_S3_SECRET_KEY = "not-the-key"
        with pytest.raises(ReleaseFailed) as caught:
            release_day(day=DAY, now=CLOSED)
        assert own_bucket.access_key not in str(caught.value)
        assert "not-the-key" not in Release.objects.get().failure
        settings.LAKE_S3_SECRET_KEY = own_bucket.secret_key
        assert rows_shown() == 0
        release = release_day(day=DAY, now=CLOSED)
        assert rows_shown() == release.manifest["rows"]

    def test_one_that_vanishes_in_the_middle_is_a_failure_and_never_a_second_draw(
        self, place: Place, own_bucket: Storage, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        real = closed_days._write

        def vanish(*arguments: Any) -> None:
            client = S3Objects(own_bucket).client
            bucket = own_bucket.url.split("/")[2]
            for page in client.get_paginator("list_objects_v2").paginate(Bucket=bucket):
                for item in page.get("Contents", []):
                    client.delete_object(Bucket=bucket, Key=item["Key"])
            client.delete_bucket(Bucket=bucket)
            real(*arguments)

        monkeypatch.setattr(closed_days, "_write", vanish)
        with pytest.raises(ReleaseFailed):
            release_day(day=DAY, now=CLOSED)
        first = Release.objects.get()
        assert (first.step, first.announced_at, bool(first.failure)) == (Step.CHECKED, None, True)
        monkeypatch.undo()
        with pytest.raises(ReleaseFailed):
            release_day(day=DAY, now=CLOSED)
        again = Release.objects.get()
        assert (bytes(again.drawn or b""), again.announced_at) == (bytes(first.drawn or b""), None)
        assert connection.connection is None or not connection.in_atomic_block
