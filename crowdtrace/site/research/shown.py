"""What the researcher's pages show, read from the ledger and, for areas and queries, through the query engine."""

import datetime as dt
import json
import math
import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from importlib.resources import files
from typing import Any, Final

from django.utils.functional import Promise
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from common.remembered import remembered
from crowdtrace.site.charts.series import Point
from exports import conf
from exports.dataset.tables import CROWD_TRACING, DAILY, LIVE_CROWD, OPEN_TABLES, SIGNAL_NAMES
from exports.engine.results import columns_of, json_rows
from exports.engine.run import Answered, run_query
from exports.models import Release
from exports.policy.estimates import REACH, interval
from exports.selectors import TablesAt, daily_rows, daily_signals

SHOWN_ROWS: Final = 200
CHARTED_ROWS: Final = 5000
KEPT_SECONDS: Final = 24 * 3600
LABELS: Final = ("varchar", "date", "boolean")
WORDS: Final = (
    "SELECT", "FROM", "WHERE", "GROUP", "BY", "ORDER", "LIMIT", "WITH", "JOIN", "DISTINCT", "BETWEEN", "HAVING",
    "UNION", "count_if", "approx_percentile", "date_trunc", "coalesce",
)  # fmt: skip
_DAY: Final = re.compile(r"\d{4}-\d{2}-\d{2}")
NUMBERS: Final = ("bigint", "integer", "smallint", "tinyint", "double", "real")
_SHARE: Final = "share of "


# Queries --------------------------------------------------------------------------------------------------------------
@dataclass(frozen=True)
class Example:
    """A query that is ready to run."""

    slug: str
    title: Promise
    sql: str


def examples() -> tuple[Example, ...]:
    """Return the two published queries unchanged, and one on the noisy counts."""
    folder = files("exports") / "queries"
    daily, states = (
        (folder / f"{name}.sql").read_text(encoding="utf-8").strip()
        for name in ("daily_counts", "counts_by_state_and_risklevel")
    )
    days = (
        f'SELECT scan_date, count_if(symptoms) AS symptoms, count(*) AS scans\nFROM "{conf.database()}".'
        f'"{CROWD_TRACING.name}"\nGROUP BY 1\nORDER BY 1'
    )
    return (
        Example("days", gettext_lazy("All days"), days),
        Example("daily", gettext_lazy("Published: daily counts"), daily),
        Example("states", gettext_lazy("Published: by state and class of risk"), states),
    )


@dataclass(frozen=True)
class Shown:
    """A result as the page shows it: the first rows, and columns for the chart."""

    columns: list[dict[str, str]]
    numbers: tuple[bool, ...]
    rows: list[list[Any]]
    total: int
    truncated: bool
    as_of: dt.date | None
    elapsed_ms: int
    chart: dict[str, Any] | None
    choice: dict[str, Any] | None
    next: str

    def heads(self) -> list[tuple[dict[str, str], bool]]:
        """Return each column, and whether it has numbers."""
        return list(zip(self.columns, self.numbers, strict=True))

    def cells(self) -> list[list[tuple[Any, bool]]]:
        """Return the displayed rows: each value, and whether its column has numbers."""
        return [list(zip(row, self.numbers, strict=True)) for row in self.rows]


def shown(answered: Answered) -> Shown:
    """Return what the page shows of a result."""
    table = answered.result.table
    columns, rows = columns_of(table), json_rows(table)
    return Shown(
        columns=columns,
        numbers=tuple(column["type"].startswith((*NUMBERS, "decimal")) for column in columns),
        rows=rows[:SHOWN_ROWS],
        total=len(rows),
        truncated=answered.result.truncated,
        as_of=answered.as_of,
        elapsed_ms=answered.result.elapsed_ms,
        chart=chart(columns, rows[:CHARTED_ROWS]),
        choice=choice_of(columns, rows[:CHARTED_ROWS]),
        next=answered.next,
    )


def chart(columns: list[dict[str, str]], rows: list[list[Any]]) -> dict[str, Any] | None:
    """Return whole numbers by the first column, summed where its values repeat; `None` if there is nothing to draw."""
    counts = [place for place, column in enumerate(columns) if place and column["type"] in NUMBERS[:4]]
    if not counts or len(rows) < 2:
        return None
    sums: dict[Any, list[int]] = {}
    for row in rows:
        found = sums.setdefault(row[0], [0] * len(counts))
        for place, column in enumerate(counts):
            found[place] += row[column] or 0
    if len(sums) < 2:
        return None
    return {
        "kind": "date" if columns[0]["type"] == "date" else "text",
        "x": [str(value) for value in sums],
        "series": [
            {"name": columns[column]["name"], "values": [found[place] for found in sums.values()]}
            for place, column in enumerate(counts)
        ],
        "summed": len(sums) < len(rows),
    }


