"""What `backup` wrote is restored elsewhere by `restore`: from folder, bucket and Glue, with what happened since."""

import datetime as dt
import json
import os
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any, Final

import psycopg
import pytest
from django.core.management import call_command
from django.core.management.base import CommandError
from django.db import connection

from common.crypto import b64decode
from exports import conf
from exports.backup import database
from exports.backup.folder import BackupError, read_manifest, write_manifest
from exports.backup.lake import put_logs
from exports.backup.restore import check_backup, restore
from exports.dataset.tables import CROWD_TRACING, DP_COUNTS, VERIFIED
from exports.erasure.batches import run_erasures
from exports.erasure.log import read_log
from exports.erasure.requests import request_erasure
from exports.hashes import index_hash
from exports.lake.deployment import deployment_lake, storage
from exports.lake.storage import Storage, local_path
from exports.models import Release
from exports.release.closed_days import release_day
from passes.codec.identity import hash_owner
from passes.models import Pass
from tests.exports.amazon import stand_in
from tests.exports.published import publish, published_rows, token_of
from tests.exports.rows import CLOSED, DAY, Place, a_place, a_scanned_pass
from tests.exports.s3 import S3Server
from tests.exports.target import Target

pytestmark = pytest.mark.django_db(transaction=True)

NOW: Final = CLOSED + dt.timedelta(hours=1)
LEDGER: Final = "SELECT day, epsilon, budget, drawn, drawn_at, announced_at, step FROM exports_release ORDER BY day"


@pytest.fixture(
    params=["folder", pytest.param("bucket", marks=pytest.mark.long), pytest.param("glue", marks=pytest.mark.long)]
)
def target(request: pytest.FixtureRequest, settings: Any, tmp_path: Path, catalogue_url: str) -> Iterator[Target]:
    """Give the deployment of the test a catalogue in its own database or in Glue; `Target` is another one."""
    settings.LAKE_CATALOGUE_URL = ""
    drop_catalogue()
    if request.param == "folder":
        settings.LAKE_URL = (tmp_path / "lake").as_uri()
        yield Target(catalogue_url, Storage((tmp_path / "elsewhere").as_uri()))
    else:
        server: S3Server = request.getfixturevalue("s3")
        own: Storage = request.getfixturevalue("bucket")
        settings.LAKE_URL, settings.LAKE_S3_ENDPOINT = own.url, own.endpoint
        settings.LAKE_S3_ACCESS_KEY, settings.LAKE_S3_SECRET_KEY = own.access_key, own.secret_key
        other = server.storage("lake", prefix=own.url.rpartition("/")[2] + "-elsewhere")
        if request.param == "bucket":
            yield Target(catalogue_url, other)
        else:
            with stand_in() as glue:
                settings.LAKE_CATALOGUE, settings.LAKE_GLUE_ENDPOINT = "glue", glue
                yield Target(catalogue_url, own, glue)
    drop_catalogue()


@pytest.fixture
def here(settings: Any, tmp_path: Path, catalogue_url: str) -> Iterator[Target]:
    """Give the deployment a lake in a folder; `Target` is at another."""
    settings.LAKE_CATALOGUE_URL, settings.LAKE_URL = "", (tmp_path / "lake").as_uri()
    drop_catalogue()
    yield Target(catalogue_url, Storage((tmp_path / "elsewhere").as_uri()))
    drop_catalogue()


def drop_catalogue() -> None:
    """Forget the lakes of other tests, whose tables would be written to in their own folders."""
    with connection.cursor() as cursor:
        cursor.execute("DROP TABLE IF EXISTS iceberg_tables, iceberg_namespace_properties")


def owner_hash(number: int) -> bytes:
    return hash_owner(bytes([number]) * 32)


def published(place: Place, count: int = 60) -> list[Pass]:
    """Create passes with owners of these numbers, each scanned and with a row in the verified tier."""
    rows = [a_scanned_pass(place, owner_hash=owner_hash(number), contact=number % 3 == 0) for number in range(count)]
    publish(rows, day=DAY)
    return rows


