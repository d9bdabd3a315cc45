"""From the first released schema to this one, with web servers of both versions running.

The first released version is 0.1.0. `tests/data/crowdtrace-0.1.0.tar.xz` holds its Python code, and of its tests the
visitors and doors that speak to it; pages, static files and the simulated town are left out.
"""

import json
import os
import subprocess
import sys
import tarfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import psycopg
import pytest

from common.web import server
from embedded.home import CHECKOUT
from embedded.network import free_port
from tests.databases import fresh_database

RELEASED = CHECKOUT / "tests" / "data" / "crowdtrace-0.1.0.tar.xz"
LAST_MIGRATIONS = {
    "common": "0001",
    "exports": "0008",
    "passes": "0005",
    "risk": "0002",
    "site": "0001",
    "venues": "0005",
}
"""Of the first released version, by app."""
ONLY_THE_WORKER = {("risk_reportedday", "held")}
"""Columns that are gone: only the worker used them, which is stopped for an upgrade."""
PASSES = 20_000
"""More than are scanned until both versions have answered."""
ON_EACH_SIDE = 60
COLUMNS = """
    SELECT table_name, column_name, is_nullable = 'YES' OR column_default IS NOT NULL OR is_identity = 'YES'
    FROM information_schema.columns WHERE table_schema = 'public'
"""
MIGRATE = """
import django, sys
django.setup()
from django.db import connection
from django.db.migrations.executor import MigrationExecutor
executor = MigrationExecutor(connection)
ends = dict(pair.split("=") for pair in sys.argv[1:])
names = [(app, name) for app, name in executor.loader.disk_migrations if name[:4] == ends.get(app)]
names += [node for node in executor.loader.graph.leaf_nodes() if node[0] not in ends]
executor.migrate(names)
connection.close(); connection.close_pool()
"""


def run(folder: Path, database: str, *command: str) -> str:
    return subprocess.run(
        [sys.executable, *command],
        cwd=folder,
        env=os.environ | {"DATABASE_URL": database, "DJANGO_SETTINGS_MODULE": "crowdtrace.settings"},
        check=True,
        stdout=subprocess.PIPE,
        text=True,
        timeout=300,
    ).stdout


def columns(database: str) -> dict[tuple[str, str], bool]:
    """Return whether a row can be written without it, by table and column."""
    with psycopg.connect(database) as session:
        return {(table, column): may_miss for table, column, may_miss in session.execute(COLUMNS).fetchall()}


def test_tables_of_the_first_release_keep_what_its_servers_read_and_write() -> None:
    """A server that does not know a column writes rows without it, and finds every column that it reads."""
    with fresh_database() as database:
        ends = [f"{app}={name}" for app, name in LAST_MIGRATIONS.items()]
        run(CHECKOUT, database, "-c", MIGRATE, *ends)
        old = columns(database)
        run(CHECKOUT, database, "-c", MIGRATE)
        new = columns(database)
    assert ("passes_selfreport", "owner_hash") in old
    assert old.keys() - new.keys() == ONLY_THE_WORKER
    tables = {table for table, _ in old}
    assert [name for name, may_miss in new.items() if name[0] in tables and name not in old and not may_miss] == []
    assert [name for name in old.keys() & new.keys() if old[name] and not new[name]] == []


@pytest.mark.long
def test_a_backup_of_the_first_schema_is_restored_and_brought_up_to_date(tmp_path: Path) -> None:
    backup, ends = str(tmp_path / "backup"), [f"{app}={name}" for app, name in LAST_MIGRATIONS.items()]
    with fresh_database() as database, fresh_database() as other, pytest.MonkeyPatch.context() as patched:
        patched.setenv("LAKE_URL", (tmp_path / "lake").as_uri())
        run(CHECKOUT, database, "-c", MIGRATE, *ends)
        run(CHECKOUT, database, "manage.py", "backup", backup)
        patched.setenv("LAKE_URL", (tmp_path / "elsewhere").as_uri())
        run(CHECKOUT, other, "manage.py", "restore", backup)
        run(CHECKOUT, database, "-c", MIGRATE)
        assert columns(other) == columns(database)


@contextmanager
def serving(folder: Path, database: str, port: int) -> Iterator[None]:
    """Run a web server of the code in a folder."""
    if folder == CHECKOUT:
        command = server.command("crowdtrace.asgi:application", host="127.0.0.1", port=port, workers=1)
    else:
        command = [sys.executable, "-m", "granian", "--interface", "wsgi", "--host", "127.0.0.1", "--port", str(port)]
        command += ["--blocking-threads", "4", "--no-ws", "--log-level", "warning", "crowdtrace.wsgi:application"]
    environment = os.environ | {"DATABASE_URL": database, "DJANGO_SETTINGS_MODULE": "crowdtrace.settings"}
    with subprocess.Popen(command, cwd=folder, env=environment) as process:
        try:
            yield
        finally:
            process.terminate()


@pytest.mark.long
def test_servers_of_both_versions_answer_while_and_after_the_tables_change(tmp_path: Path) -> None:
    """Nothing acknowledged is lost, and every request of the old version gets the answer that it got before.

    Reports of test results are the exception: nobody would read what an old server accepts, so it accepts none.
    """
    old, script = tmp_path / "old", str(CHECKOUT / "tests" / "old_doors.py")
    old.mkdir()
    with tarfile.open(RELEASED) as archive:
        archive.extractall(old, filter="data")
    known, ports = str(tmp_path / "known.json"), (free_port(), free_port())
    addresses = [f"http://127.0.0.1:{port}" for port in ports]

    with fresh_database() as database:
        run(old, database, "manage.py", "migrate", "--verbosity", "0")
        before: dict[str, Any] = json.loads(run(old, database, "-P", script, "visit", known))
        environment = os.environ | {"DATABASE_URL": database}
        command = [sys.executable, "-P", script, "scan", *addresses, str(PASSES)]
        with (
            serving(old, database, ports[0]),
            subprocess.Popen(
                command, cwd=old, env=environment, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
            ) as doors,
        ):
            assert doors.stdin is not None
            assert doors.stdout is not None
            lines = iter(doors.stdout)
            assert [next(lines) for _ in range(ON_EACH_SIDE)] == ["old\n"] * ON_EACH_SIDE
            run(CHECKOUT, database, "manage.py", "migrate", "--verbosity", "0")
            with serving(CHECKOUT, database, ports[1]):
                answered: list[str] = []
                while answered.count("new\n") < ON_EACH_SIDE:
                    answered.append(next(lines))
                doors.stdin.close()
                *_, last = lines
        found = json.loads(last)
        after: dict[str, Any] = json.loads(run(old, database, "-P", script, "visit", known))
        with psycopg.connect(database) as session:
            kept = session.execute(
                "SELECT scan_id, approved FROM passes_scan WHERE venue_id = %s", [found["venue"]]
            ).fetchall()
            waiting = session.execute("SELECT count(*) FROM passes_selfreport").fetchone()
            totals = session.execute("SELECT count(*) FROM passes_ratingtotal").fetchone()

    assert {name: "Approved" if approved else "Declined" for name, approved in kept} == found["results"]
    assert len(kept) == len(found["results"]) > 2 * ON_EACH_SIDE
    assert before["report"] == 202
    assert after == before | {"report": 500}
    assert (waiting, totals) == ((0,), (0,))
