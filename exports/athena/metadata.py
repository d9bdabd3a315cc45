"""Metadata that Athena's API returns on catalogues, databases, tables and workgroups, from the table descriptions.

Responses are the same wherever queries run: they name the open tables, and nothing else of the operator's.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final

from exports.athena.wire import CATALOGUE, ENGINE, AthenaError, Json, work_group
from exports.dataset.tables import Table, Zone
from exports.engine.introspection import matching_names

# The largest pages of each list (Amazon Athena API reference).
MOST_NAMES: Final = 50
MOST_CHARACTERS: Final = 256
# Athena's message for an entity that Glue does not have; clients look for the code in it.
_NO_ENTITY: Final = (
    "%s is not found. (Service: AmazonDataCatalog; Status Code: 400; Error Code: EntityNotFoundException; "
    "Request ID: none; Proxy: null)"
)


@dataclass(frozen=True)
class Metadata:
    """The open tables as one catalogue with one database; `made` is a time, in seconds since 1970."""

    database: str
    description: str
    offered: Sequence[Table]
    folder: str
    group: str
    made: float

    def catalogues(self, asked: Mapping[str, Any]) -> Json:
        """Return the response of ListDataCatalogs."""
        summary = {"CatalogName": CATALOGUE, "Type": "GLUE", "Status": "CREATE_COMPLETE"}
        return _page("DataCatalogsSummary", [summary], asked)

    def catalogue(self, asked: Mapping[str, Any]) -> Json:
        """Return the response of GetDataCatalog."""
        name = asked.get("Name")
        if not isinstance(name, str) or name.lower() != CATALOGUE.lower():
            raise AthenaError(f"There is one data catalogue, {CATALOGUE}", kind="InvalidRequestException")
        parameters = {"catalog-id": "none"}
        return {
            "DataCatalog": {"Name": CATALOGUE, "Type": "GLUE", "Parameters": parameters, "Status": "CREATE_COMPLETE"}
        }

    def databases(self, asked: Mapping[str, Any]) -> Json:
        """Return the response of ListDatabases."""
        self._check_catalogue(asked)
        return _page("DatabaseList", [self._database()], asked)

    def database_of(self, asked: Mapping[str, Any]) -> Json:
        """Return the response of GetDatabase."""
        self._check_catalogue(asked)
        self._check_database(asked)
        return {"Database": self._database()}

    def tables(self, asked: Mapping[str, Any]) -> Json:
        """Return the response of ListTableMetadata; `Expression` is a regular expression of names."""
        self._check_catalogue(asked)
        self._check_database(asked)
        pattern = asked.get("Expression") or ".*"
        if not isinstance(pattern, str) or len(pattern) > MOST_CHARACTERS:
            raise AthenaError(f"Expression is a text of at most {MOST_CHARACTERS} characters")
        try:
            kept = matching_names(pattern, [table.name for table in self.offered])
        except ValueError:
            raise AthenaError("Expression is not a regular expression") from None
        shown = [self._table(table) for table in sorted(self.offered, key=_name) if table.name in kept]
        return _page("TableMetadataList", shown, asked)

    def table(self, asked: Mapping[str, Any]) -> Json:
        """Return the response of GetTableMetadata."""
        self._check_catalogue(asked)
        self._check_database(asked)
        name = str(asked.get("TableName", ""))
        found = {_name(table): table for table in self.offered}.get(name.lower())
        if found is None:
            raise AthenaError(_NO_ENTITY % f"Table {name[:100]}", kind="MetadataException")
        return {"TableMetadata": self._table(found)}

    def groups(self, asked: Mapping[str, Any]) -> Json:
        """Return the response of ListWorkGroups."""
        whole = work_group(name=self.group, made=self.made)["WorkGroup"]
        summary = {name: whole[name] for name in ("Name", "State", "Description", "CreationTime")}
        return _page("WorkGroups", [summary | {"EngineVersion": ENGINE}], asked)

    def engines(self, asked: Mapping[str, Any]) -> Json:
        """Return the response of ListEngineVersions."""
        return _page("EngineVersions", [ENGINE], asked)

    def _check_catalogue(self, asked: Mapping[str, Any]) -> None:
        name = asked.get("CatalogName")
        if not isinstance(name, str) or name.lower() != CATALOGUE.lower():
            raise AthenaError(_NO_ENTITY % f"Catalogue {str(name)[:100]}", kind="MetadataException")

    def _check_database(self, asked: Mapping[str, Any]) -> None:
        name = asked.get("DatabaseName")
        if not isinstance(name, str) or name.lower() != self.database.lower():
            raise AthenaError(_NO_ENTITY % f"Database {str(name)[:100]}", kind="MetadataException")

    def _database(self) -> Json:
        return {"Name": self.database, "Description": self.description[:2048], "Parameters": {}}

    def _table(self, table: Table) -> Json:
        parameters = {"comment": table.meaning, "EXTERNAL": "TRUE"}
        if table.zone is Zone.OPEN:
            parameters |= {"table_type": "ICEBERG", "location": f"{self.folder}/{table.zone.value}/{table.name}"}
        return {
            "Name": table.name,
            "CreateTime": self.made,
            "LastAccessTime": self.made,
            "TableType": "EXTERNAL_TABLE",
            # The partition column is an ordinary one: Iceberg hides partitions.
            "Columns": [
                {"Name": column.name, "Type": column.kind, "Comment": column.meaning[:255]} for column in table.columns
            ],
            "PartitionKeys": [],
            "Parameters": parameters,
        }


def _name(table: Table) -> str:
    return table.name.lower()


def _page(name: str, found: Sequence[Json], asked: Mapping[str, Any]) -> Json:
    """Return a page of a list; its token is the start of the next one."""
    token, most = asked.get("NextToken") or "0", asked.get("MaxResults", MOST_NAMES)
    if not (isinstance(token, str) and token.isascii() and token.isdigit() and len(token) < 7):
        raise AthenaError("NextToken is not one of this list's")
    if isinstance(most, bool) or not isinstance(most, int) or most < 1:
        raise AthenaError("MaxResults must be a number of at least 1")
    start = int(token)
    page: Json = {name: list(found[start : start + most])}
    if start + most < len(found):
        page["NextToken"] = str(start + most)
    return page
