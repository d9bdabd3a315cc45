"""Statements that run in every scan: their cursors stay beside the connection, for making one costs as much as a row.

A cursor of psycopg learns how to write the parameters and read the columns of a statement when it runs it first; one
that is kept has not to learn it again. Everything else is Django's: errors, logs and counts of statements.
"""

from collections.abc import Mapping
from typing import Any

from django.db import connection


def one_row(sql: str, values: Mapping[str, Any]) -> tuple[Any, ...] | None:
    """The row that a statement answers with. `sql` is a constant: there is a cursor for each."""
    connection.ensure_connection()
    kept: dict[str, Any] = vars(connection.connection).setdefault("cursors_of_statements", {})
    cursor = kept.get(sql)
    if cursor is None:
        cursor = kept[sql] = connection.create_cursor()
    wrapped = connection.make_debug_cursor(cursor) if connection.queries_logged else connection.make_cursor(cursor)
    wrapped.execute(sql, values)
    row: tuple[Any, ...] | None = wrapped.fetchone()
    return row
