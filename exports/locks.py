"""Work of which only one may run at a time, in whatever process, for as long as it takes."""

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Final

import psycopg

from exports import conf

VERIFIED_TIER: Final = "verified tier"
"""Held by whatever reads rows for the verified tier and writes them, and by whatever erases from it.

An erasure that waits for it finds the index of all that was written before; one that has it comes before the rows are
read. Either way no row slips through.
"""


@contextmanager
def holding(name: str) -> Iterator[None]:
    """Hold a lock of PostgreSQL in a session of its own: a process that dies gives it back."""
    with psycopg.connect(conf.database_url(), autocommit=True) as connection:
        connection.execute("SELECT pg_advisory_lock(hashtextextended(%s, 0))", [f"crowdtrace/exports/{name}"])
        yield
