"""A backup that is restored after an erasure or a release: PostgreSQL's own programs, a copy of the lake, commands."""

import datetime as dt
import json
import os
import shutil
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import psycopg
import pytest
from django.core.management import call_command
from django.db import connection

import embedded
from exports import conf
from exports.dataset.tables import CROWD_TRACING, DP_COUNTS, VERIFIED
from exports.erasure.batches import run_erasures
from exports.erasure.log import read_log
from exports.erasure.requests import request_again, request_erasure
from exports.hashes import index_hash
from exports.lake.catalogue import Lake
from exports.lake.deployment import deployment_lake
from exports.lake.storage import Storage, local_path
from exports.models import ErasedOwner, Erasure, IndexEntry
from exports.release.closed_days import release_day
from passes.codec.identity import hash_owner
from passes.models import Pass, Scan
from tests.exports.published import publish, published_rows, token_of
from tests.exports.rows import CLOSED, DAY, Place, a_place, a_scanned_pass

pytestmark = pytest.mark.django_db(transaction=True)

NOW = CLOSED + dt.timedelta(hours=1)
LATER = NOW + dt.timedelta(days=2)


def owner_hash(number: int) -> bytes:
    return hash_owner(bytes([number]) * 32)


def published(place: Place, count: int = 60) -> list[Pass]:
    """Return passes with owners of these numbers, each scanned and with a row in the verified tier."""
    rows = [a_scanned_pass(place, owner_hash=owner_hash(number), contact=number % 3 == 0) for number in range(count)]
    publish(rows, day=DAY)
    return rows


def erase(*numbers: int) -> None:
    request_erasure(owner_hashes=map(owner_hash, numbers), now=NOW)
    run_erasures(now=NOW)


def log() -> dict[bytes, dt.date]:
    with deployment_lake() as lake:
        return read_log(lake=lake)


@pytest.mark.usefixtures("deployment")
class TestAskedAgain:
    """A restored database: rows of holders who erased are back."""

    def test_passes_and_published_rows_go_again_and_the_log_has_its_days_back(self) -> None:
        place = a_place()
        for number in (1, 2):
            a_scanned_pass(place, owner_hash=owner_hash(number))
        erase(1, 2)
        ErasedOwner.objects.all().delete()
        rows = published(place)
        gone = {token_of(rows[number]) for number in (1, 2)}
        kept = [row for row in published_rows() if row["userid"] not in gone]
        assert request_again(known=log(), now=LATER) is not None
        assert run_erasures(now=LATER) == 1
        assert published_rows() == kept
        assert not Pass.objects.filter(owner_hash__in=[owner_hash(1), owner_hash(2)]).exists()
        assert Pass.objects.count() == Scan.objects.count() == IndexEntry.objects.count() == 58
        assert set(ErasedOwner.objects.values_list("erased_on", "copied")) == {(NOW.date(), True)}
        done = Erasure.objects.get(asked_at=LATER)
        assert (done.status, done.passes, done.scans, done.rows, done.proven) == ("done", 2, 2, 2, True)
        assert done.work is None

    def test_a_row_whose_pass_is_purged_goes_by_its_index_hash_alone(self) -> None:
        place = a_place()
        a_scanned_pass(place, owner_hash=owner_hash(1))
        erase(1)
        gone = token_of(published(place)[1])
        Pass.objects.all().delete()
        assert request_again(known=log(), now=LATER) is not None
        run_erasures(now=LATER)
        assert len(published_rows()) == 59
        assert gone not in {row["userid"] for row in published_rows()}
        assert not IndexEntry.objects.filter(pk=index_hash(owner_hash(1))).exists()

    def test_a_worker_that_died_in_the_middle_goes_on(self, monkeypatch: pytest.MonkeyPatch) -> None:
        place = a_place()
        a_scanned_pass(place, owner_hash=owner_hash(1))
        erase(1)
        published(place)

        def die(*_: object, **__: object) -> None:
            raise KeyboardInterrupt

        with monkeypatch.context() as patched:
            patched.setattr("exports.erasure.requests.erase_owners", die)
            with pytest.raises(KeyboardInterrupt):
                request_again(known=log(), now=LATER)
        assert Pass.objects.count() == 60
        run_erasures(now=LATER)
        assert Pass.objects.count() == len(published_rows()) == 59

    def test_where_nothing_has_to_go_nothing_is_asked_and_the_command_says_so(
        self, capsys: pytest.CaptureFixture[str]
    ) -> None:
        place = a_place()
        published(place)
        erase(1)
        before = published_rows()
        assert request_again(known=log(), now=LATER) is None
        call_command("forget", "--again")
        assert capsys.readouterr().out == "Nothing to erase: of 1 owners in the log of erasures nothing is here.\n"
        assert (published_rows(), Erasure.objects.count(), Pass.objects.count()) == (before, 1, 59)


@pytest.fixture
def one_database(settings: Any, tmp_path: Path) -> Iterator[Storage]:
    """Yield a lake whose catalogue is in the deployment's database, as operators have it."""
    settings.LAKE_URL, settings.LAKE_CATALOGUE_URL = (tmp_path / "lake").as_uri(), ""
    drop_catalogue()
    yield Storage(settings.LAKE_URL)
    drop_catalogue()


def drop_catalogue() -> None:
    """Forget the lakes of other tests, whose tables would be written to in their own folders."""
    with connection.cursor() as cursor:
        cursor.execute("DROP TABLE IF EXISTS iceberg_tables, iceberg_namespace_properties")