def erase(*numbers: int) -> None:
    request_erasure(owner_hashes=map(owner_hash, numbers), now=NOW)
    run_erasures(now=NOW)


def back_up(folder: Path, *options: str) -> None:
    call_command("backup", str(folder), *options)


def test_days_released_after_the_backup_are_published_again_as_they_were(target: Target, tmp_path: Path) -> None:
    """The backup still has the rows of one day and nothing of the other: both return without a second draw of noise."""
    place, days = a_place(), [DAY + dt.timedelta(days=past) for past in range(3)]
    for number in range(60):
        a_scanned_pass(place, day=days[number % 2])
    release_day(day=days[0], now=CLOSED)
    back_up(tmp_path / "backup")
    a_scanned_pass(place, day=days[2])
    for day in days[1:]:
        release_day(day=day, now=CLOSED + (day - DAY))
    back_up(tmp_path / "backup", "--logs")
    with psycopg.connect(conf.database_url()) as session:
        spent = session.execute(LEDGER).fetchall()
    with deployment_lake() as before:
        published_before = [before.table(each).scan().to_arrow().to_pylist() for each in (CROWD_TRACING, DP_COUNTS)]
    first = Release.objects.get(day=days[0]).snapshots[DP_COUNTS.name]

    target.says("restore", str(tmp_path / "backup"), "--replace")
    assert {row["scan_date"] for row in target.rows(DP_COUNTS)} == {days[0]}
    printed = target.says("release")

    assert [line.split(" ")[0] for line in printed.splitlines() if "epsilon" in line] == [str(day) for day in days[1:]]
    assert target.ask(LEDGER) == spent
    for described, rows in zip((CROWD_TRACING, DP_COUNTS), published_before, strict=True):
        assert sorted(map(str, target.rows(described))) == sorted(map(str, rows))
    with target.opened() as lake:
        as_of = lake.table(DP_COUNTS).scan(snapshot_id=int(first)).to_arrow()
    assert set(as_of["scan_date"].to_pylist()) == {days[0]}


def test_rows_erased_after_the_backup_stay_erased(target: Target, tmp_path: Path) -> None:
    rows = published(a_place())
    gone = {token_of(rows[number]) for number in (3, 7)}
    back_up(tmp_path / "backup")
    erase(3, 7)
    kept = published_rows()
    back_up(tmp_path / "backup", "--logs")

    printed = target.says("restore", str(tmp_path / "backup"), "--replace")
    receipt = json.loads(printed[printed.index("{") : printed.rindex("}") + 1])
    assert (receipt["status"], receipt["lake"]["rows"], receipt["lake"]["proven"]) == ("done", 2, True)
    assert receipt["database"] == {"passes": 2, "scans": 2, "ratings": 0}
    assert sorted(target.rows(VERIFIED), key=lambda row: str(row["userid"])) == kept
    objects = target.lake.objects()
    for stored in objects.versions(target.lake.at("verified")):
        body = objects.read(stored)
        assert not any(token.encode() in body for token in gone)
    for number in (3, 7):
        hashes = [owner_hash(number), index_hash(owner_hash(number))]
        for query in ("passes_pass WHERE owner_hash", "exports_indexentry WHERE index_hash"):
            assert target.ask(f"SELECT count(*) FROM {query} = ANY(%s)", hashes) == [(0,)]


def test_the_lake_that_is_left_names_later_erasures_by_itself(here: Target, tmp_path: Path) -> None:
    """Only the database is lost; its lake has the newer logs."""
    published(a_place())
    back_up(tmp_path / "backup")
    erase(3)
    kept = published_rows()
    same = Target(here.database, storage())
    same.says("restore", str(tmp_path / "backup"), "--replace")
    assert sorted(same.rows(VERIFIED), key=lambda row: str(row["userid"])) == kept


