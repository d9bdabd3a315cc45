"""Access of queries is decided on DuckDB's own parse: tables, functions and clauses, all by allow-list."""

import logging
from pathlib import Path

import duckdb
import pytest

from exports.engine.check import check
from exports.engine.errors import QueryError
from exports.engine.functions import FUNCTIONS, MACROS, TABLE_FUNCTIONS
from exports.engine.macros import macros
from exports.engine.parse import Dialect
from tests.exports.engine.factories import TABLES, accepted, an_engine, published


def refused(sql: str, dialect: Dialect = "duckdb") -> QueryError:
    with pytest.raises(QueryError) as caught:
        accepted(sql, dialect)
    return caught.value


@pytest.mark.parametrize("dialect", ["athena", "duckdb"])
@pytest.mark.parametrize("name", ["daily_counts.sql", "counts_by_state_and_risklevel.sql"])
def test_the_published_queries_are_accepted(name: str, dialect: Dialect) -> None:
    said = accepted(published(name), dialect)
    assert said["steady"]
    assert "aspirevc_crowd_tracing" in said["tables"]


# A name of a WITH clause hides a table of that name only where the engine does so.
SHADOWS = (
    "WITH {0} AS (SELECT * FROM {0}) SELECT * FROM {0}",
    "WITH {0} AS (SELECT 1 AS x) SELECT * FROM (SELECT * FROM {0}) AS {0}",
    "WITH RECURSIVE {0} AS (SELECT * FROM {0}) SELECT * FROM {0}",
    "WITH RECURSIVE {0} AS (SELECT * FROM {0} UNION ALL SELECT * FROM {0}) SELECT * FROM {0}",
    "WITH RECURSIVE {0} AS ((SELECT 1 AS x UNION ALL SELECT 2) UNION ALL (SELECT * FROM {0})), y AS (SELECT * FROM z), "
    "z AS (SELECT 1) SELECT * FROM y",
    "WITH a AS (SELECT * FROM {0}), {0} AS (SELECT 1 AS x) SELECT * FROM a",
    "WITH a AS (WITH {0} AS (SELECT * FROM {0}) SELECT * FROM {0}) SELECT * FROM a",
    "WITH {0} AS MATERIALIZED (SELECT * FROM {0}) SELECT * FROM {0}",
    "SELECT (WITH {0} AS (SELECT 1 AS x) SELECT x FROM {0}), x FROM {0}",
    "SELECT * FROM (WITH {0} AS (SELECT 1 AS x) SELECT * FROM {0}) t JOIN {0} ON true",
    "(WITH {0} AS (SELECT 1 AS x) SELECT * FROM {0}) UNION ALL SELECT * FROM {0}",
    "SELECT 1 WHERE EXISTS (WITH {0} AS (SELECT * FROM {0}) SELECT * FROM {0})",
)


@pytest.mark.parametrize("dialect", ["athena", "duckdb"])
@pytest.mark.parametrize("name", ["pg_settings", "DuckDB_Settings", '"/etc/passwd"', "hidden"])
@pytest.mark.parametrize("shadow", SHADOWS)
def test_no_with_clause_opens_a_table_by_its_own_name(shadow: str, name: str, dialect: Dialect) -> None:
    error = None
    try:
        accepted(shadow.format(name), dialect)
    except QueryError as caught:
        error = caught
    only_of_clauses = shadow == SHADOWS[1] and name != "pg_settings"  # which is a view of the engine itself
    assert (error is None) == only_of_clauses
    if error is not None:
        assert error.code == "unknown-table"


@pytest.mark.parametrize(
    "shadow", [SHADOWS[0], SHADOWS[2], SHADOWS[5], SHADOWS[6], SHADOWS[8], SHADOWS[9], SHADOWS[10]]
)
def test_the_check_in_the_dialect_knows_the_same_scopes(shadow: str) -> None:
    with pytest.raises(QueryError) as caught:
        check(shadow.format("pg_settings"), dialect="athena", schema="covid-19", tables=TABLES)
    assert caught.value.code == "unknown-table"


