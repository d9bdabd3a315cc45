"""Work of which only one may run at a time, in whatever process."""

from typing import Final

from django.db import connection

CROWD: Final = 0x43524F57  # "CROW"
ESTIMATE: Final = 0x45535449  # "ESTI"


def hold(number: int) -> None:
    """Wait for an advisory lock of PostgreSQL and hold it until the transaction ends."""
    with connection.cursor() as cursor:
        cursor.execute("SELECT pg_advisory_xact_lock(%s)", [number])
