"""Connections to PostgreSQL that give up on a server which does not respond.

A server that is stopped, or behind a network that is gone, keeps its connections open and answers nothing. A thread
that serves requests then waits for a limited time, closes the connection and reports an `OperationalError`, which
becomes 503. Threads without a limit, like those of tasks, wait until the system finds the connection broken.

When one connection broke, as after a restart of the server, the idle ones of this process are replaced: otherwise each
of them would fail one more request.
"""

import threading
from typing import Any, TypeVar

import psycopg
from psycopg.abc import PQGen
from psycopg.pq import ConnStatus, TransactionStatus

T = TypeVar("T")

_limit = threading.local()


def limit_waits(seconds: float | None) -> None:
    """Limit how long this thread waits for the response to one statement; `None` removes the limit."""
    _limit.seconds = seconds


class PatientConnection(psycopg.Connection[Any]):
    """A connection that follows `limit_waits`."""

    def wait(self, gen: PQGen[T], interval: float = 0.1, timeout: float | None = None) -> T:
        """Consume a generator of the connection, within the limit of the thread."""
        limit: float | None = getattr(_limit, "seconds", None) if timeout is None else timeout
        try:
            return super().wait(gen, interval, limit)
        except psycopg.OperationalError:
            if self.pgconn.transaction_status == TransactionStatus.ACTIVE:
                # The response may still come, and must not be taken for that of another statement.
                self.pgconn.finish()
            if self.pgconn.status == ConnStatus.BAD:
                _replace_idle_connections()
            raise


def _replace_idle_connections() -> None:
    from django.db.backends.postgresql.base import DatabaseWrapper  # the settings import this module

    for pool in list(DatabaseWrapper._connection_pools.values()):  # type: ignore[attr-defined]  # not in the stubs
        if pool is not None and not pool.closed:
            pool.drain()
