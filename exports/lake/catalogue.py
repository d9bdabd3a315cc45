"""The catalogue: the tables of the dataset by name, in Iceberg's SQL catalogue (PostgreSQL) or in Glue."""

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Final
from urllib.parse import urlsplit, urlunsplit

import psycopg
from pyiceberg.catalog import Catalog
from pyiceberg.catalog.sql import SqlCatalog
from pyiceberg.table import Table as IcebergTable
from sqlalchemy import text

from exports.dataset.engines import iceberg_schema, partition_spec, properties, sort_order
from exports.dataset.tables import OPEN_TABLES, VERIFIED, Table, Zone
from exports.lake.storage import Storage

CATALOGUE: Final = "crowdtrace"
STORED_TABLES: Final = (*OPEN_TABLES, VERIFIED)


class Lake:
    """The dataset's tables in one storage.

    `database` is the namespace of the open tables (`covid-19`); verified ones are in `database-verified`, so that a
    role can get access to one without the other.
    """

    def __init__(self, *, catalogue: Catalog, storage: Storage, database: str) -> None:
        self.catalogue, self.storage, self.database = catalogue, storage, database

    @classmethod
    @contextmanager
    def in_postgres(cls, *, url: str, storage: Storage, database: str) -> Iterator["Lake"]:
        """Open the lake whose catalogue is in the PostgreSQL at `url` (`postgresql://...`)."""
        # The first opening creates the catalogue's own tables; two at once would both try.
        address = _sqlalchemy(url)
        with psycopg.connect(url) as connection:
            connection.execute("SELECT pg_advisory_xact_lock(hashtextextended('crowdtrace/lake', 0))")
            catalogue = SqlCatalog(CATALOGUE, uri=address, **storage.catalogue_properties())
        try:
            yield cls(catalogue=catalogue, storage=storage, database=database)
        finally:
            catalogue.engine.dispose()

    @classmethod
    @contextmanager
    def in_glue(cls, *, endpoint: str, storage: Storage, database: str) -> Iterator["Lake"]:
        """Open the lake whose catalogue is in Glue; `endpoint` is empty for Amazon's own."""
        from pyiceberg.catalog.glue import GlueCatalog  # loads Amazon's client, which only this catalogue needs

        given = {
            "glue.endpoint": endpoint,
            "glue.region": storage.region,
            "glue.access-key-id": storage.access_key,
            "glue.secret-access-key": storage.secret_key,
        }
        properties = {name: value for name, value in given.items() if value} | storage.catalogue_properties()
        yield cls(catalogue=GlueCatalog(CATALOGUE, **properties), storage=storage, database=database)

    def namespace(self, described: Table) -> str:
        """Return the namespace of a table: verified tables have their own."""
        return f"{self.database}-verified" if described.zone is Zone.VERIFIED else self.database

    def identifier(self, described: Table) -> tuple[str, str]:
        """Return namespace and name of a table in the catalogue."""
        return self.namespace(described), described.name

    def location(self, described: Table) -> str:
        """Return the folder of a table: its zone's prefix and its name."""
        return self.storage.at(described.zone.value, described.name)

    def prepare(self) -> None:
        """Create missing namespaces and empty tables; of several processes at once, one does."""
        if not self._missing():
            return
        with self._held("crowdtrace/lake/prepare"):
            for described in self._missing():
                self.make_namespace(described)
                self.catalogue.create_table_if_not_exists(
                    self.identifier(described),
                    schema=iceberg_schema(described),
                    location=self.location(described),
                    partition_spec=partition_spec(described),
                    sort_order=sort_order(described),
                    properties=properties(described),
                )

    def make_namespace(self, described: Table) -> None:
        """Create the namespace of a table if it is missing; if a template created it, no permission is needed."""
        if not self.catalogue.namespace_exists(self.namespace(described)):
            self.catalogue.create_namespace_if_not_exists(self.namespace(described))

    def agree(self) -> None:
        """Make columns of older tables nullable where their description now says so; files do not change."""
        for described in STORED_TABLES:
            table = self.table(described)
            optional = {column.name for column in described.columns if not column.required}
            changed = [field.name for field in table.schema().fields if field.required and field.name in optional]
            if changed:
                with table.update_schema() as update:
                    for name in changed:
                        update.make_column_optional(name)

    def _missing(self) -> list[Table]:
        # Checked first: creating an existing table leaves a metadata file behind before it fails.
        return [each for each in STORED_TABLES if not self.catalogue.table_exists(self.identifier(each))]

    def table(self, described: Table) -> IcebergTable:
        """Load the table as it is now; raise `NoSuchTableError` before `prepare`."""
        return self.catalogue.load_table(self.identifier(described))

    @contextmanager
    def writing(self, described: Table) -> Iterator[None]:
        """Hold the exclusive right to write or sweep a table, among all processes that share this catalogue."""
        with self._held(f"crowdtrace/lake/{described.name}"):
            yield

    @contextmanager
    def _held(self, key: str) -> Iterator[None]:
        """Hold a session-level lock of PostgreSQL, so that a dying process releases it.

        Glue has no locks; there, the commit's own check makes the second writer fail and retry.
        """
        if not isinstance(self.catalogue, SqlCatalog):
            yield
            return
        with self.catalogue.engine.connect() as connection:
            connection.execute(text("SELECT pg_advisory_lock(hashtextextended(:key, 0))"), {"key": key})
            try:
                yield
            finally:
                connection.execute(text("SELECT pg_advisory_unlock(hashtextextended(:key, 0))"), {"key": key})


def _sqlalchemy(url: str) -> str:
    """Return a PostgreSQL URL in SQLAlchemy's form, which names the driver."""
    parts = urlsplit(url)
    if parts.scheme.split("+")[0] not in ("postgres", "postgresql"):
        raise ValueError("the catalogue must be in PostgreSQL")
    return urlunsplit(parts._replace(scheme="postgresql+psycopg"))
