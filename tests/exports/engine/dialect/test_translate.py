"""A text of Athena's dialect is typed by Athena's rules, and written for DuckDB or refused."""

import datetime as dt
from pathlib import Path

import pytest

from exports.athena.wire import text
from exports.engine.engine import Engine
from exports.engine.errors import LateError, QueryError
from exports.engine.results import columns_of, to_parquet, type_name
from tests.exports.engine.factories import an_engine, published, translated

CROWD = "aspirevc_crowd_tracing"
ZIPS = "aspirevc_crowd_tracing_zipcode_3digits"


@pytest.fixture
def engine(tmp_path: Path) -> Engine:
    return an_engine(tmp_path)


def refused(sql: str) -> QueryError:
    with pytest.raises(QueryError) as caught:
        translated(sql)
    return caught.value


def names(sql: str) -> tuple[str, ...]:
    return translated(sql).names


@pytest.mark.parametrize("name", ["daily_counts.sql", "counts_by_state_and_risklevel.sql"])
def test_the_published_queries_have_their_columns_with_athena_s_types(name: str) -> None:
    found = translated(published(name))
    assert found.names[0] == "date"
    assert str(found.types[0]) == "date"
    assert {str(kind) for kind in found.types[-5:]} == {"bigint"}


class TestNames:
    """Names of columns and tables."""

    @pytest.mark.parametrize(
        ("sql", "expected"),
        [
            ("SELECT 1, 2 AS b, 3", ("_col0", "b", "_col2")),
            ("SELECT count(*), max(zip) FROM live_crowd", ("_col0", "_col1")),
            ("SELECT ZIP, State AS St FROM live_crowd", ("ZIP", "St")),
            (f"SELECT * FROM {ZIPS}", ("zip", "state")),
            (f"SELECT a.*, b.zip FROM {ZIPS} a JOIN {ZIPS} b ON a.zip = b.zip", ("zip", "state", "zip")),
            (f"SELECT * FROM {ZIPS} a JOIN {ZIPS} b USING (state)", ("state", "zip", "zip")),
            ("SELECT 1 AS a, 2 AS a", ("a", "a")),
            ("SELECT * FROM (SELECT 1 AS a, 2 AS a)", ("a", "a")),
            ("SELECT * FROM (SELECT 1)", ("_col0",)),
            ("VALUES (1, 2)", ("_col0", "_col1")),
            ("SELECT * FROM (VALUES ROW(1, 'a'), ROW(2, 'b')) AS t(x, y)", ("x", "y")),
            ("WITH t(x) AS (SELECT 1) SELECT * FROM t", ("x",)),
            ("SELECT 1 AS x UNION SELECT 2 AS y", ("x",)),
        ],
    )
    def test_columns_are_named_as_athena_names_them(self, sql: str, expected: tuple[str, ...]) -> None:
        assert names(sql) == expected

    @pytest.mark.parametrize(
        "table",
        [
            f'"AwsDataCatalog"."covid-19".{ZIPS}', f'awsdatacatalog."COVID-19".{ZIPS.upper()}', f'"covid-19"."{ZIPS}"',
            ZIPS.title(), f'"AWSDATACATALOG"."covid-19"."{ZIPS}"',
        ],
    )  # fmt: skip
    def test_a_table_has_its_names_in_any_case(self, table: str) -> None:
        assert names(f"SELECT * FROM {table}") == ("zip", "state")
        assert names(f"SELECT T.Zip FROM {table} AS t") == ("Zip",)

    @pytest.mark.parametrize(
        "table", [f'other."covid-19".{ZIPS}', f"awsdatacatalog.other.{ZIPS}", f"awsdatacatalog.{ZIPS}"]
    )
    def test_another_catalogue_or_database_is_unknown(self, table: str) -> None:
        assert refused(f"SELECT * FROM {table}").code == "unknown-table"

    def test_aliases_are_no_names_in_where_and_group_by(self) -> None:
        for clause in ("WHERE s = 'MA'", "GROUP BY s", "GROUP BY 1 HAVING s = 'MA'"):
            assert refused(f"SELECT state AS s FROM {ZIPS} {clause}").code == "unknown-name"
        assert names(f"SELECT state AS s, count(*) AS n FROM {ZIPS} GROUP BY 1 ORDER BY n DESC, s") == ("s", "n")

    def test_two_columns_of_one_name_are_an_answer_but_no_parquet_file(self, engine: Engine) -> None:
        table = engine.run("SELECT 1 AS a, 2 AS a").table
        assert table.column_names == ["a", "a"]
        with pytest.raises(QueryError, match='Two columns are named "a"'):
            to_parquet(table)


