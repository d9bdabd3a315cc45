"""Advisory locks: for work that only one process may do at one time, and for rows that must not move meanwhile."""

from typing import Final

from django.db import connection

CROWD: Final = 0x43524F57  # "CROW"
MIXING: Final = 0x4D495849  # "MIXI"; also in passes/migrations/record_scan.sql


def hold(number: int) -> None:
    """Wait for an advisory lock of PostgreSQL, and hold it until the transaction ends."""
    with connection.cursor() as cursor:
        cursor.execute("SELECT pg_advisory_xact_lock(%s)", [number])


def keep_rows() -> None:
    """Keep rows in place until the transaction ends; `passes.services.mixing` waits for it.

    Call it before locking or changing rows of a visit. Otherwise a row that is being mixed looks deleted.
    """
    with connection.cursor() as cursor:
        cursor.execute("SELECT pg_advisory_xact_lock_shared(%s)", [MIXING])
