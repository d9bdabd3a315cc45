"""Results in each format."""

import csv
import datetime as dt
import io
import math
import tempfile
import tracemalloc
from decimal import Decimal

import duckdb
import pandas as pd
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from hypothesis import given
from hypothesis import strategies as st

from exports.engine.results import (
    FORMULA_STARTS,
    PART_ROWS,
    columns_of,
    json_rows,
    table_parts,
    to_arrow,
    to_csv,
    to_parquet,
)

TABLE = pa.table(
    {
        "day": pa.array([dt.date(2020, 10, 15), None]),
        "at": pa.array([dt.datetime(2020, 10, 15, 12, tzinfo=dt.UTC), None]),
        "n": pa.array([-5, 2**60]),
        "x": pa.array([float("nan"), 0.5]),
        "d": pa.array([Decimal("1.50"), None]),
        "b": pa.array([True, None]),
        "t": pa.array(["=1+1", "plain, 'quoted'"]),
        "l": pa.array([["=a"], []]),
    }
)


def test_json_values_are_plain() -> None:
    assert json_rows(TABLE) == [
        ["2020-10-15", "2020-10-15T12:00:00Z", -5, None, "1.50", True, "=1+1", ["=a"]],
        [None, None, 2**60, 0.5, None, None, "plain, 'quoted'", []],
    ]


def test_columns_have_names_and_types() -> None:
    assert [column["name"] for column in columns_of(TABLE)] == TABLE.column_names
    assert [column["type"] for column in columns_of(TABLE)] == [
        "date",
        "timestamp with time zone",
        "bigint",
        "double",
        "decimal(3,2)",
        "boolean",
        "varchar",
        "array(varchar)",
    ]


def test_nested_values_are_json_and_have_athenas_names() -> None:
    table = pa.table(
        {
            "m": pa.array([[("a", 1)]], pa.map_(pa.string(), pa.int64())),
            "r": pa.array([{"a": [1]}]),
            "e": pa.array(["x"]).dictionary_encode(),
        }
    )
    assert json_rows(table) == [[[["a", 1]], {"a": [1]}, "x"]]
    assert [column["type"] for column in columns_of(table)] == [
        "map(varchar,bigint)",
        "row(a array(bigint))",
        "varchar",
    ]


@pytest.mark.parametrize("start", FORMULA_STARTS)
def test_a_cell_that_a_spreadsheet_would_run_is_made_safe(start: str) -> None:
    table = pa.table({start + "name": [start + "cmd|' /C calc'!A0"]})
    header, row = csv.reader(io.StringIO(to_csv(table).decode(), newline=""))
    assert header == ["'" + start + "name"]
    assert row == ["'" + start + "cmd|' /C calc'!A0"]


def test_numbers_below_zero_stay_numbers() -> None:
    table = pa.table({"n": [-5], "d": [Decimal("-1.50")], "x": [-0.5]})
    assert to_csv(table) == b"n,d,x\r\n-5,-1.50,-0.5\r\n"


def test_csv_of_more_rows_takes_no_more_memory() -> None:
    """Each part is written and released; before, the whole text was kept."""

    def peak(rows: int) -> int:
        table = pa.table({"n": pa.array(range(rows)), "t": pa.array(["a place of some length"] * rows)})
        tracemalloc.start()
        written = sum(map(len, table_parts(table)))
        _, most = tracemalloc.get_traced_memory()
        tracemalloc.stop()
        assert written > 20 * rows
        return most

    assert peak(10 * PART_ROWS) < 1.2 * peak(2 * PART_ROWS)


def test_readers_that_skip_comments_lose_only_the_last_line() -> None:
    table = pa.table({"t": ["#1", "a # b", ""], "n": [1, 2, 3]})
    text = b"".join(table_parts(table, missing="3 rows are here and more follow"))
    assert text.splitlines()[-1] == b"# 3 rows are here and more follow"
    read = pd.read_csv(io.BytesIO(text), comment="#", keep_default_na=False)
    assert read.to_numpy().tolist() == [["#1", 1], ["a # b", 2], ["", 3]]


@pytest.mark.parametrize("number", ["-1.5", "-1e-5", "+1", "-.5", "-1.", "+2.5E+10"])
def test_a_text_that_is_a_number_stays_one(number: str) -> None:
    assert to_csv(pa.table({"t": [number]})).decode().splitlines() == ["t", number]


@pytest.mark.parametrize("text", ["-foo", "=1", "+1+1", "-1-1", "-1 ", "-", "+1e", "-\u0661", "@1", "\t1"])
def test_a_text_that_is_almost_a_number_is_made_safe(text: str) -> None:
    [_, [cell]] = csv.reader(io.StringIO(to_csv(pa.table({"t": [text]})).decode(), newline=""))
    assert cell == f"'{text}"


def test_lists_maps_and_rows_are_json_in_csv() -> None:
    table = pa.table({
        "l": pa.array([["a", None]]), "m": pa.array([[("ñ", 1)]], pa.map_(pa.string(), pa.int64())),
        "r": pa.array([{"a": True}]),
    })  # fmt: skip
    (row,) = list(csv.reader(io.StringIO(to_csv(table).decode(), newline="")))[1:]
    assert row == ['["a", null]', '[["ñ", 1]]', '{"a": true}']


def test_null_and_empty_text_differ_in_csv() -> None:
    table = pa.table({"t": ["", None, "a"], "n": pa.array([None, 1, None], pa.int64())})
    assert to_csv(table) == b't,n\r\n"",\r\n,1\r\na,\r\n'
    read = duckdb.sql(
        f"SELECT t IS NULL, n IS NULL FROM read_csv('{saved(table)}', header=true, allow_quoted_nulls=false)"
    ).fetchall()
    assert read == [(False, True), (True, False), (False, True)]


def saved(table: pa.Table) -> str:
    with tempfile.NamedTemporaryFile(suffix=".csv", delete=False) as file:
        file.write(to_csv(table))
    return file.name


@given(st.lists(st.text(), min_size=1))
def test_any_text_survives_csv_but_for_the_apostrophe(texts: list[str]) -> None:
    made = to_csv(pa.table({"t": pa.array(texts, pa.string())})).decode()
    read = [row[0] if row else "" for row in csv.reader(io.StringIO(made, newline=""))][1:]
    assert len(read) == len(texts)
    for text, cell in zip(texts, read, strict=True):
        assert cell in (text, f"'{text}")
        assert not cell.startswith(FORMULA_STARTS) or math.isfinite(float(cell))


def test_parquet_and_arrow_give_the_rows_back() -> None:
    assert pq.read_table(io.BytesIO(to_parquet(TABLE))).num_rows == 2
    assert pa.ipc.open_stream(to_arrow(TABLE)).read_all().equals(TABLE.slice(0)) or TABLE["x"].null_count == 0