class TestRefusals:
    """What is not known to be equal is refused with a message."""

    @pytest.mark.parametrize(
        ("sql", "code", "words"),
        [
            ("SELECT from_base('ff', 16)", "not-offered", "Athena's function from_base is not offered here."),
            ("SELECT coun(*) FROM live_crowd", "unknown-name", "Did you mean count?"),
            ("SELECT list_sort(ARRAY[1])", "unknown-name", "There is no function list_sort"),
            ("SELECT checksum(zip) FROM live_crowd", "not-the-same", "no page says"),
            ("SELECT 1::bigint", "syntax", "CAST"),
            ("SELECT 1_000", "syntax", "digits"),
            ("SELECT 1 LIMIT 1 OFFSET 1", "syntax", "OFFSET before LIMIT"),
            ("SELECT 'a' = 1", "wrong-types", "cast one of them"),
            ("SELECT scan_date FROM aspirevc_crowd_tracing WHERE scan_date > '2020-10-15'", "wrong-types", "DATE"),
            ("SELECT lower(1)", "wrong-types", "lower(VARCHAR) -> VARCHAR"),
            ("SELECT 1 WHERE 1", "wrong-types", "boolean"),
            ("SELECT symptomz FROM aspirevc_crowd_tracing", "unknown-name", "Did you mean symptoms?"),
            ("SELECT regexp_like('a', zip) FROM live_crowd", "not-offered", "written in the query"),
            ("SELECT at_timezone(now(), 'Europe/Atlantis')", "bad-value", "no time zone"),
            ("SELECT date_diff('fortnight', now(), now())", "bad-value", "fortnight"),
            ("SELECT row_number() FROM live_crowd", "syntax", "OVER"),
            ("SELECT cast(1 AS string)", "not-offered", "Use varchar"),
            ("SELECT * FROM generate_series(1, 3)", "forbidden-function", "sequence"),
            ("SELECT a FROM (SELECT 1 AS a, 2 AS a)", "unknown-name", "ambiguous"),
            ("SELECT 1 UNION SELECT 'a'", "wrong-types", "on the other"),
        ],
    )
    def test_a_refusal_says_what_to_do(self, sql: str, code: str, words: str) -> None:
        error = refused(sql)
        assert error.code == code
        assert words in error.detail

    def test_suggested_names_are_supported_ones(self) -> None:
        from exports.engine.dialect.calling import offered

        for name in ("lst", "date_ad", "regex_like", "json_extract_scalr", "strftime", "list_max", "getenv"):
            assert set(refused(f"SELECT {name}('a')").nearest) <= set(offered())

    def test_a_position_is_that_in_the_text(self) -> None:
        error = refused(f"SELECT zip,\n  'ñ' || lowr(zip)\nFROM {ZIPS}")
        assert (error.line, error.column) == (2, 10)

    def test_types_and_columns_are_judged_after_a_text_is_accepted_as_athena_does(self, engine: Engine) -> None:
        assert isinstance(refused("SELECT symptomz FROM aspirevc_crowd_tracing"), LateError)
        assert isinstance(refused("SELECT 'a' = 1"), LateError)
        assert not isinstance(refused("SELECT coun(1)"), LateError)
        with pytest.raises(QueryError) as caught:
            engine.run(f"SELECT zip,\n  statee FROM {ZIPS}")
        assert (caught.value.line, caught.value.column, caught.value.nearest) == (2, 3, ("state",))

    def test_a_position_in_the_translation_is_not_reported_as_one_in_the_text(self, engine: Engine) -> None:
        for sql in ("WITH a AS (SELECT 1 x), a AS (SELECT 2 x) SELECT * FROM a", "SELECT sum(sum(1))"):
            with pytest.raises(QueryError) as caught:
                engine.run(sql)
            assert (caught.value.line, caught.value.column) == (None, None)

    def test_calls_that_grow_without_limit_are_refused(self) -> None:
        nested = "zip"
        for _ in range(24):
            nested = f"least({nested}, zip)"
        assert refused(f"SELECT {nested} FROM {ZIPS}").code == "too-deep"


