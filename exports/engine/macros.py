"""Macros for DuckDB: Athena's functions that DuckDB lacks, and functions that translations call.

`parse_datetime` takes a Joda pattern. DuckDB requires a constant pattern for `strptime`, so the macro cannot compute
it; it chooses among the patterns listed here instead.
"""

from itertools import product
from typing import Final

_DATES: Final = {
    "yyyy-MM-dd": "%Y-%m-%d",
    "yyyy/MM/dd": "%Y/%m/%d",
    "yyyyMMdd": "%Y%m%d",
    "MM/dd/yyyy": "%m/%d/%Y",
    "dd.MM.yyyy": "%d.%m.%Y",
}
_TIMES: Final = {"HH:mm:ss": "%H:%M:%S", "HH:mm": "%H:%M", "HH:mm:ss.SSS": "%H:%M:%S.%g", "HHmmss": "%H%M%S"}
_BETWEEN: Final = {" ": " ", ":": ":", "'T'": "T", "-": "-"}
_ZONES: Final = {"": "", "'Z'": "Z"}

# Joda-Time's pattern -> strptime's.
PATTERNS: Final = _DATES | {
    date + between + time + zone: _DATES[date] + _BETWEEN[between] + _TIMES[time] + _ZONES[zone]
    for date, between, time, zone in product(_DATES, _BETWEEN, _TIMES, _ZONES)
}


# Floating-point numbers as text: 1.2E3 as Athena casts them, and 1200.0 as Java formats them. Both start from DuckDB's
# text of the number, which like Java's has the fewest digits that identify the number.
_DIGITS: Final = "regexp_replace(replace(split_part(ltrim(said, '-'), 'e', 1), '.', ''), '^0*', '')"
_SHORT: Final = f"regexp_replace({_DIGITS}, '0*$', '')"
_PLACE: Final = """
    CASE WHEN contains(said, 'e') THEN CAST(split_part(said, 'e', 2) AS INTEGER)
    WHEN starts_with(ltrim(said, '-'), '0.') THEN length(regexp_extract(said, '[.](0*)', 1)) * -1 - 1
    ELSE length(split_part(ltrim(said, '-'), '.', 1)) - 1 END
"""
_WRITTEN: Final = f"""
    CASE WHEN starts_with(said, '-') THEN '-' ELSE '' END || left({_SHORT}, 1) || '.'
    || CASE WHEN length({_SHORT}) > 1 THEN substr({_SHORT}, 2) ELSE '0' END || 'E' || CAST({_PLACE} AS VARCHAR)
"""
_WORDS: Final = "WHEN 'inf' THEN 'Infinity' WHEN '-inf' THEN '-Infinity' WHEN 'nan' THEN 'NaN' WHEN '-nan' THEN 'NaN'"
_DOUBLES: Final = (
    f"CREATE MACRO athena_scientific(number) AS list_transform([number], lambda said: CASE said {_WORDS} "
    f"WHEN '0.0' THEN '0E0' WHEN '-0.0' THEN '-0E0' ELSE {_WRITTEN} END)[1]",
    f"CREATE MACRO java_double(number) AS list_transform([number], lambda said: CASE said {_WORDS} "
    "WHEN '0.0' THEN said WHEN '-0.0' THEN said ELSE "
    f"CASE WHEN {_PLACE} BETWEEN -3 AND 6 THEN said ELSE {_WRITTEN} END END)[1]",
)
# JSON as the standard has it: DuckDB also accepts trailing commas, NaN and Infinity.
_OUTSIDE: Final = """regexp_replace(said, '"(\\\\.|[^"\\\\])*"', '""', 'g')"""
_JSON: Final = (
    f"CREATE MACRO json_strict(said) AS json_valid(said) AND NOT regexp_matches({_OUTSIDE}, '(?i),\\s*[]}}]|nan|inf')",
    # An array or an object that may be cut off or malformed later.
    "CREATE MACRO json_begun(said) AS regexp_matches(said, '^\\s*[[{]')",
    # Numbers that Java may format in another way: with an exponent, from ten million and below a thousandth.
    "CREATE MACRO json_other_numbers(said) AS "
    f"regexp_matches({_OUTSIDE}, '[0-9][eE]|[0-9]{{8,}}[.]|(^|[^0-9])0[.]000')",
)


def _quoted(text: str) -> str:
    return "'" + text.replace("'", "''") + "'"


def macros() -> tuple[str, ...]:
    """Return the statements that create the macros. Times without a zone are UTC, as everywhere in the dataset."""
    cases = " ".join(
        f"WHEN {_quoted(joda)} THEN strptime(moment, {_quoted(pattern)})" for joda, pattern in PATTERNS.items()
    )
    unknown = "error('parse_datetime does not know the pattern ' || pattern)"
    return (
        "CREATE MACRO athena_error(words) AS error(words)",
        *_DOUBLES,
        *_JSON,
        "CREATE MACRO from_iso8601_timestamp(moment) AS CAST(moment AS TIMESTAMPTZ)",
        "CREATE MACRO from_iso8601_date(day) AS CAST(day AS DATE)",
        "CREATE MACRO parse_datetime(moment, pattern) AS "
        f"(CASE pattern {cases} ELSE CAST({unknown} AS TIMESTAMP) END AT TIME ZONE 'UTC')",
        "CREATE MACRO approx_distinct(x) AS approx_count_distinct(x)",
        "CREATE MACRO arbitrary(x) AS any_value(x)",
        "CREATE MACRO approx_percentile(x, share) AS quantile_cont(x, share)",
        "CREATE MACRO day_of_week(moment) AS isodow(moment)",
        "CREATE MACRO day_of_year(moment) AS dayofyear(moment)",
        "CREATE MACRO cardinality(list) AS len(list)",
    )
