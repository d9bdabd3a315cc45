"""Tables of the embedded database: created and migrated automatically, with connections closed before it stops."""

from functools import cache
from typing import Final, cast

from django.core.management import call_command
from django.db import DEFAULT_DB_ALIAS, connection, connections
from django.db.backends.postgresql.base import DatabaseWrapper
from django.db.migrations.loader import MigrationLoader
from django.db.migrations.recorder import MigrationRecorder

_LOCK: Final = 0x7461626C6573  # "tables"


def apply_migrations() -> None:
    """Apply missing migrations; if several processes call this at once, one applies them."""
    with connection.cursor() as cursor:
        cursor.execute("SELECT pg_advisory_lock(%s)", [_LOCK])
        try:
            if migrations_missing():
                call_command("migrate", interactive=False, verbosity=0)
        finally:
            cursor.execute("SELECT pg_advisory_unlock(%s)", [_LOCK])


def close_connections() -> None:
    """Close this process's connections and its pool, which would otherwise try to reconnect to a stopped database."""
    wrapper = cast("DatabaseWrapper", connections[DEFAULT_DB_ALIAS])
    wrapper.close()
    wrapper.close_pool()


def migrations_missing() -> bool:
    """Return whether a migration has not been applied yet."""
    return not _migrations() <= MigrationRecorder(connection).applied_migrations().keys()


@cache
def _migrations() -> frozenset[tuple[str, str]]:
    """Return the migrations of this code; to read and order them takes as much as several pages, so once."""
    return frozenset(MigrationLoader(None).graph.nodes)
