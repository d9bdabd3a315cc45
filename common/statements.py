"""Statements that run in every scan.

Their cursors are kept with the connection, because creating one takes as long as reading a row. A cursor of psycopg
learns how to write the parameters and read the columns of a statement when it first runs it; a kept cursor does not
have to learn this again. Django still handles errors, logs and counts of statements; where nothing logs or counts, its
wrappers around a cursor are skipped.

Statements are sent without their indentation: psycopg finds the parameters of a text over 4,096 characters again for
each execution, which took a tenth of a scan.
"""

from collections.abc import Mapping
from functools import lru_cache
from typing import Any

from django.db import DEFAULT_DB_ALIAS, connections


def one_row(sql: str, values: Mapping[str, Any]) -> tuple[Any, ...] | None:
    """Run a statement and return its row.

    `sql` must be a constant, because a cursor is kept for each, and its literals have single spaces only.
    """
    database = connections[DEFAULT_DB_ALIAS]  # each use of the proxy would look it up again
    database.ensure_connection()
    kept: dict[str, Any] = vars(database.connection).setdefault("cursors_of_statements", {})
    cursor = kept.get(sql)
    if cursor is None:
        cursor = kept[sql] = database.create_cursor()
    sql = _on_one_line(sql)
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


@lru_cache(maxsize=64)
def _on_one_line(sql: str) -> str:
    return " ".join(sql.split())