def choice_of(columns: list[dict[str, str]], rows: list[list[Any]]) -> dict[str, Any] | None:
    """Return the columns for a chart of the reader's choice: those that an axis or a line can have."""
    if len(rows) < 2:
        return None
    kinds = ["number" if column["type"] in NUMBERS else "label" for column in columns]
    if "number" not in kinds:
        return None
    names = [column["name"] for column in columns]
    kept = [place for place, column in enumerate(columns) if kinds[place] == "number" or column["type"] in LABELS]
    return {
        "names": [names[place] for place in kept],
        "kinds": ["date" if _is_of_days(rows, place) else kinds[place] for place in kept],
        "rows": [[row[place] for place in kept] for row in rows],
        "reach": REACH,
    }


def _is_of_days(rows: list[list[Any]], place: int) -> bool:
    """Return whether a column has only days, as dates or as texts."""
    return all(isinstance(row[place], str) and _DAY.fullmatch(row[place]) for row in rows)


def names_to_complete() -> list[str]:
    """Return names for completion in a query: tables, their columns, SQL keywords."""
    tables = (*OPEN_TABLES, LIVE_CROWD)
    names = {table.name for table in tables} | {name for table in tables for name in table.names}
    return sorted(names) + sorted(WORDS)


# Both continue after a truncated file, with its cursor.
_PYTHON: Final = """\
import io, json, urllib.request
import pandas as pd

url = "URL"
sql = SQL
body = {"sql": sql, "format": "parquet"}
parts, more = [], True
while more:
    request = urllib.request.Request(url, json.dumps(body).encode(), {"Content-Type": "application/json"})
    with urllib.request.urlopen(request) as answer:
        parts.append(pd.read_parquet(io.BytesIO(answer.read())))
        more = answer.headers["Dataset-Truncated"] == "true"
        body["cursor"] = answer.headers.get("Dataset-Next")
    assert body["cursor"] or not more, "each run gives other rows: ask for fewer"
rows = pd.concat(parts, ignore_index=True)"""
_R: Final = """\
library(httr2)

url <- "URL"
sql <- SQL
body <- list(sql = sql)
ask <- function(...) request(url) |> req_body_json(c(body, ...)) |> req_perform()
columns <- resp_body_json(ask(format = "json"), simplifyVector = TRUE)$columns
kinds <- unname(c(varchar = "character", date = "Date", boolean = "logical")[columns$type])  # NA: guessed
parts <- list()
repeat {
  answer <- ask(format = "csv")
  parts[[length(parts) + 1]] <- read.csv(text = resp_body_string(answer), colClasses = kinds, na.strings = "",
                                         check.names = FALSE, comment.char = "#", encoding = "UTF-8")
  if (resp_header(answer, "Dataset-Truncated") == "false") break
  body$cursor <- resp_header(answer, "Dataset-Next")
  stopifnot("each run gives other rows: ask for fewer" = nzchar(body$cursor))
}
rows <- do.call(rbind, parts)"""


def snippets(*, base: str, sql: str) -> list[tuple[str, str]]:
    """Return the same query for a shell, Python, R and Athena, ready to copy."""
    url = f"{base}/api/v1/queries"
    body = json.dumps({"sql": sql, "format": "csv"})
    shell = body.replace("'", "'\\''")
    return [
        ("curl", f"curl -s {url} \\\n  -H 'Content-Type: application/json' \\\n  -d '{shell}'"),
        ("Python", _PYTHON.replace("URL", url, 1).replace("SQL", _python(sql), 1)),
        ("R", _R.replace("URL", url, 1).replace("SQL", json.dumps(sql, ensure_ascii=False), 1)),
        ("Athena", f"-- Database: {conf.database()}\n{sql}"),
    ]


def _python(text: str) -> str:
    return f'"""{text}"""' if '"""' not in text and "\\" not in text and not text.endswith('"') else repr(text)


# Profile --------------------------------------------------------------------------------------------------------------
@dataclass(frozen=True)
class Bar:
    """One value of a column and its share in percent."""

    label: str
    percent: float


