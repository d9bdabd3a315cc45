"""Defaults and triggers with which web servers of the released version still work on the next version's tables.

They write rows without columns that they do not know, and read tables that are no longer needed. Migrations of one
release keep both working; the next release may take it away (docs/decisions, "backups of one moment").
"""

from django.db.migrations.operations import RunSQL


def default_for_old_servers(table: str, column: str, expression: str) -> RunSQL:
    """Give a new column a default in the database: Django has one only in the process that knows the column."""
    return RunSQL(
        f'ALTER TABLE "{table}" ALTER COLUMN "{column}" SET DEFAULT {expression}',
        f'ALTER TABLE "{table}" ALTER COLUMN "{column}" DROP DEFAULT',
    )


def empty_for_old_servers(table: str, columns: str, *, on_insert: str) -> RunSQL:
    """Put an empty table in the place of one that is no longer needed; `on_insert` is what its trigger does.

    Nothing is ever kept in it.
    """
    return RunSQL(
        f"""
        DROP TABLE "{table}";
        CREATE TABLE "{table}" ({columns});
        CREATE FUNCTION "{table}_insert"() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN {on_insert}; END $$;
        CREATE TRIGGER "{table}_insert" BEFORE INSERT ON "{table}" FOR EACH ROW EXECUTE FUNCTION "{table}_insert"();
        """,
        RunSQL.noop,
    )
