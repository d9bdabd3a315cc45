"""Empty databases for catalogues and restores. A used one is emptied for the next test, not dropped."""

import os
import secrets
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any, Final
from urllib.parse import urlsplit, urlunsplit

import psycopg

_spare: Final[list[str]] = []


@contextmanager
def fresh_database() -> Iterator[str]:
    """Yield the URL of an empty PostgreSQL database of the test run's server."""
    name = _spare.pop() if _spare else _create()
    url = urlunsplit(urlsplit(os.environ["DATABASE_URL"])._replace(path="/" + name))
    try:
        yield url
    finally:
        _end_sessions(name)
        with psycopg.connect(url, autocommit=True) as connection:
            connection.execute("DROP OWNED BY CURRENT_USER CASCADE")
        _spare.append(name)


def drop_spare() -> None:
    """Drop the databases that were kept for the next test."""
    while _spare:
        name = _spare.pop()
        # Not WITH (FORCE): that is refused while autovacuum is active there, which a plain DROP stops.
        _end_sessions(name)
        _ask(f'DROP DATABASE "{name}"')


def _create() -> str:
    name = "lake_" + secrets.token_hex(6)
    _ask(f'CREATE DATABASE "{name}"')
    return name


def _end_sessions(name: str) -> None:
    _ask(
        "SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE datname = %s AND usename = current_user",
        [name],
    )


def _ask(statement: str, values: list[Any] | None = None) -> None:
    with psycopg.connect(os.environ["DATABASE_URL"], autocommit=True) as connection:
        connection.execute(statement.encode(), values)