@dataclass(frozen=True)
class Bars:
    """The values of one column."""

    column: str
    bars: tuple[Bar, ...]

    @property
    def is_hidden(self) -> bool:
        """Return whether noise hides the column: no value of it was published."""
        return not any(bar.percent for bar in self.bars)


@dataclass(frozen=True)
class Box:
    """Quantiles of an ordered column: 5, 25, 50, 75, 95 %, scaled from 0 to 100 between its ends."""

    column: str
    low: float
    high: float
    median: float
    mean: float
    places: tuple[float, ...]


def bars_of(release: Release) -> list[Bars]:
    """Return shares of the values of each column with few values."""
    found: dict[str, list[Bar]] = {}
    for each in _statistics(release):
        name = each["statistic"]
        if name.startswith(_SHARE) and name != "share of nulls" and each["value"] is not None:
            found.setdefault(each["column"], []).append(Bar(name.removeprefix(_SHARE), 100 * each["value"]))
    return [Bars(column, tuple(bars)) for column, bars in found.items()]


def boxes_of(release: Release) -> list[Box]:
    """Return quantiles of each ordered column that has values."""
    found: dict[str, dict[str, float]] = {}
    for each in _statistics(release):
        if each["value"] is not None:
            found.setdefault(each["column"], {})[each["statistic"]] = each["value"]
    return [_box(column, values) for column, values in found.items() if "quantile 0.5" in values]


def _box(column: str, values: Mapping[str, float]) -> Box:
    low, high = values["minimum"], values["maximum"]
    width = (high - low) or 1.0
    quantiles = [values[f"quantile {quantile}"] for quantile in ("0.05", "0.25", "0.5", "0.75", "0.95")]
    places = tuple(round(100 * (quantile - low) / width, 2) for quantile in quantiles)
    return Box(column, low, high, quantiles[2], values["mean"], places)


def _statistics(release: Release) -> list[dict[str, Any]]:
    found: list[dict[str, Any]] = release.profile.get("statistics", [])
    return found


# Areas ----------------------------------------------------------------------------------------------------------------
# Squared standard errors, by kind and name of an area and signal.
Squares = dict[tuple[str, str, str], float]


@dataclass(frozen=True)
class Area:
    """Released rows of a state or a ZIP area; shares in percent. `margins`: of the total and of symptoms, in rows."""

    name: str
    code: str
    total: int
    symptoms: int
    declined: int
    high: int
    margins: tuple[int | None, int | None] = (None, None)

    @property
    def is_noise(self) -> bool:
        """Return whether the total is smaller than half of its interval."""
        return self.margins[0] is not None and self.margins[0] > self.total

    @property
    def symptoms_margin(self) -> float | None:
        """Return half of the interval of the share of symptoms, in percent."""
        return self._percent(self.margins[1]) if self.margins[1] is not None else None

    @property
    def symptoms_are_noise(self) -> bool:
        """Return whether any share of symptoms, from none to all, is within the interval."""
        return self.symptoms_margin is not None and self.symptoms_margin >= 100

    @property
    def symptoms_percent(self) -> float:
        """Return the share of rows with symptoms."""
        return self._percent(self.symptoms)

    @property
    def declined_percent(self) -> float:
        """Return the share of rows whose result is Declined."""
        return self._percent(self.declined)

    @property
    def high_percent(self) -> float:
        """Return the share of rows in the highest class of risk."""
        return self._percent(self.high)

    def _percent(self, part: int) -> float:
        return 100 * part / self.total if self.total else 0.0


MEASURES: Final[dict[str, Promise]] = {
    "total": gettext_lazy("Check-ins"),
    "symptoms_percent": gettext_lazy("Symptoms, %"),
    "declined_percent": gettext_lazy("Declined, %"),
    "high_percent": gettext_lazy("Class High, %"),
}
_DAILY_PLACES: Final = {name: place for place, name in enumerate(DAILY.names)}


def squared_errors(at: TablesAt, *, day: dt.date | None) -> Squares:
    """Return the squared standard errors of a day's signals, or their sums over all days; cached, as they are final."""
    key = "signal-errors-" + at.tag("signal errors", day.isoformat() if day else "").strip('W/"')

    def add_up() -> Squares:
        found: Squares = {}
        days = daily_signals(at, first=day or dt.date.min, last=day or dt.date.max)
        for geo_type, geo_value, _time, signal, _value, error, _size in (
            line for _day, lines in days for line in lines
        ):
            place = (geo_type, geo_value, signal)
            found[place] = found.get(place, 0.0) + error**2
        return found

    return remembered(key, add_up, seconds=KEPT_SECONDS, kind=dict)


