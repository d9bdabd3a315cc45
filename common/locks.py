"""Work of which only one may run at a time, in whatever process; and what may not run beside it."""

from typing import Final

from django.db import connection

CROWD: Final = 0x43524F57  # "CROW"
MIXING: Final = 0x4D495849  # "MIXI"; also in passes/migrations/record_scan.sql


def hold(number: int) -> None:
    """Wait for an advisory lock of PostgreSQL and hold it until the transaction ends."""
    with connection.cursor() as cursor:
        cursor.execute("SELECT pg_advisory_xact_lock(%s)", [number])


def keep_rows() -> None:
    """Have rows stay where they are until the transaction ends: `passes.services.mixing` waits.

    Whoever locks or changes rows of a visit says so first. Else a row that is being mixed would look deleted.
    """
    with connection.cursor() as cursor:
        cursor.execute("SELECT pg_advisory_xact_lock_shared(%s)", [MIXING])
