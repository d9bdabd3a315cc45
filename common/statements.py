"""Statements that run in every scan: their cursors stay beside the connection, for making one costs as much as a row.

A cursor of psycopg learns how to write the parameters and read the columns of a statement when it runs it first; one
that is kept has not to learn it again. Errors, logs and counts of statements are Django's; where nobody logs or counts,
what it wraps around a cursor for that is left out.
"""

from collections.abc import Mapping
from typing import Any

from django.db import DEFAULT_DB_ALIAS, connections


def one_row(sql: str, values: Mapping[str, Any]) -> tuple[Any, ...] | None:
    """The row that a statement answers with. `sql` is a constant: there is a cursor for each."""
    database = connections[DEFAULT_DB_ALIAS]  # its name looks it up again at each of the many uses here
    database.ensure_connection()
    kept: dict[str, Any] = vars(database.connection).setdefault("cursors_of_statements", {})
    cursor = kept.get(sql)
    if cursor is None:
        cursor = kept[sql] = database.create_cursor()
    if database.queries_logged or database.execute_wrappers:
        watched = database.make_debug_cursor(cursor) if database.queries_logged else database.make_cursor(cursor)
        watched.execute(sql, values)
    else:
        database.validate_no_broken_transaction()
        with database.wrap_database_errors:
            cursor.execute(sql, values)
    with database.wrap_database_errors:
        row: tuple[Any, ...] | None = cursor.fetchone()
    return row
