"""Athena's DDL of a described table. Pure: it loads no library, so that every query process can import it."""

from exports.dataset.tables import Table


def athena_ddl(table: Table, *, database: str, location: str) -> str:
    """Return Athena's `CREATE TABLE` for an Iceberg table at `location` (an s3:// folder)."""
    columns = ",\n".join(
        f"  `{column.name}` {column.kind} COMMENT {_quoted(column.meaning)}" for column in table.columns
    )
    partition = f"PARTITIONED BY (`{table.partition}`)\n" if table.partition else ""
    return (
        f"CREATE TABLE IF NOT EXISTS `{database}`.`{table.name}` (\n{columns}\n)\n"
        f"COMMENT {_quoted(table.meaning)}\n{partition}LOCATION {_quoted(location)}\n"
        "TBLPROPERTIES ('table_type' = 'ICEBERG', 'format' = 'parquet', 'write_compression' = 'zstd')\n"
    )


def _quoted(text: str) -> str:
    # Athena's DDL is Hive's: a quote inside a text is escaped by a backslash.
    return "'" + text.replace("\\", "\\\\").replace("'", "\\'") + "'"