@contextmanager
def restored(storage: Storage, url: str) -> Iterator[Lake]:
    """Yield the lake by the catalogue of the restored database."""
    with Lake.in_postgres(url=url, storage=storage, database="covid-19") as lake:
        yield lake


def in_postgres(program: str, *arguments: str) -> None:
    subprocess.run([str(embedded.postgres_binary(program)), *arguments], check=True, capture_output=True, text=True)


def back_up(lake: Path, folder: Path) -> None:
    """Back up as docs/operators.md describes."""
    in_postgres("pg_dump", "--format=custom", f"--file={folder / 'crowdtrace.dump'}", conf.database_url())
    shutil.copytree(lake, folder / "copy")


def restore(lake: Path, folder: Path, database: str) -> None:
    """Restore as docs/operators.md describes: the older database, the older lake, the present lake's logs."""
    for log_folder in ("erasures", "draws"):
        if (lake / log_folder).exists():
            shutil.copytree(lake / log_folder, folder / "copy" / log_folder, dirs_exist_ok=True)
    shutil.rmtree(lake)
    shutil.copytree(folder / "copy", lake)
    in_postgres("pg_restore", "--no-owner", f"--dbname={database}", str(folder / "crowdtrace.dump"))


def manage(storage: Storage, database: str, *command: str) -> str:
    """Return the output of a command in the restored deployment."""
    environment = os.environ | {"DATABASE_URL": database, "LAKE_URL": storage.url}
    run = [sys.executable, "manage.py", *command]
    return subprocess.run(run, env=environment, check=True, capture_output=True, text=True, timeout=240).stdout


def test_days_released_after_the_backup_are_published_again_as_they_were(
    one_database: Storage, catalogue_url: str, tmp_path: Path
) -> None:
    """Of one day the backup still has the rows, of the other nothing: both come back, and no noise is drawn again."""
    place, lake, days = a_place(), local_path(one_database.url), [DAY + dt.timedelta(days=past) for past in range(3)]
    for number in range(60):
        a_scanned_pass(place, day=days[number % 2])
    release_day(day=days[0], now=CLOSED)
    back_up(lake, tmp_path)
    a_scanned_pass(place, day=days[2])
    for day in days[1:]:
        release_day(day=day, now=CLOSED + (day - DAY))
    ledger = "SELECT day, epsilon, budget, drawn, drawn_at, announced_at, step FROM exports_release ORDER BY day"
    with psycopg.connect(conf.database_url()) as database:
        spent = database.execute(ledger).fetchall()
    with deployment_lake() as before:
        published_before = [before.table(each).scan().to_arrow().to_pylist() for each in (CROWD_TRACING, DP_COUNTS)]

    restore(lake, tmp_path, catalogue_url)
    with restored(one_database, catalogue_url) as made:
        assert set(made.table(DP_COUNTS).scan().to_arrow()["scan_date"].to_pylist()) == {days[0]}
    printed = manage(one_database, catalogue_url, "release")

    assert [line.split(" ")[0] for line in printed.splitlines() if "epsilon" in line] == [str(day) for day in days[1:]]
    with psycopg.connect(catalogue_url) as database:
        assert database.execute(ledger).fetchall() == spent
    with restored(one_database, catalogue_url) as made:
        now_published = [made.table(each).scan().to_arrow().to_pylist() for each in (CROWD_TRACING, DP_COUNTS)]
    for one, other in zip(now_published, published_before, strict=True):
        assert sorted(map(str, one)) == sorted(map(str, other))


def test_backed_up_erased_restored_and_erased_again_by_the_command(
    one_database: Storage, catalogue_url: str, tmp_path: Path
) -> None:
    """`catalogue_url` is an empty database: the one that is restored to."""
    rows = published(a_place())
    gone = {token_of(rows[number]) for number in (3, 7)}
    lake = local_path(one_database.url)
    back_up(lake, tmp_path)
    erase(3, 7)
    kept = published_rows()

    restore(lake, tmp_path, catalogue_url)
    with restored(one_database, catalogue_url) as made:
        back = set(made.table(VERIFIED).scan().to_arrow()["userid"].to_pylist())
    assert gone <= back
    assert len(back) == 60

    printed = [manage(one_database, catalogue_url, "forget", "--again") for _ in range(2)]
    receipt = json.loads(printed[0])
    assert (receipt["status"], receipt["lake"]["rows"], receipt["lake"]["proven"]) == ("done", 2, True)
    assert receipt["database"] == {"passes": 2, "scans": 2, "ratings": 0}
    assert printed[1].startswith("Nothing to erase")
    with restored(one_database, catalogue_url) as made:
        left = made.table(VERIFIED).scan().to_arrow().to_pylist()
    assert sorted(left, key=lambda row: str(row["userid"])) == kept
    for token in gone:
        assert not [path for path in lake.rglob("*") if path.is_file() and token.encode() in path.read_bytes()]
    with psycopg.connect(catalogue_url) as other:
        for number in (3, 7):
            hashes = [owner_hash(number), index_hash(owner_hash(number))]
            found = other.execute(
                "SELECT (SELECT count(*) FROM passes_pass WHERE owner_hash = ANY(%(all)s))"
                " + (SELECT count(*) FROM exports_indexentry WHERE index_hash = ANY(%(all)s))",
                {"all": hashes},
            ).fetchone()
            assert found == (0,)