@pytest.mark.parametrize(
    "sql",
    [
        "WITH RECURSIVE t(n) AS (SELECT 1 UNION ALL SELECT n + 1 FROM t WHERE n < 9) SELECT count(*) FROM t",
        "WITH RECURSIVE t(n) AS (SELECT 1 UNION ALL SELECT n + 1 FROM (SELECT * FROM t) u WHERE n < 9) SELECT * FROM t",
        "WITH a AS (SELECT 1 AS x), B AS (SELECT x FROM A) SELECT * FROM b, (SELECT * FROM a) c",
        "WITH live_crowd AS (SELECT * FROM live_crowd) SELECT * FROM live_crowd",
        "WITH a AS (SELECT 1 AS x) (SELECT * FROM a) UNION (SELECT * FROM a) ORDER BY (SELECT max(x) FROM a)",
    ],
)
def test_names_are_known_where_the_engine_knows_them(sql: str) -> None:
    assert accepted(sql)


@pytest.mark.parametrize(
    "sql",
    [
        "SELECT * FROM information_schema.tables", "SELECT * FROM pg_catalog.pg_settings", "FROM duckdb_settings()",
        "SELECT * FROM system.information_schema.columns", "FROM pragma_database_list", "FROM pragma_version()",
        "SELECT * FROM '/etc/passwd'", 'SELECT * FROM "/etc/passwd"', "FROM read_text('/etc/hostname')",
        "SELECT * FROM live_crowd, LATERAL (SELECT * FROM duckdb_secrets()) s", "FROM query('SELECT 1')",
        "SELECT * FROM (DESCRIBE live_crowd)", "SELECT * FROM (SHOW ALL TABLES)", "FROM (SUMMARIZE live_crowd)",
        "SHOW TABLES", "DESCRIBE live_crowd", "SUMMARIZE live_crowd", "PRAGMA version", "EXPLAIN SELECT 1",
        "SELECT * FROM histogram('live_crowd', 'band')", "FROM repeat(1, 9)", "SELECT * FROM test_all_types()",
        "PIVOT pg_settings ON name USING count(*)", "FROM (PIVOT pg_settings ON name USING count(*))",
        "SELECT ?", "SELECT $1", "SELECT $name",
    ],
)  # fmt: skip
def test_nothing_but_the_tables_is_read(sql: str) -> None:
    assert refused(sql).code in {"unknown-table", "forbidden-function", "not-reading", "syntax"}


@pytest.mark.parametrize(
    "call",
    [
        "version()", "sleep_ms(1)", "pg_sleep(1)", "main.getenv('HOME')", "('HOME').getenv()", "current_setting('x')",
        "system.main.current_setting('x')", "CURRENT_SETTING('x')", "getvariable('x')", "nextval('x')",
        "current_query()",
        "json_serialize_sql('SELECT 1')", "write_log('x')", "txid_current()", "current_user", "current_schema()",
        "has_table_privilege('x', 'y')", "list_transform([1], x -> getenv('HOME'))", "count(getenv('HOME')) OVER ()",
        "sum(1) FILTER (WHERE getenv('HOME') = '')", "CASE WHEN getenv('HOME') = '' THEN 1 END", "error('x')",
        "pg_get_viewdef('live_crowd')", "duckdb_settings()", "icu_sort_key('a', 'b')",
    ],
)  # fmt: skip
def test_a_function_that_asks_the_machine_is_refused_however_it_is_written(call: str) -> None:
    assert refused(f"SELECT {call}").code in {"forbidden-function", "unknown-name"}


