"""Answers of Athena that are in no row of the table, from Trino's source and tests, by area."""

from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Final

import duckdb
import pytest

from tests.exports.engine.dialect.test_table import answer
from tests.exports.engine.factories import an_engine, locked

NULL, WRONG, TYPES, SYNTAX = "null", "refused: bad-value", "refused: wrong-types", "refused: syntax"
ELSEWHERE, LATER = "refused: not-the-same", "refused: not-offered"
NAME: Final = "refused: unknown-name"

NUMBERS: Final = {
    "typeof(-2147483648)": "integer",
    "typeof(1 / 0)": WRONG,
    "SELECT typeof(sum(x)) FROM (VALUES 1, 2) t(x)": "bigint",
    "SELECT y, typeof(sum(x)) FROM (VALUES (1, 'a'), (2, 'a')) t(x, y) GROUP BY y": "a, bigint",
    "SELECT typeof(x), count(*) FROM (VALUES 1, 2) t(x)": "refused: failed",
    "SELECT x FROM (VALUES 1, 2) t(x) WHERE typeof(sum(x)) = 'bigint'": "refused: failed",
    "-2147483648 - 1": WRONG,
    "1e7": "1.0E7",
    "1234567.0e0": "1234567.0",
    "0.001e0": "0.001",
    "0.0005e0": "5.0E-4",
    "-1e0 / 0": "-Infinity",
    "REAL '0.1'": "0.1",
    "ARRAY[1e7, REAL '0.1']": "[1.0E7, 0.10000000149011612]",
    "ARRAY[REAL '0.1']": "[0.1]",
    "map()": "{}",
    "round(1250, -2)": "1300",
    "round(-1250, -2)": "-1300",
    "round(1234.567, -2)": "1200.000",
    "sign(nan())": "NaN",
    "acos(2)": "NaN",
    "sin(infinity())": "NaN",
    "log(2, 0)": "-Infinity",
    "random(0)": WRONG,
    "random(5, 5)": WRONG,
    "SELECT count_if(NULL)": "0",
    "1e0 + 2": "3.0",
    "1e0+2": SYNTAX,
    "1.5e0-0.5e0": SYNTAX,
    "ARRAY[REAL '1', REAL '100']": "[1.0, 100.0]",
    "avg(cast('99999999999999999999999999999999999999' AS decimal(38, 0)))": "99999999999999999999999999999999999999",
    "SELECT sum(x) FROM (VALUES DECIMAL '99.99', DECIMAL '-0.01') t(x)": "99.98",
}
NOT_A_NUMBER: Final = {
    "nan() = nan()": "false",
    "nan() <> nan()": "true",
    "nan() > 1e0": "false",
    "1e0 <= nan()": "false",
    "NOT (nan() > 1e0)": "true",
    "nan() IS DISTINCT FROM nan()": "false",
    "nan() IN (nan(), 1e0)": "false",
    "nan() BETWEEN 1e0 AND infinity()": "false",
    "1e0 BETWEEN 0e0 AND nan()": "false",
    "greatest(nan(), 1e0)": "1.0",
    "least(nan(), 1e0)": "1.0",
    "greatest(nan(), nan())": "NaN",
    "SELECT max(x), min(x) FROM (VALUES 1e0, nan(), 3e0) t(x)": "3.0, 1.0",
    "SELECT max(x) OVER () FROM (VALUES 1e0, nan()) t(x)": "1.0; 1.0",
    "SELECT x <> y FROM (VALUES (nan(), 1e0), (nan(), NULL), (1e0, nan()), (1e0, 1e0)) t(x, y)": (
        "true; null; true; false"
    ),
    "nullif(nan(), nan())": "NaN",
    "nan() IN (SELECT nan())": "false",
    "nan() = ANY (SELECT nan())": "false",
    "1e0 = ANY (SELECT 1e0)": "true",
    "CASE nan() WHEN nan() THEN 1 ELSE 2 END": "2",
    "SELECT count(*) FROM (VALUES nan()) t(x) JOIN (VALUES nan()) u(y) ON x = y": "0",
    "SELECT x FROM (VALUES 1e0, nan(), NULL) t(x) ORDER BY x DESC": "NaN; 1.0; null",
}
CASTS: Final = {
    "cast(0e0 AS varchar)": "0E0",
    "cast(-1234.5e0 AS varchar)": "-1.2345E3",
    "cast(0.00012e0 AS varchar)": "1.2E-4",
    "cast(1e16 AS varchar)": "1.0E16",
    "cast(REAL '0.1' AS varchar)": "1.0E-1",
    "cast(infinity() AS varchar)": "Infinity",
    "cast(nan() AS varchar)": "NaN",
    "cast(1200e0 AS varchar(4))": WRONG,
    "cast(0.5 AS varchar)": "0.5",
    "cast(-0.50 AS varchar)": "-0.50",
    "array_join(ARRAY[1.5e0, 2e7], '-')": "1.5E0-2.0E7",
    "cast(' 1.5 ' AS double)": "1.5",
    "try_cast('1d' AS double)": "1.0",
    "cast('1e2' AS decimal(5,1))": "100.0",
    "try_cast('x' AS date)": NULL,
    "cast(' 2020-1-5 ' AS date)": "2020-01-05",
    "cast('2020-10-15 10:00:00.1239' AS timestamp(3))": "2020-10-15 10:00:00.124",
    "cast('2020-10-15 10:00:00.123456' AS timestamp)": "2020-10-15 10:00:00.123",
    "cast('2020-10-15 10:00:00.123456' AS timestamp(6))": "2020-10-15 10:00:00.123456",
    "cast(TIMESTAMP '2020-10-15 10:00:00.9999' AS timestamp(0))": "2020-10-15 10:00:01.000",
    "cast('2020-10-15 24:00:00' AS timestamp)": WRONG,
    "cast('2020-10-15 10:00:00 +02:00' AS timestamp with time zone)": WRONG,
    "cast(1 AS float)": LATER,
    "cast(1 AS int8)": LATER,
    "cast(1 AS bool)": LATER,
    "cast(ROW(1) AS ROW(x float))": LATER,
    "cast('1' AS integer FORMAT 'x')": SYNTAX,
    "concat(ARRAY[1], NULL)": ELSEWHERE,
    "cast(json_parse('[1,null,\"2\"]') AS array(bigint))": "[1, null, 2]",
    "cast(json_parse('1') AS array(bigint))": WRONG,
    "cast(json_parse('1.5') AS varchar)": WRONG,
    "json_extract_scalar('{\"a\":1.50}', '$.a')": WRONG,
    "json_extract_scalar('{\"a\":\"1.50\"}', '$.a')": "1.50",
    "json_extract_scalar('not json', '$.a')": NULL,
}
TEXTS: Final = {
    "upper('straße')": "STRAßE",
    "from_hex('0')": WRONG,
    "strpos('abcabc', 'c', -1)": "6",
    "strpos('aaa', 'aa', 2)": "2",
    "strpos('abc', 'c', 0)": WRONG,
    "regexp_position('ñ 23', '[0-9]+')": "3",
    "regexp_position('b' || chr(10) || 'a', '^a')": "-1",
    "json_array_contains('[1]', '1')": "false",
    "json_array_contains('x', 1)": NULL,
    "json_array_contains('{}', 1)": NULL,
    "format('%s', 12345678e0)": "1.2345678E7",
    "format('%.2f', -0.001e0)": "-0.00",
    "format('%,.1f', -1234.56)": "-1,234.6",
    "format('%.2f', infinity())": WRONG,
    "regexp_like('abc', '[[:alpha:]]+')": LATER,
    "regexp_like('a', '[]a]')": LATER,
    "regexp_like('a', 'a{2')": LATER,
    "regexp_like('aa', '^a{2}$')": "true",
    "regexp_split('abc', '')": WRONG,
    "'abc' LIKE 'a$bc' ESCAPE '$'": WRONG,
    "SELECT x LIKE y ESCAPE '$' FROM (VALUES ('a%', 'a$%')) t(x, y)": "true",
    "SELECT x LIKE y ESCAPE '$' FROM (VALUES ('a%', 'a$b')) t(x, y)": WRONG,
}
MONTHS: Final = {
    "date_diff('month', DATE '2020-02-29', DATE '2020-01-31')": "-1",
    "date_diff('month', DATE '2020-01-31', DATE '2020-02-28')": "0",
    "date_diff('month', TIMESTAMP '2020-01-31 10:00', TIMESTAMP '2020-02-29 09:00')": "0",
    "date_diff('month', TIMESTAMP '2020-01-31 10:00', TIMESTAMP '2020-02-29 10:00')": "1",
    "date_diff('quarter', DATE '2019-11-30', DATE '2020-02-29')": "1",
    "date_diff('quarter', DATE '2020-04-30', DATE '2020-01-31')": "-1",
    "date_diff('year', DATE '2020-02-29', DATE '2021-02-28')": "1",
    "date_diff('year', DATE '2020-02-29', DATE '2024-02-28')": "3",
    "SELECT date_diff('month', x, y) FROM (VALUES (DATE '2020-01-31', NULL)) t(x, y)": NULL,
    "sequence(DATE '2020-01-31', DATE '2020-04-30', INTERVAL '1' MONTH)": (
        "[2020-01-31, 2020-02-29, 2020-03-31, 2020-04-30]"
    ),
    "sequence(DATE '2020-01-01', DATE '2020-01-03', INTERVAL '-1' DAY)": WRONG,
    "date_parse(' 2020-10-05', '%Y-%m-%d')": WRONG,
    "date_parse('2020-10-05  09:05', '%Y-%m-%d %H:%i')": WRONG,
    "date_parse('2020-10-05 10:11:12.123456', '%Y-%m-%d %H:%i:%s.%f')": "2020-10-05 10:11:12.123",
    "sequence(1, 10000) IS NULL": "false",
    "sequence(1, 10001) IS NULL": WRONG,
}
# New York sets its clocks forward on 8 March 2020 and back on 1 November 2020.
ZONES: Final = {
    "TIMESTAMP '2020-10-15 12:00:00' = TIMESTAMP '2020-10-15 12:00:00 America/New_York'": "false",
    "date_diff('hour', TIMESTAMP '2020-01-01 00:00', TIMESTAMP '2020-01-01 00:00 America/New_York')": "5",
    "date_diff('day', TIMESTAMP '2020-01-01 00:00 America/New_York', TIMESTAMP '2020-01-02 04:59 UTC')": "0",
    "coalesce(TIMESTAMP '2020-10-15 12:00:00 America/New_York', TIMESTAMP '2020-10-15 12:00:00')": ELSEWHERE,
    "SELECT TIMESTAMP '2020-10-15 12:00 Asia/Tokyo' UNION SELECT TIMESTAMP '2020-10-15 12:00 UTC'": ELSEWHERE,
    "TIMESTAMP '2020-03-08 02:30:00 America/New_York'": WRONG,
    "TIMESTAMP '2020-03-08 24:00:00'": WRONG,
    "hour(TIMESTAMP '2020-11-01 01:30:00 America/New_York' AT TIME ZONE 'UTC')": "5",
    "hour(with_timezone(TIMESTAMP '2020-11-01 01:30:00', 'America/New_York') AT TIME ZONE 'UTC')": "5",
    "hour(date_add('day', 1, TIMESTAMP '2020-10-31 01:30:00 America/New_York') AT TIME ZONE 'UTC')": "5",
    "hour(date_add('day', -1, TIMESTAMP '2020-11-02 01:30:00 America/New_York') AT TIME ZONE 'UTC')": "6",
    "hour(date_trunc('hour', TIMESTAMP '2020-11-01 01:30:00 America/New_York') AT TIME ZONE 'UTC')": "5",
    "extract(timezone_hour FROM TIMESTAMP '2020-10-15 10:11:12 UTC')": "0",
}
INTERVALS: Final = {
    "INTERVAL 1 DAY": SYNTAX,
    "INTERVAL '1 day'": SYNTAX,
    "INTERVAL '-2 03:04:05.6' DAY TO SECOND": "-2 03:04:05.600",
    "INTERVAL '03:04' HOUR TO MINUTE": "0 03:04:00.000",
    "INTERVAL '-1-2' YEAR TO MONTH": "-1-2",
    "INTERVAL '1-2' DAY TO SECOND": WRONG,
    "INTERVAL '1.5' SECOND": "0 00:00:01.500",
    "INTERVAL '1' DAY * 1.5": "1 12:00:00.000",
    "INTERVAL '1' YEAR / 2": "0-6",
    "INTERVAL '1' DAY / 0": WRONG,
    "extract(hour FROM INTERVAL '27' HOUR)": "3",
    "month(INTERVAL '15' MONTH)": "3",
    "second(INTERVAL '-1.5' SECOND)": "-1",
}
QUERIES: Final = {
    "SELECT x FROM (VALUES 1, 2, 2) t(x) ORDER BY x FETCH FIRST 2 ROWS WITH TIES": "1; 2; 2",
    "SELECT x FROM (VALUES 1, 2, 2) t(x) ORDER BY 1 DESC FETCH FIRST ROW WITH TIES": "2; 2",
    "SELECT x FROM (VALUES 1) t(x) FETCH FIRST 1 ROW WITH TIES": SYNTAX,
    "SELECT 1 AS a, 2 AS a ORDER BY a": NAME,
    "SELECT t.x FROM (VALUES 1) t(x) JOIN (VALUES 1) u(x) USING (x)": NAME,
    "SELECT v.x FROM (VALUES 1) t(x) JOIN (VALUES 1) u(x) USING (x) CROSS JOIN (VALUES 2) v(x)": "2",
    "SELECT 1 NOT IN (VALUES 2, 3)": "true",
    "SELECT lag(x, -1) OVER (ORDER BY x) FROM (VALUES 1) t(x)": WRONG,
    "SELECT nth_value(x, 0) OVER (ORDER BY x) FROM (VALUES 1) t(x)": WRONG,
    "SELECT sum(DISTINCT x) OVER () FROM (VALUES 1) t(x)": LATER,
    "SELECT * FROM ((VALUES 1) t(x) CROSS JOIN (VALUES 2) u(y))": LATER,
    "SELECT ROW(1, 2).field0": NAME,
    "SELECT ROW(1, 2)[1]": "1",
    "SELECT cast(ROW(1) AS ROW(x integer)).x": "1",
}
WORDS: Final = {
    "SELECT x FROM (VALUES 1, 2) t(x) LIMIT 1, 1": SYNTAX,
    "SELECT x FROM (VALUES 1, 2) t(x) LIMIT 10 PERCENT": SYNTAX,
    "SELECT count(*) FROM (SELECT x FROM (VALUES 1, 2) t(x) LIMIT 1)": "1",
    "SELECT 1, FROM (VALUES 1) t(x)": SYNTAX,
    "SELECT (1,)": SYNTAX,
    "SELECT ARRAY[1,]": SYNTAX,
    "VALUES 1,": SYNTAX,
    "SELECT x FROM (VALUES 1) t(x) GROUP BY x,": SYNTAX,
    "SELECT 1 AS order": SYNTAX,
    'SELECT 1 AS "order"': "1",
    "SELECT 1 AS year": "1",
    "SELECT 1 AS a$b": SYNTAX,
    "SELECT 1 AS ä": SYNTAX,
    'SELECT 1 AS "ä"': "1",
    "SELECT 1 = 1 = true": SYNTAX,
    "SELECT (1 = 1) = true": "true",
    "SELECT NULL IS UNKNOWN": SYNTAX,
    "SELECT extract(year, DATE '2020-01-01')": SYNTAX,
    "SELECT position('a', 'b')": SYNTAX,
    "SELECT position('b' IN concat('a', 'b'))": "2",
    "WITH x AS MATERIALIZED (SELECT 1) SELECT * FROM x": SYNTAX,
    "SELECT 1 AS 'a'": SYNTAX,
    "SELECT !true": SYNTAX,
    "SELECT 1 <=> 1": SYNTAX,
    "SELECT 1 ISNULL": SYNTAX,
    "SELECT [1, 2]": SYNTAX,
    "SELECT 0x1F": SYNTAX,
    "SELECT ARRAY[1, 2][2]": "2",
}

