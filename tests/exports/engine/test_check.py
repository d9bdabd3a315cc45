"""Queries are checked before they run."""

import io
import logging
from collections.abc import Iterator
from contextlib import contextmanager

import pytest
from hypothesis import given
from hypothesis import strategies as st

from common.logs import PrivateFormatter
from exports.engine.check import check
from exports.engine.errors import QueryError
from exports.engine.limits import MAX_CHARACTERS
from exports.engine.parse import MAX_STEPS, Dialect
from tests.exports.engine.factories import TABLES, published

WORDS = (*published("daily_counts.sql").split(), "(", ")", "'", '"', ";", "--")
CODES = {
    "forbidden-function",
    "not-reading",
    "one-statement",
    "syntax",
    "too-deep",
    "too-long",
    "unknown-table",
}


def judge(sql: str, dialect: Dialect = "athena") -> QueryError | None:
    try:
        check(sql, dialect=dialect, schema="covid-19", tables=TABLES)
    except QueryError as error:
        return error
    return None


def is_judged(sql: str) -> None:
    """Assert that a text is accepted, or refused with a known code, a message and a position within it."""
    error = judge(sql)
    if error is None:
        return
    assert error.code in CODES
    assert error.detail
    assert error.line is None or 1 <= error.line <= len(sql.splitlines()) + 1
    assert error.column is None or 1 <= error.column <= len(sql) + 1


@pytest.mark.parametrize("dialect", ["athena", "duckdb"])
@pytest.mark.parametrize("name", ["daily_counts.sql", "counts_by_state_and_risklevel.sql"])
def test_the_published_queries_are_fine(name: str, dialect: Dialect) -> None:
    assert judge(published(name), dialect) is None


@pytest.mark.parametrize(
    "sql",
    [
        "SELECT count(*) FROM aspirevc_crowd_tracing;",
        "SELECT count(*) FROM aspirevc_crowd_tracing; -- a comment; with a semicolon",
        'SELECT * FROM "covid-19".live_crowd',
        "WITH a AS (SELECT 1 AS x), b AS (SELECT x FROM a) SELECT * FROM b JOIN live_crowd ON true",
        "SELECT * FROM (VALUES (1), (2)) AS t(x)",
        "SELECT x FROM aspirevc_crowd_tracing CROSS JOIN UNNEST(ARRAY[1, 2]) AS t(x)",
        "SELECT risklevel, count(*) FILTER (WHERE near), avg(temp) OVER () FROM live_crowd GROUP BY 1, temp",
        "SELECT 1 UNION ALL SELECT 2 INTERSECT SELECT 2",
        "SELECT approx_distinct(risklevel), date_trunc('day', from_iso8601_timestamp(scandate)) FROM "
        "aspirevc_crowd_tracing GROUP BY 2",
    ],
)
def test_queries_of_the_tables_are_accepted(sql: str) -> None:
    assert judge(sql) is None


@pytest.mark.parametrize("clause", ["f() RETURNS INT RETURN 1", "f(x INT) RETURNS INT RETURN x"])
def test_a_query_that_defines_functions_is_refused_with_advice(clause: str) -> None:
    error = judge(f"WITH FUNCTION {clause} SELECT f()")
    assert error is not None
    assert error.code == "not-offered"
    assert "expression" in error.detail


@pytest.mark.parametrize("clause", ["SEARCH DEPTH FIRST BY x SET n", "CYCLE x SET n USING p"])
def test_a_clause_that_would_be_lost_in_translation_is_refused(clause: str) -> None:
    error = judge(f"WITH t AS (SELECT 1 AS x) {clause} SELECT * FROM t")
    assert error is not None
    assert error.code == "not-offered"
    assert error.column is not None


def test_an_unknown_table_is_placed_and_the_nearest_is_named() -> None:
    error = judge('SELECT *\nFROM "covid-19"."aspirevc_crowd_trace"')
    assert error is not None
    assert (error.code, error.line, error.column) == ("unknown-table", 2, 17)
    assert error.nearest[0] == "aspirevc_crowd_tracing"
    assert 'Did you mean "covid-19"."aspirevc_crowd_tracing"?' in error.detail


def test_a_syntax_error_is_placed() -> None:
    error = judge("SELECT scandate\nFRM aspirevc_crowd_tracing x y")
    assert error is not None
    assert (error.code, error.line) == ("syntax", 2)
    assert error.column is not None
    assert error.column > 1


def test_a_misspelt_first_word_is_placed_itself() -> None:
    error = judge("\nSELEC count(*) FROM live_crowd")
    assert error is not None
    assert (error.code, error.line, error.column, error.nearest) == ("syntax", 2, 1, ("SELECT",))


def test_no_message_names_internals_of_the_parser() -> None:
    error = judge("SELECT :x", "duckdb")
    assert error is not None
    assert "sqlglot" not in error.detail
    assert error.code == "syntax"