@pytest.mark.parametrize(
    "sql",
    [
        "SELECT * REPLACE (getenv('HOME') AS zip) FROM live_crowd",
        "SELECT * EXCLUDE (zip), getenv('HOME') FROM live_crowd",
        "SELECT COLUMNS(x -> getenv('HOME') = x) FROM live_crowd",
        "SELECT 1 ORDER BY getenv('HOME')",
        "SELECT 1 LIMIT (SELECT length(getenv('HOME')))",
        "SELECT zip FROM live_crowd GROUP BY GROUPING SETS ((getenv('HOME')), (zip))",
        "SELECT 1 FROM live_crowd a JOIN live_crowd b ON getenv('HOME') = a.zip",
        "SELECT zip FROM live_crowd QUALIFY row_number() OVER (ORDER BY getenv('HOME')) = 1",
        "SELECT DISTINCT ON (getenv('HOME')) zip FROM live_crowd",
        "SELECT * FROM unnest([getenv('HOME')])",
        "SELECT * FROM range(length(getenv('HOME')))",
        "VALUES (getenv('HOME'))",
        "SELECT string_agg(zip, ',' ORDER BY getenv('HOME')) FROM live_crowd",
        "WITH a AS (SELECT getenv('HOME')) SELECT 1",
        "SELECT {'value': getenv('HOME')}",
        "SELECT 'a' IN (SELECT getenv('HOME'))",
    ],
)
def test_functions_are_found_in_every_clause(sql: str) -> None:
    assert refused(sql).code in {"unknown-name", "not-reading", "syntax"}


def test_a_refused_function_is_placed_after_letters_of_several_bytes_too() -> None:
    error = refused("SELECT 'ñandú',\n    version()")
    assert (error.code, error.line, error.column) == ("forbidden-function", 2, 5)


def test_an_unknown_function_names_only_what_is_offered() -> None:
    error = refused("SELECT coun(*) FROM live_crowd")
    assert (error.code, error.column, error.nearest[0]) == ("unknown-name", 8, "count")
    assert set(refused("SELECT current_settin('x')").nearest) <= FUNCTIONS | MACROS


def test_every_offered_function_is_one_of_the_engine_s() -> None:
    connection = duckdb.connect(":memory:")
    for statement in macros():
        connection.execute(statement)
    known = {row[0] for row in connection.execute("SELECT DISTINCT function_name FROM duckdb_functions()").fetchall()}
    assert known >= FUNCTIONS | MACROS | TABLE_FUNCTIONS
    assert not {name for name in FUNCTIONS if name.startswith(("read_", "duckdb_", "pragma_", "current_s", "write_"))}


@pytest.mark.parametrize(
    ("sql", "steady"),
    [
        ("SELECT 1", True), ("SELECT now()", False), ("SELECT current_date", False),
        ("SELECT CURRENT_TIMESTAMP", False), ("SELECT localtime", False), ("SELECT random()", False),
        ("SELECT uuid()", False),
        ("SELECT today()", False),
        ("SELECT age(TIMESTAMP '2020-01-01')", False), ("SELECT * FROM live_crowd TABLESAMPLE 10%", False),
        ("SELECT * FROM (SELECT [random() FOR x IN [1]]) t", False), ("SELECT 'now()' AS today", True),
        ("SELECT * FROM live_crowd USING SAMPLE 3", False),
    ],
)  # fmt: skip
def test_a_value_that_changes_by_itself_is_known(sql: str, steady: bool) -> None:
    assert accepted(sql, "duckdb")["steady"] is steady


def test_no_line_of_the_log_holds_a_part_of_the_text(
    tmp_path: Path, caplog: pytest.LogCaptureFixture, capfd: pytest.CaptureFixture[str]
) -> None:
    """The parser logs what it does not know, so it runs with logging disabled."""
    engine = an_engine(tmp_path)
    with caplog.at_level(logging.DEBUG):
        caplog.clear()
        for sql in ("SHOW TABLES canary", "ALTER canary x", "CALL canary()", "SELECT canary FRM"):
            with pytest.raises(QueryError):
                engine.run(sql)
    assert "canary" not in caplog.text + "".join(capfd.readouterr())
