"""A described table in the form of each engine: Glue definition, Arrow and Iceberg schemas. Athena's is in `ddl`."""

from typing import Any, Final

import pyarrow as pa
from pyiceberg.partitioning import UNPARTITIONED_PARTITION_SPEC, PartitionField, PartitionSpec
from pyiceberg.schema import Schema
from pyiceberg.table.sorting import UNSORTED_SORT_ORDER, NullOrder, SortDirection, SortField, SortOrder
from pyiceberg.transforms import IdentityTransform
from pyiceberg.types import BooleanType, DateType, DoubleType, IcebergType, LongType, NestedField, StringType

from exports.dataset.tables import ZIP3, Column, Kind, Table, Zone, states_by_zip3

ARROW: Final[dict[Kind, pa.DataType]] = {
    "string": pa.string(),
    "bigint": pa.int64(),
    "double": pa.float64(),
    "boolean": pa.bool_(),
    "date": pa.date32(),
}
ICEBERG: Final[dict[Kind, IcebergType]] = {
    "string": StringType(),
    "bigint": LongType(),
    "double": DoubleType(),
    "boolean": BooleanType(),
    "date": DateType(),
}
# Iceberg numbers partition fields from 1000 (Iceberg table specification, "Partition specs").
FIRST_PARTITION_FIELD: Final = 1000
PROPERTIES: Final = {
    "format-version": "2",
    "write.format.default": "parquet",
    "write.parquet.compression-codec": "zstd",
}
# Manifests keep the bounds of removed files, so tokens get no bounds; uncompressed, so that a proof can search bytes.
PROPERTIES_OF_TOKENS: Final = {
    "write.metadata.metrics.column.userid": "none",
    "write.avro.compression-codec": "null",
}


def arrow_schema(table: Table) -> pa.Schema:
    """Return the Arrow schema, columns' meanings as metadata; every field is nullable, as in the lake's files."""
    return pa.schema(
        [pa.field(column.name, ARROW[column.kind], metadata={"doc": column.meaning}) for column in table.columns]
    )


def iceberg_schema(table: Table) -> Schema:
    """Return the Iceberg schema; field ids are the columns' positions, from 1.

    No field is `required`: Athena cannot declare it, and one description must fit every engine. The checks before a
    release refuse nulls.
    """
    return Schema(
        *(
            NestedField(number, column.name, ICEBERG[column.kind], required=False, doc=column.meaning)
            for number, column in enumerate(table.columns, start=1)
        )
    )


def _field_id(table: Table, name: str) -> int:
    return table.names.index(name) + 1


def partition_spec(table: Table) -> PartitionSpec:
    """Return the identity partition by `table.partition`, which a dynamic overwrite needs."""
    if not table.partition:
        return UNPARTITIONED_PARTITION_SPEC
    source = _field_id(table, table.partition)
    return PartitionSpec(PartitionField(source, FIRST_PARTITION_FIELD, IdentityTransform(), table.partition))


def sort_order(table: Table) -> SortOrder:
    """Return the order: ascending by `table.sort`, nulls first."""
    if not table.sort:
        return UNSORTED_SORT_ORDER
    return SortOrder(
        *(
            SortField(_field_id(table, name), IdentityTransform(), SortDirection.ASC, NullOrder.NULLS_FIRST)
            for name in table.sort
        )
    )


def properties(table: Table) -> dict[str, str]:
    """Return the Iceberg table's properties."""
    return PROPERTIES | (PROPERTIES_OF_TOKENS if table.zone is Zone.VERIFIED else {})


def glue_table_input(table: Table, *, location: str) -> dict[str, Any]:
    """Return `TableInput` of Glue's CreateTable. The partition column is an ordinary one: Iceberg hides partitions."""
    return {
        "Name": table.name,
        "Description": table.meaning,
        "Owner": table.owner,
        "TableType": "EXTERNAL_TABLE",
        "StorageDescriptor": {"Location": location, "Columns": [_glue_column(column) for column in table.columns]},
    }


def _glue_column(column: Column) -> dict[str, Any]:
    # Glue limits a comment to 255 characters (AWS Glue API, structure Column).
    return {
        "Name": column.name,
        "Type": column.kind,
        "Comment": column.meaning[:255],
        "Parameters": {"sensitivity": column.sensitivity.value},
    }


def lookup_rows() -> pa.Table:
    """Return the rows of the table of 3-digit ZIPs, in order."""
    states = sorted(states_by_zip3().items())
    rows = pa.table({"zip": [zip3 for zip3, _ in states], "state": [state for _, state in states]})
    return rows.cast(arrow_schema(ZIP3))
