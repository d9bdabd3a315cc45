"""Locks for work that only one process may do at a time, however long it takes."""

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Final

import psycopg

from exports import conf

VERIFIED_TIER: Final = "verified tier"
"""Held by the publisher of verified rows while it reads and writes them, and by an erasure.

An erasure that waits for the lock finds the index of everything written before it; one that holds the lock erases
before the rows are read. Either way, no row is missed.
"""


@contextmanager
def holding(name: str) -> Iterator[None]:
    """Hold a PostgreSQL advisory lock in a separate session, so that a dying process releases it."""
    with psycopg.connect(conf.database_url(), autocommit=True) as connection:
        connection.execute("SELECT pg_advisory_lock(hashtextextended(%s, 0))", [f"crowdtrace/exports/{name}"])
        yield
