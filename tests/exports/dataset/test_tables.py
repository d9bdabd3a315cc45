"""The single description of each table, and everything generated from it."""

import csv
import hashlib
from pathlib import Path

import pyarrow as pa
import pytest
import sqlglot
from pyiceberg.io.pyarrow import pyarrow_to_schema, schema_to_pyarrow
from sqlglot import exp

from exports.dataset.ddl import athena_ddl
from exports.dataset.descriptors import croissant, datapackage, dictionary, table_schema
from exports.dataset.engines import (
    arrow_schema,
    glue_table_input,
    iceberg_schema,
    partition_spec,
    sort_order,
)
from exports.dataset.tables import CROWD_TRACING, TABLES, VERIFIED, ZIP3, Table, states_by_zip3, table
from tests.exports.factories import a_data_file, a_publication

DATA = Path(__file__).parents[2] / "data"
QUERIES = Path(__file__).parents[3] / "exports" / "queries"
every_table = pytest.mark.parametrize("described", TABLES, ids=lambda each: each.name)


def test_the_first_22_columns_are_the_contract_of_the_field() -> None:
    with (DATA / "crowd_tracing_schema.csv").open(encoding="utf-8") as file:
        contract = [(row["column"], row["type"]) for row in csv.DictReader(file)]
    assert len(contract) == 22
    for described in (CROWD_TRACING, VERIFIED):
        assert [(column.name, column.kind) for column in described.columns[:22]] == contract
        assert described.names[22:] == ("scan_date",)
        assert described.partition == "scan_date"


def test_the_lookup_table_has_exactly_the_columns_that_the_published_query_joins() -> None:
    assert [(column.name, column.kind) for column in ZIP3.columns] == [("zip", "string"), ("state", "string")]


def test_each_zip3_is_listed_once_with_its_leading_zeros() -> None:
    states = states_by_zip3()
    assert len(states) == 933
    assert states["005"] == "NY"
    assert all(len(zip3) == 3 and zip3.isdigit() and len(state) == 2 for zip3, state in states.items())


@pytest.mark.parametrize(
    ("name", "digest"),
    [
        ("counts_by_state_and_risklevel.sql", "192f2d160010c38e882a2736adb4434c7660434f522fc96e4f16c095ab60e336"),
        ("daily_counts.sql", "a13b2c6e6327cca7a9457743b19e6e34e1adc5e3c9fbaa85b4c8e8054124aa72"),
    ],
)
def test_the_published_queries_are_kept_byte_for_byte(name: str, digest: str) -> None:
    assert hashlib.sha256((QUERIES / name).read_bytes()).hexdigest() == digest


@every_table
def test_ddl_glue_arrow_iceberg_and_dictionary_name_the_same_columns_and_types(described: Table) -> None:
    location = "s3://bucket/open/" + described.name
    expected = [(column.name, column.kind) for column in described.columns]
    ddl = sqlglot.parse_one(athena_ddl(described, database="covid-19", location=location), read="athena")
    kinds = {"TEXT": "string", "VARCHAR": "string", "BIGINT": "bigint", "DOUBLE": "double", "BOOLEAN": "boolean"}
    parsed = [
        (column.name, kinds.get(column.kind.this.name, column.kind.this.name.lower()))
        for column in ddl.find_all(exp.ColumnDef)
        if column.kind is not None and isinstance(column.kind.this, exp.DataType.Type)
    ]
    assert parsed == expected
    glue = glue_table_input(described, location=location)["StorageDescriptor"]["Columns"]
    assert [(column["Name"], column["Type"]) for column in glue] == expected
    assert [(entry["name"], entry["type"]) for entry in dictionary(described)] == expected
    assert arrow_schema(described).names == [name for name, _ in expected]
    assert [field.name for field in iceberg_schema(described).fields] == [name for name, _ in expected]


@every_table
def test_arrow_and_iceberg_schemas_convert_into_each_other(described: Table) -> None:
    def plain(schema: pa.Schema) -> list[tuple[str, pa.DataType]]:
        small = {pa.large_string(): pa.string()}
        return [(field.name, small.get(field.type, field.type)) for field in schema]

    assert plain(schema_to_pyarrow(iceberg_schema(described))) == plain(arrow_schema(described))
    again = pyarrow_to_schema(schema_to_pyarrow(iceberg_schema(described)))
    assert again.as_struct() == iceberg_schema(described).as_struct()


@every_table
def test_partition_and_sort_order_refer_to_described_columns(described: Table) -> None:
    schema = iceberg_schema(described)
    assert [schema.find_column_name(field.source_id) for field in partition_spec(described).fields] == (
        [described.partition] if described.partition else []
    )
    assert [schema.find_column_name(field.source_id) for field in sort_order(described).fields] == list(described.sort)


@every_table
def test_descriptors_carry_every_column_with_its_meaning(described: Table) -> None:
    file = a_data_file(described)
    resource = datapackage(a_publication(), [file])["resources"][0]
    assert [field["name"] for field in resource["schema"]["fields"]] == list(described.names)
    assert all(
        field["description"].startswith(described.column(field["name"]).meaning)
        for field in resource["schema"]["fields"]
    )
    records = croissant(a_publication(), [file])["recordSet"]
    assert [record["@id"] for record in records] == [described.name]
    assert [field["name"] for field in records[0]["field"]] == list(described.names)
    assert {field["source"]["fileObject"]["@id"] for field in records[0]["field"]} == {described.name + "-1"}


def test_constraints_of_the_description_reach_the_table_schema() -> None:
    fields = {field["name"]: field for field in table_schema(CROWD_TRACING)["fields"]}
    assert fields["result"]["constraints"] == {"required": True, "enum": ["Approved", "Declined"]}
    assert fields["m_score"]["constraints"] == {"minimum": 1, "maximum": 5}
    assert "constraints" not in fields["userid"]


def test_a_table_is_found_by_its_name() -> None:
    assert table("aspirevc_crowd_tracing") is CROWD_TRACING
    with pytest.raises(KeyError):
        table("nothing")


def test_the_ddl_quotes_what_a_meaning_may_hold() -> None:
    ddl = athena_ddl(CROWD_TRACING, database="covid-19", location="s3://bucket/o'hara")
    assert r"'s3://bucket/o\'hara'" in ddl
    assert ddl.count("COMMENT") == 24