def test_a_name_of_a_with_clause_is_known_only_inside_it() -> None:
    error = judge("SELECT * FROM (WITH a AS (SELECT 1) SELECT * FROM a) t JOIN a ON true")
    assert error is not None
    assert error.code == "unknown-table"


def test_two_statements_are_refused() -> None:
    error = judge("SELECT 1; SELECT 2")
    assert error is not None
    assert error.code == "one-statement"


def test_a_text_that_is_too_long_is_refused() -> None:
    long = judge("SELECT " + " " * MAX_CHARACTERS + "1")
    assert long is not None
    assert long.code == "too-long"


@pytest.mark.parametrize("dialect", ["athena", "duckdb"])
@pytest.mark.parametrize(
    ("opens", "closes"),
    [
        ("(", ")"), ("coalesce(", ")"), ("CASE WHEN a THEN ", " END"), ("(SELECT ", ")"),
        # sqlglot parses each of these twice at every level, so a hundred characters would take hours
        ("ARRAY[", "]"), ("ROW(", ")"), ("MAP(ARRAY[1], ARRAY[", "])"), ("DECIMAL(", ")"), ("TIMESTAMP(", ")"),
    ],
)  # fmt: skip
def test_nesting_has_a_limit_that_is_checked_early_and_the_message_says_what_to_do(
    opens: str, closes: str, dialect: Dialect
) -> None:
    assert judge(f"SELECT {opens * 8}1{closes * 8}", dialect) is None
    error = judge(f"SELECT {opens * 500}1{closes * 500}", dialect)
    assert error is not None
    assert error.code == "too-deep"
    assert "WITH" in error.detail


@pytest.mark.parametrize("dialect", ["athena", "duckdb"])
@pytest.mark.parametrize(
    "sql",
    [
        "SELECT count(*) FROM live_crowd WHERE " + " OR ".join(["zip = '941'"] * 1200),
        "SELECT " + "+".join("1" * 9000),
        "SELECT 1" + " UNION ALL SELECT 1" * 1000,
        "SELECT zip FROM live_crowd WHERE zip IN (" + ", ".join(["'941'"] * 2500) + ")",
        "SELECT " + ", ".join(["row(row(array[1]))"] * 950),
        "SELECT " + ", ".join(["sum(if(band = 'full' AND venues > 3, 1, 0))"] * 380) + " FROM live_crowd",
    ],
    ids=["or", "plus", "union", "in", "rows", "ifs"],
)
def test_a_long_text_is_not_taken_for_a_deep_one(sql: str, dialect: Dialect) -> None:
    assert MAX_CHARACTERS * 0.7 < len(sql) <= MAX_CHARACTERS
    assert judge(sql, dialect) is None


def test_parsing_that_backtracks_too_often_stops_at_the_limit_of_tokens(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    nested = f"SELECT {'ARRAY[' * 11}1{']' * 11}"
    assert judge(nested) is None
    monkeypatch.setattr("exports.engine.parse.MAX_STEPS", MAX_STEPS // 10)
    error = judge(nested)
    assert error is not None
    assert error.code == "too-deep"


@given(st.text(max_size=200))
def test_any_text_is_refused_at_its_place_or_accepted(sql: str) -> None:
    is_judged(sql)


@given(st.lists(st.sampled_from(WORDS), max_size=40))
def test_any_mixture_of_words_is_refused_at_its_place_or_accepted(words: list[str]) -> None:
    is_judged(" ".join(words))


@pytest.mark.parametrize("dialect", ["athena", "duckdb"])
@pytest.mark.parametrize(
    "sql",
    [
        "ALTER SESSION SET canary = 1",
        "PIVOT canary",
        "SHOW canary",
        "SELECT json_extract(x, '$[canary') FROM live_crowd",
        "SELECT json_extract_scalar(x, 'canary$..[') FROM live_crowd",
        "SELECT x[canary] FROM live_crowd",
        "CREATE canary something",
        "SELECT * FROM live_crowd SAMPLE canary",
        "VACUUM canary",
        "CALL canary('x')",
    ],
)
def test_no_log_line_holds_a_word_of_a_query(sql: str, dialect: Dialect, capfd: pytest.CaptureFixture[str]) -> None:
    with a_log() as lines:
        judge(sql, dialect)
    assert "canary" not in lines.getvalue()
    assert capfd.readouterr() == ("", "")


def test_the_log_would_show_it() -> None:
    with a_log() as lines:
        logging.getLogger("another.library").warning("canary unquoted")
    assert "canary" in lines.getvalue()


@contextmanager
def a_log() -> Iterator[io.StringIO]:
    """Yield what the handlers of the settings write."""
    handlers = [each for each in logging.getLogger().handlers if isinstance(each, logging.StreamHandler)]
    handler = next(each for each in handlers if isinstance(each.formatter, PrivateFormatter))
    lines, before = io.StringIO(), handler.stream
    handler.setStream(lines)
    yield lines
    handler.setStream(before)