def test_newer_logs_are_taken_from_a_folder_that_is_named(here: Target, tmp_path: Path) -> None:
    published(a_place())
    erase(3)
    put_logs(here.lake, tmp_path / "lake")
    assert {path.name for path in (tmp_path / "elsewhere" / "erasures").iterdir()} == {NOW.date().isoformat()}
    put_logs(here.lake, tmp_path / "lake")
    with here.opened() as lake:
        assert read_log(lake=lake) == {index_hash(owner_hash(3)): NOW.date()}


class TestWhileOthersWork:
    """A backup during an erasure is consistent."""

    def test_an_erasure_between_dump_and_copy_makes_it_begin_again(
        self, here: Target, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        published(a_place())
        dump, left = database.dump, [3, 7]

        def dump_and_erase(path: Path, *, snapshot: str) -> None:
            dump(path, snapshot=snapshot)
            if left:
                erase(left.pop())

        monkeypatch.setattr(database, "dump", dump_and_erase)
        back_up(tmp_path / "backup")
        here.says("restore", str(tmp_path / "backup"))
        kept = published_rows()
        assert len(kept) == 58
        assert sorted(here.rows(VERIFIED), key=lambda row: str(row["userid"])) == kept
        assert here.ask("SELECT count(*) FROM exports_indexentry") == [(58,)]

    def test_with_an_erasure_each_time_the_last_try_lets_erasures_wait(
        self, here: Target, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        published(a_place())
        dump, tries = database.dump, []

        def dump_and_try_to_erase(path: Path, *, snapshot: str) -> None:
            dump(path, snapshot=snapshot)
            tries.append(waits())
            if not tries[-1]:
                erase(len(tries))

        monkeypatch.setattr(database, "dump", dump_and_try_to_erase)
        back_up(tmp_path / "backup")
        assert tries == [False, False, False, True]
        check_backup(folder=tmp_path / "backup")


def waits() -> bool:
    """Return whether an erasure would have to wait now."""
    with psycopg.connect(conf.database_url()) as session:
        row = session.execute(
            "SELECT pg_try_advisory_xact_lock(hashtextextended('crowdtrace/exports/verified tier', 0))"
        ).fetchone()
    return row == (False,)


class TestRefusals:
    """A refusal is a message, and nothing changes."""

    @pytest.fixture
    def backup(self, here: Target, tmp_path: Path) -> Path:
        a_place()
        back_up(tmp_path / "backup", "--secrets", str(tmp_path / "keys"))
        return tmp_path / "backup"

    @pytest.mark.long
    def test_only_what_is_empty_is_overwritten_unless_it_is_asked_for(self, here: Target, backup: Path) -> None:
        here.says("migrate", "--verbosity", "0")  # tables without rows do not prevent it
        here.lake.objects().write(here.lake.at("open", "x", "data", "a.parquet"), b"1")
        assert here.refuses("restore", str(backup)).startswith("The lake has data files that the backup does not have")
        (local_path(here.lake.url) / "open/x/data/a.parquet").unlink()
        here.says("restore", str(backup))
        organisations = here.ask("SELECT id, name FROM venues_organisation")
        assert len(organisations) == 1
        assert here.refuses("restore", str(backup)).startswith("The database is not empty")
        with psycopg.connect(here.database):
            said = here.refuses("restore", str(backup), "--replace")
        assert said == "1 other sessions are in the database: stop web servers, worker and schedule first."
        assert here.ask("SELECT id, name FROM venues_organisation") == organisations
        here.says("restore", str(backup), "--replace")
        assert here.ask("SELECT id, name FROM venues_organisation") == organisations

    def test_a_backup_that_was_cut_off_is_recognised(self, backup: Path) -> None:
        (backup / "manifest.json").unlink()
        with pytest.raises(BackupError, match=r"holds a backup that was cut off, or none: it has no manifest\.json"):
            check_backup(folder=backup)

    def test_an_empty_folder_is_refused_as_a_backup(self, tmp_path: Path) -> None:
        (tmp_path / "empty").mkdir()
        for folder in (tmp_path / "empty", tmp_path / "missing"):
            with pytest.raises(BackupError, match="holds no backup"):
                check_backup(folder=folder)

    def test_a_damaged_file_is_recognised(self, here: Target, tmp_path: Path) -> None:
        published(a_place())
        back_up(tmp_path / "backup")
        for kind in ("database.dump", "*.avro", "*.parquet", "*.metadata.json", "manifest.json"):
            damaged = next(path for path in sorted((tmp_path / "backup").rglob("*")) if path.match(kind))
            body = damaged.read_bytes()
            for fault in (body[:-9] + bytes([body[-9] ^ 1]) + body[-8:], body[:-1], b""):
                damaged.write_bytes(fault)
                with pytest.raises(BackupError, match=damaged.name):
                    check_backup(folder=tmp_path / "backup")
            damaged.unlink()
            with pytest.raises(BackupError, match=damaged.name):
                check_backup(folder=tmp_path / "backup")
            damaged.write_bytes(body)
            check_backup(folder=tmp_path / "backup")

    def test_other_keys_are_refused_with_what_cannot_be_read(self, backup: Path, settings: Any) -> None:
        settings.PEPPER = bytes(32)
        with pytest.raises(BackupError) as error:
            restore(folder=backup, secrets=None, logs=None, replace=True)
        said = str(error.value)
        assert said.startswith("PEPPER is not the one of the backup: no pass, ticket, device or erasure can be found")
        assert "MASTER_KEY" not in said

    def test_a_backup_of_a_newer_version_is_refused(self, backup: Path) -> None:
        made = read_manifest(backup)
        write_manifest(backup, replace(made, migrations=made.migrations | {"passes": "0999_of_tomorrow"}))
        with pytest.raises(BackupError, match=r"newer version of CrowdTrace \(it has passes.0999_of_tomorrow\)"):
            check_backup(folder=backup)

    @pytest.mark.parametrize(
        ("folder", "options", "said"),
        [
            ("backup", (), "is not empty: name a new folder"),
            ("lake/backup", (), "The folder is in the lake"),
            ("other", ("--secrets", "other/keys"), "keep the two apart"),
            ("other", ("--secrets", "notes"), "exists: name a new file"),
            ("other", ("--logs",), "holds no backup"),
        ],
    )
    def test_a_backup_goes_only_where_it_should(
        self, backup: Path, tmp_path: Path, folder: str, options: tuple[str, ...], said: str
    ) -> None:
        (tmp_path / "notes").write_text("of somebody")
        given = [each if each.startswith("--") else str(tmp_path / each) for each in options]
        with pytest.raises(CommandError, match=said):
            back_up(tmp_path / folder, *given)
        check_backup(folder=backup)


def test_secrets_go_to_a_file_of_their_own_that_only_its_owner_reads(
    here: Target, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    published(a_place())
    back_up(tmp_path / "backup", "--secrets", str(tmp_path / "keys"))
    written = dict(line.split("=", 1) for line in (tmp_path / "keys").read_text().splitlines())
    assert {name: written[name] for name in ("PEPPER", "MASTER_KEY")} == {
        name: os.environ[name] for name in ("PEPPER", "MASTER_KEY")
    }
    assert (tmp_path / "keys").stat().st_mode & 0o777 == 0o600
    assert (tmp_path / "backup").stat().st_mode & 0o777 == 0o700
    said = capsys.readouterr().out
    assert "Without PEPPER, " in said
    assert "Without MASTER_KEY, " in said
    for path in (each for each in (tmp_path / "backup").rglob("*") if each.is_file()):
        assert path.stat().st_mode & 0o777 == 0o600
        for text in written.values():
            assert text.encode() not in path.read_bytes()
            assert b64decode(text) not in path.read_bytes()
