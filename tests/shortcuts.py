"""Shortcuts that make a test run faster than a deployment, with the same result for every test."""

from typing import Any, Final

from django.conf import settings
from django.db import connection, transaction
from django.test import TransactionTestCase
from whitenoise.middleware import WhiteNoiseMiddleware

# Rows that `migrate` makes and that nothing else changes: they stay from test to test.
MADE_BY_MIGRATE: Final = frozenset({"django_content_type", "auth_permission"})


def take() -> None:
    """Apply every shortcut, for the lifetime of the process."""
    # The real hash is slow on purpose: a quarter of a second for every account. No test depends on which one it is.
    settings.PASSWORD_HASHERS = ["django.contrib.auth.hashers.MD5PasswordHasher"]
    _list_static_files_once()
    TransactionTestCase._fixture_teardown = lambda self: empty_tables()  # type: ignore[attr-defined]


def _list_static_files_once() -> None:
    """Give every instance the list of the first: each `Client` creates the middleware again, which lists 200 files."""
    list_files = WhiteNoiseMiddleware.add_files_from_finders
    listed: dict[str, Any] = {}

    def add_files(middleware: Any) -> None:
        if not listed:
            list_files(middleware)
            listed.update(middleware.files)
        middleware.files.update(listed)

    WhiteNoiseMiddleware.add_files_from_finders = add_files


def empty_tables() -> None:
    """Delete what a test committed, like Django's `flush`.

    `flush` truncates every table, which creates new files for each and all its indexes, and then recreates content
    types and permissions. Here only tables with rows are affected. As with `flush`, active writers are waited for.
    """
    names = connection.introspection.django_table_names(only_existing=True, include_views=False)
    quoted = [connection.ops.quote_name(name) for name in names if name not in MADE_BY_MIGRATE]
    with transaction.atomic(), connection.cursor() as cursor:
        cursor.execute(f"LOCK TABLE {', '.join(quoted)} IN SHARE ROW EXCLUSIVE MODE")
        cursor.execute(" UNION ALL ".join(f"SELECT '{name}' WHERE EXISTS (SELECT FROM {name})" for name in quoted))
        for (name,) in cursor.fetchall():
            # Keys between tables are checked when the transaction ends.
            cursor.execute(f"DELETE FROM {name}")