FRAMES: Final = {
    f"SELECT sum(x) OVER (ORDER BY x {frame}) FROM (VALUES 1, 2) t(x) ORDER BY x": result
    for frame, result in {
        "ROWS 1 PRECEDING": "1; 3",
        "ROWS BETWEEN 1 FOLLOWING AND UNBOUNDED FOLLOWING": "2; null",
        "ROWS BETWEEN 2 FOLLOWING AND 1 FOLLOWING": "null; null",
        "RANGE BETWEEN 1 PRECEDING AND CURRENT ROW": "1; 3",
        "ROWS 1 FOLLOWING": SYNTAX,
        "ROWS UNBOUNDED FOLLOWING": SYNTAX,
        "ROWS BETWEEN CURRENT ROW AND 1 PRECEDING": SYNTAX,
        "ROWS BETWEEN UNBOUNDED FOLLOWING AND UNBOUNDED FOLLOWING": SYNTAX,
        "ROWS BETWEEN UNBOUNDED PRECEDING AND UNBOUNDED PRECEDING": SYNTAX,
        "ROWS BETWEEN -1 PRECEDING AND CURRENT ROW": WRONG,
        "ROWS BETWEEN x PRECEDING AND CURRENT ROW": WRONG,
    }.items()
}


@pytest.fixture(scope="module")
def connection(tmp_path_factory: pytest.TempPathFactory) -> Iterator[duckdb.DuckDBPyConnection]:
    folder: Path = tmp_path_factory.mktemp("answers")
    with locked(an_engine(folder)) as opened:
        yield opened


@pytest.mark.parametrize(
    "expected",
    [NUMBERS, NOT_A_NUMBER, CASTS, TEXTS, MONTHS, ZONES, INTERVALS, QUERIES, WORDS, FRAMES],
    ids=["numbers", "not a number", "casts", "texts", "months", "zones", "intervals", "queries", "words", "frames"],
)
def test_answers_are_those_of_athena(connection: duckdb.DuckDBPyConnection, expected: Mapping[str, str]) -> None:
    assert {expression: answer(connection, expression) for expression in expected} == expected


def test_a_constant_null_keeps_its_type(connection: duckdb.DuckDBPyConnection) -> None:
    """DuckDB by itself turns it into a whole number."""
    from tests.exports.engine.factories import translated

    for expression in ("concat('a', NULL)", "'a' || NULL", "NULL || NULL", "concat('a', cast(NULL AS varchar))"):
        asked = connection.execute(translated(f"SELECT {expression}").sql)
        assert [str(kind) for _, kind, *_ in asked.description or ()] == ["VARCHAR"]
