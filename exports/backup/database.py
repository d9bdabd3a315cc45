"""Dump and restore the database with PostgreSQL's own programs; no password is on their command line."""

import os
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Final
from urllib.parse import unquote, urlsplit

import psycopg
from django.contrib.auth.models import Permission
from django.contrib.contenttypes.models import ContentType
from psycopg import sql

import embedded
from exports import conf
from exports.backup.folder import BackupError
from passes.models import Mixed

MADE_BY_MIGRATE: Final = frozenset(
    {
        Permission._meta.db_table,
        ContentType._meta.db_table,
        Mixed._meta.db_table,
        "django_migrations",
        "iceberg_namespace_properties",
        "iceberg_tables",
    }
)
"""Tables that have rows in an unused deployment."""
KEPT: Final = frozenset({"PATH", "TMPDIR", "PGSSLMODE", "PGSSLROOTCERT"})
"""Environment variables that are passed to the programs."""
_KINDS: Final = {"v": "VIEW", "m": "MATERIALIZED VIEW", "p": "TABLE", "r": "TABLE", "S": "SEQUENCE"}


@contextmanager
def snapshot() -> Iterator[str]:
    """Yield the name of a snapshot of the database, which `dump` reads unaffected by later changes."""
    with psycopg.connect(conf.database_url()) as connection:
        connection.execute("BEGIN ISOLATION LEVEL REPEATABLE READ READ ONLY")
        row = connection.execute("SELECT pg_export_snapshot()").fetchone()
        assert row is not None  # noqa: S101 - a function answers
        yield str(row[0])


def migrations() -> dict[str, str]:
    """Return the last applied migration of each app; empty where there are no tables."""
    with psycopg.connect(conf.database_url()) as connection:
        there = connection.execute("SELECT to_regclass('django_migrations') IS NOT NULL").fetchone()
        if there != (True,):
            return {}
        found = connection.execute("SELECT app, max(name) FROM django_migrations GROUP BY app").fetchall()
    return {str(app): str(name) for app, name in found}


def dump(path: Path, *, snapshot: str) -> None:
    """Write the database as it was at a snapshot; raise `BackupError`."""
    _run("pg_dump", "--format=custom", "--no-owner", "--no-privileges", f"--snapshot={snapshot}", f"--file={path}")
    path.chmod(0o600)


def is_empty() -> bool:
    """Return whether the database holds nothing except what `migrate` writes."""
    with psycopg.connect(conf.database_url()) as connection:
        tables = connection.execute(
            "SELECT relname FROM pg_class WHERE relkind IN ('r', 'p') AND relnamespace = 'public'::regnamespace"
        ).fetchall()
        for (name,) in tables:
            query = sql.SQL("SELECT EXISTS (SELECT FROM {})").format(sql.Identifier("public", name))
            if name not in MADE_BY_MIGRATE and connection.execute(query).fetchone() == (True,):
                return False
    return True


def others() -> int:
    """Return the number of other sessions in the database: servers that were not stopped."""
    with psycopg.connect(conf.database_url()) as connection:
        row = connection.execute(
            "SELECT count(*) FROM pg_stat_activity WHERE datname = current_database() AND pid <> pg_backend_pid()"
            " AND backend_type = 'client backend'"
        ).fetchone()
    return int(row[0]) if row else 0


def clear() -> None:
    """Drop every table, view, sequence and function of this role in the schema `public`."""
    with psycopg.connect(conf.database_url()) as connection:
        for kind, what in _KINDS.items():  # a sequence that belongs to a column goes with its table
            relations = connection.execute(
                "SELECT relname FROM pg_class WHERE relnamespace = 'public'::regnamespace"
                " AND relowner = current_user::regrole AND relkind = %s",
                [kind],
            ).fetchall()
            for (name,) in relations:
                drop = sql.SQL("DROP {} IF EXISTS {} CASCADE")
                connection.execute(drop.format(sql.SQL(what), sql.Identifier("public", str(name))))
        functions = connection.execute(
            "SELECT oid::regprocedure::text FROM pg_proc WHERE pronamespace = 'public'::regnamespace"
            " AND proowner = current_user::regrole"
        ).fetchall()
        for (name,) in functions:
            # As PostgreSQL writes it, quoted where it must be.
            connection.execute(sql.SQL("DROP FUNCTION IF EXISTS {} CASCADE").format(sql.SQL(str(name))))


def restore(path: Path) -> None:
    """Restore a dump into an empty database in one transaction; raise `BackupError`."""
    name = unquote(urlsplit(conf.database_url()).path.removeprefix("/"))
    _run("pg_restore", "--no-owner", "--no-privileges", "--single-transaction", f"--dbname={name}", str(path))


def _run(program: str, *arguments: str) -> None:
    parts = urlsplit(conf.database_url())
    environment = {
        **{
            name: value
            for name, value in os.environ.items()
            if name in {"PATH", "TMPDIR", "PGSSLMODE", "PGSSLROOTCERT"}
        },
        "LC_ALL": "C",
        "PGHOST": parts.hostname or "",
        "PGPORT": str(parts.port or 5432),
        "PGUSER": unquote(parts.username or ""),
        "PGPASSWORD": unquote(parts.password or ""),
        "PGDATABASE": unquote(parts.path.removeprefix("/")),
    }
    done = subprocess.run(
        [str(embedded.postgres_binary(program)), "--no-password", *arguments],
        env=environment,
        stdin=subprocess.DEVNULL,
        capture_output=True,
        text=True,
        check=False,
    )
    if done.returncode:
        # Only the first line: the next ones may contain a refused row.
        raise BackupError((done.stderr.strip().splitlines() or [f"{program} failed"])[0])