def _margins(squares: Squares, geo_type: str, geo_value: str) -> tuple[int | None, int | None]:
    found = [squares.get((geo_type, geo_value, signal)) for signal in ("checkins", "symptoms")]
    total, symptoms = (None if square is None else math.ceil(REACH * math.sqrt(square)) for square in found)
    return total, symptoms


@dataclass(frozen=True)
class SignalCount:
    """A signal of the newest day with its interval; `is_noise` if half of the interval exceeds the value."""

    name: str
    value: int
    low: int
    high: int
    is_noise: bool


# Days of the time series: about as many as fit on a screen.
SERIES_DAYS: Final = 120


def signal_of(name: str) -> str:
    """Return the signal of that name; check-ins if it is unknown."""
    return name if name in SIGNAL_NAMES else SIGNAL_NAMES[0]


def series_of(at: TablesAt, signal: str) -> list[Point]:
    """Return one signal of the whole deployment by day, the newest `SERIES_DAYS` days, oldest first."""
    if at.as_of is None:
        return []
    first = at.as_of - dt.timedelta(days=SERIES_DAYS - 1)
    return [
        Point(day, round(line[4]), *interval(line[4], line[5]))
        for day, lines in daily_signals(at, first=first, last=at.as_of)
        for line in lines
        if (line[0], line[3]) == ("nation", signal)
    ]


def signal_counts(release: Release) -> list[SignalCount]:
    """Return the signals of the whole deployment in one release."""
    found = [line for line in release.signals if line[0] == "nation"]
    return [
        SignalCount(signal, round(value), *interval(value, error), REACH * error > value)
        for _, _, _, signal, value, error, _ in found
    ]


def states(at: TablesAt, *, day: dt.date | None, names: Mapping[str, str]) -> list[Area]:
    """Return released rows by state, of one day or of all; rows without a state come last."""
    sums: dict[str, list[int]] = {}
    columns = [_DAILY_PLACES[f"{name}_count"] for name in ("total", "symptoms", "declined", "high")]
    for row in daily_rows(at):
        if day is None or row[0] == day.isoformat():
            found = sums.setdefault(row[1] or "", [0, 0, 0, 0])
            for place, column in enumerate(columns):
                found[place] += row[column]
    unknown, squares = _("ZIP unknown, or too few to publish"), squared_errors(at, day=day)
    return [
        Area(
            names.get(code, code) if code else unknown,
            code,
            counts[0],
            counts[1],
            counts[2],
            counts[3],
            _margins(squares, "state", code.lower()) if code else (None, None),
        )
        for code, counts in sorted(sums.items(), key=lambda item: (not item[0], item[0]))
    ]


def zip_areas(at: TablesAt, *, day: dt.date | None) -> list[Area]:
    """Return released rows by 3-digit ZIP, of one day or of all; cached, as rows of a release never change."""
    if at.release is None:
        return []
    key = "zip-areas-" + at.tag("zip areas", day.isoformat() if day else "").strip('W/"')
    rows = remembered(
        key, lambda: json_rows(run_query(sql=_zip_sql(day), at=at).result.table), seconds=KEPT_SECONDS, kind=list
    )
    squares = squared_errors(at, day=day)
    return [
        Area(zip3, zip3, total, symptoms, declined, high, _margins(squares, "zip3", zip3))
        for zip3, total, symptoms, declined, high in rows
    ]


def _zip_sql(day: dt.date | None) -> str:
    where = f" AND scan_date = DATE '{day.isoformat()}'" if day else ""
    table = f'"{conf.database()}"."{CROWD_TRACING.name}"'
    # The statement has only our own names and a parsed day; it has nothing of a request.
    return f"""SELECT substr(scannerdevice_zipcode, 1, 3), count(*), count_if(symptoms),
      count_if(result = 'Declined'), count_if(risklevel = 'High')
    FROM {table} WHERE scannerdevice_zipcode <> ''{where} GROUP BY 1 ORDER BY 1"""  # noqa: S608


def ordered(areas: Iterable[Area], sort: str) -> list[Area]:
    """Return areas sorted by a column; a leading minus sorts descending. An unknown name keeps the order."""
    name = sort.removeprefix("-")
    if name not in {"name", *MEASURES}:
        return list(areas)
    return sorted(areas, key=lambda area: getattr(area, name), reverse=sort.startswith("-"))