class TestTypes:
    """The types of the answer."""

    def test_a_time_is_shown_on_the_clock_of_its_zone(self, engine: Engine) -> None:
        sql = "SELECT TIMESTAMP '2020-10-15 12:00:00 UTC' AT TIME ZONE 'America/New_York' AS t"
        table = engine.run(sql).table
        moment = table["t"][0].as_py()
        assert moment == dt.datetime(2020, 10, 15, 12, tzinfo=dt.UTC)
        assert text(moment) == "2020-10-15 08:00:00.000 America/New_York"
        assert columns_of(table) == [{"name": "t", "type": "timestamp with time zone"}]

    def test_type_names_are_athena_s(self, engine: Engine) -> None:
        sql = "SELECT 1, BIGINT '1', 1.5, 1e0, 'a', true, DATE '2020-01-01', ARRAY[1], map(ARRAY['a'], ARRAY[1]), NULL"
        assert [column["type"] for column in columns_of(engine.run(sql).table)] == [
            "integer", "bigint", "decimal(2,1)", "double", "varchar", "boolean", "date", "array(integer)",
            "map(varchar,integer)", "varchar",
        ]  # fmt: skip

    @pytest.mark.parametrize(
        "value",
        [
            "1::UTINYINT",
            "1::USMALLINT",
            "1::UINTEGER",
            "1::UBIGINT",
            "TIME '10:00'",
            "1::HUGEINT",
            "uuid()",
            "1::FLOAT",
        ],
    )
    def test_every_type_of_duckdb_has_a_name_that_clients_know(self, engine: Engine, value: str) -> None:
        kind = engine.run(f"SELECT {value} AS v", dialect="duckdb").table.schema.field("v").type
        known = {"smallint", "integer", "bigint", "time", "varchar", "real"}
        assert type_name(kind).partition("(")[0] in known | {"decimal"}

    def test_a_sum_of_whole_numbers_is_a_bigint_and_one_of_decimals_a_decimal(self) -> None:
        found = translated("SELECT sum(x), sum(y), avg(x), avg(y) FROM (VALUES (1, 1.25)) t(x, y)")
        assert [str(kind) for kind in found.types] == ["bigint", "decimal(38,2)", "double", "decimal(3,2)"]


@pytest.mark.parametrize(
    "sql",
    [
        f"SELECT hour(from_iso8601_timestamp(scandate)) AS h, count(*) FROM {CROWD} GROUP BY 1 ORDER BY 1",
        f"SELECT risklevel, count_if(symptoms) * 100.0 / count(*) FROM {CROWD} GROUP BY risklevel",
        f"SELECT date_trunc('week', scan_date), approx_percentile(temp, ARRAY[0.5, 0.9]) FROM {CROWD} GROUP BY 1",
        f"SELECT state, array_join(array_agg(DISTINCT zip ORDER BY zip), ',') FROM {ZIPS} GROUP BY state",
        f"SELECT zip, lag(zip, 1, '') OVER (PARTITION BY state ORDER BY zip DESC) FROM {ZIPS}",
        f"SELECT z.state, d FROM {ZIPS} z CROSS JOIN UNNEST(sequence(DATE '2020-10-01', DATE '2020-10-03')) AS t(d)",
        f"SELECT * FROM {ZIPS} TABLESAMPLE BERNOULLI (10)",
        f"SELECT zip FROM {ZIPS} WHERE EXISTS (SELECT 1 FROM {CROWD} WHERE substr(scannerdevice_zipcode, 1, 3) = zip)",
        f"SELECT state, count(*) FROM {ZIPS} GROUP BY ROLLUP (state) HAVING grouping(state) = 1",
        "WITH RECURSIVE t(n) AS (SELECT 1 UNION ALL SELECT n + 1 FROM t WHERE n < 5) SELECT sum(n) FROM t",
    ],
)
def test_common_queries_run(engine: Engine, sql: str) -> None:
    assert engine.run(sql).table.num_columns >= 1
