"""The document about scaling: its table is that of its script, its keys are those of the database."""

import re
from collections.abc import Iterator

import pytest
from django.db import connection

from docs.scaling_table import PAGE, written

TEXT = PAGE.read_text()
DISTRIBUTED = ("passes", "risk", "exports")
"""Apps whose tables with a venue would be distributed by it; those of `venues` would be on every node."""
UNIQUE_KEYS = """
    SELECT tables.relname, keys.indisprimary, (
        SELECT string_agg(columns.attname, ',' ORDER BY position)
        FROM unnest(keys.indkey::smallint[]) WITH ORDINALITY AS parts (number, position)
        JOIN pg_attribute AS columns ON columns.attrelid = tables.oid AND columns.attnum = parts.number
    )
    FROM pg_index AS keys JOIN pg_class AS tables ON tables.oid = keys.indrelid
    WHERE keys.indisunique AND split_part(tables.relname, '_', 1) = ANY(%s) AND EXISTS (
        SELECT FROM pg_attribute AS columns WHERE columns.attrelid = tables.oid AND columns.attname = 'venue_id'
    )
"""
FOREIGN_KEYS = """
    SELECT tables.relname, others.relname
    FROM pg_constraint AS keys
    JOIN pg_class AS tables ON tables.oid = keys.conrelid
    JOIN pg_class AS others ON others.oid = keys.confrelid
    WHERE keys.contype = 'f'
      AND EXISTS (SELECT FROM pg_attribute WHERE attrelid = others.oid AND attname = 'venue_id')
      AND split_part(others.relname, '_', 1) = ANY(%s)
"""


def asked(statement: str) -> list[tuple[str, ...]]:
    with connection.cursor() as cursor:
        cursor.execute(statement, [list(DISTRIBUTED)])
        return list(cursor.fetchall())


def documented() -> Iterator[str]:
    """Return the left column of the table of keys, one key each."""
    (section,) = re.findall(r"\| key \| what changes for it \|\n\|---\|---\|\n((?:\|.*\n)+)", TEXT)
    for line in section.splitlines():
        cell = line.split("|")[1]
        names = re.findall(r"`([a-z_.,0-9]+)`", cell)
        if cell.strip().startswith("primary keys"):
            yield from (f"{name}.id" for name in names if name != "id")
        elif cell.strip().startswith("foreign keys"):
            yield from (f"{name} to {names[-1]}" for name in names[:-1])
        else:
            yield from names


def test_the_table_of_sizes_is_that_of_its_script() -> None:
    assert written(TEXT) == TEXT


@pytest.mark.django_db
def test_the_document_names_each_key_that_citus_would_refuse() -> None:
    found = {f"{table}.{columns}" for table, _, columns in asked(UNIQUE_KEYS) if "venue_id" not in columns.split(",")}
    found |= {f"{table} to {other}" for table, other in asked(FOREIGN_KEYS)}
    assert found == set(documented())
