"""SQL through the API: in a POST, and in a URL."""

import csv
import datetime as dt
import io
from pathlib import Path
from typing import Any
from urllib.parse import urlencode

import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext

from exports.engine import process
from exports.engine.deployment import _planned
from exports.engine.errors import QueryBusyError
from exports.engine.results import PART_ROWS
from exports.lake.storage import local_path
from tests.exports.engine.factories import published
from tests.exports.ledger import ANNOUNCED, FIRST, SECOND, ReleasedLake, announce
from tests.exports.releases import expected_daily

pytestmark = pytest.mark.django_db
CROWD = '"covid-19"."aspirevc_crowd_tracing"'
COUNT = f"SELECT count(*) AS n FROM {CROWD}"
ADDRESS = "/api/v1/queries"


def ask(client: Client, sql: str, **others: Any) -> Any:
    return client.post(ADDRESS, {"sql": sql} | others, content_type="application/json")


def address(sql: str, **others: str) -> str:
    return f"{ADDRESS}?{urlencode({'sql': sql} | others)}"


def refused(response: Any, status: int = 400) -> dict[str, Any]:
    assert response.status_code == status, response.content
    assert response["Content-Type"] == "application/problem+json"
    return dict(response.json())


def test_the_published_queries_are_answered_byte_for_byte(client: Client, released: ReleasedLake) -> None:
    daily = ask(client, published("daily_counts.sql"), dialect="athena").json()
    assert set(daily) == {"columns", "rows", "truncated", "next", "as_of", "elapsed_ms"}
    assert [column["type"] for column in daily["columns"]] == ["date", *["bigint"] * 5]
    assert [tuple(row) for row in daily["rows"]] == [
        (day.isoformat(), *expected_daily(released.fitted(day))) for day in (FIRST, SECOND)
    ]
    assert (daily["truncated"], daily["as_of"]) == (False, SECOND.isoformat())
    by_state = ask(client, published("counts_by_state_and_risklevel.sql")).json()
    assert sum(row[-1] for row in by_state["rows"]) == released.fitted(SECOND).cells[1:].sum() > 0


def test_before_the_first_release_the_tables_are_there_and_empty(
    client: Client, settings: Any, tmp_path: Path, catalogue_url: str
) -> None:
    settings.LAKE_URL, settings.LAKE_CATALOGUE_URL = (tmp_path / "lake").as_uri(), catalogue_url
    answer = ask(client, COUNT).json()
    assert (answer["rows"], answer["as_of"]) == ([[0]], None)


class TestFormats:
    """Files contain the rows of the JSON, and headers the rest."""

    SQL = f"SELECT scan_date, risklevel, count(*) AS n, avg(temp) AS t FROM {CROWD} GROUP BY 1, 2 ORDER BY 1, 2"

    def file(self, client: Client, form: str, sql: str = SQL) -> bytes:
        response = ask(client, sql, format=form)
        assert response.status_code == 200
        assert response["Content-Disposition"].startswith("attachment")
        assert (response["Dataset-Truncated"], response["Dataset-As-Of"]) == ("false", SECOND.isoformat())
        return bytes(response.getvalue())

    def test_parquet_and_arrow_hold_the_same_rows(self, client: Client, released: ReleasedLake) -> None:
        rows = ask(client, self.SQL).json()["rows"]
        assert len(rows) == 6
        for table in (
            pq.read_table(io.BytesIO(self.file(client, "parquet"))),
            pa.ipc.open_stream(self.file(client, "arrow")).read_all(),
        ):
            assert [[row["scan_date"].isoformat(), *list(row.values())[1:]] for row in table.to_pylist()] == rows

    def test_csv_holds_the_same_rows_under_their_names(self, client: Client, released: ReleasedLake) -> None:
        rows = ask(client, self.SQL).json()["rows"]
        head, *body = csv.reader(io.StringIO(self.file(client, "csv").decode()))
        assert head == ["scan_date", "risklevel", "n", "t"]
        # Noise hides temperatures on such small days: a missing value is an empty cell.
        assert body == [["" if cell is None else str(cell) for cell in row] for row in rows]

    def test_no_cell_of_csv_is_a_formula(self, client: Client, released: ReleasedLake) -> None:
        sql = "SELECT '=1+1' AS \"=cmd\", '+1+1' AS b, '-a' AS c, '@x' AS d, -1 AS e"
        head, row = csv.reader(io.StringIO(self.file(client, "csv", sql).decode()))
        assert head[0] == "'=cmd"
        assert row == ["'=1+1", "'+1+1", "'-a", "'@x", "-1"]

    @pytest.mark.parametrize("form", ["parquet", "arrow"])
    def test_clients_that_accept_only_bytes_get_the_file_as_bytes(
        self, client: Client, released: ReleasedLake, form: str
    ) -> None:
        """Clients that are generated from the schema know this general type."""
        for accepted, kind in {"*/*": form, "application/octet-stream": "octet-stream"}.items():
            response = client.get(address("SELECT 1 AS a", format=form), headers={"accept": accepted})
            assert kind in response["Content-Type"]
            assert "Accept" in response["Vary"]

    def test_csv_is_sent_in_parts(self, client: Client, released: ReleasedLake) -> None:
        response = ask(client, f"SELECT scandate FROM {CROWD}", format="csv")
        parts = list(response.streaming_content)
        assert len(parts) > 2
        assert max(part.count(b"\n") for part in parts) <= PART_ROWS


class TestRefusals:
    """A refusal names the position of the error."""

    def test_an_unknown_column_is_placed_and_near_names_are_offered(
        self, client: Client, released: ReleasedLake
    ) -> None:
        problem = refused(ask(client, f"SELECT scandate,\n  symptomz\nFROM {CROWD}"))
        assert (problem["line"], problem["column"]) == (2, 3)
        assert "symptoms" in problem["nearest"]
        [error] = problem["errors"]
        assert (error["pointer"], error["code"]) == ("/sql", "unknown-name")
        assert error["detail"].startswith("Line 2, column 3: ")

    @pytest.mark.parametrize(
        ("sql", "code"),
        [
            ("SELECT * FROM aspirevc_crowd_trace", "unknown-table"),
            ("SELEC 1", "syntax"),
            ("SELECT (1", "syntax"),
            ("SELECT * FROM read_csv('/etc/passwd')", "forbidden-function"),
            ("DROP TABLE aspirevc_crowd_tracing", "not-reading"),
            ("SELECT CAST('x' AS BIGINT)", "bad-value"),
            ("SELECT 1; SELECT 2", "one-statement"),
        ],
    )
    def test_a_query_that_cannot_run_says_why(
        self, client: Client, released: ReleasedLake, sql: str, code: str
    ) -> None:
        assert [error["code"] for error in refused(ask(client, sql))["errors"]] == [code]
        assert [error["pointer"] for error in refused(client.get(address(sql)))["errors"]] == ["?sql"]

    def test_a_query_that_runs_too_long_is_ended(self, client: Client, released: ReleasedLake, settings: Any) -> None:
        settings.QUERY_LIMITS = {"seconds": 2.0}
        endless = "WITH RECURSIVE t(n) AS (SELECT 1 UNION ALL SELECT n + 1 FROM t) SELECT count(*) FROM t"
        assert refused(ask(client, endless))["errors"][0]["code"] == "too-slow"
        settings.QUERY_LIMITS = {}
        assert ask(client, "SELECT 1 AS one").status_code == 200

    def test_more_rows_than_an_answer_may_have_are_cut(
        self, client: Client, released: ReleasedLake, settings: Any
    ) -> None:
        settings.QUERY_LIMITS = {"max_rows": 5}
        answer = ask(client, f"SELECT * FROM {CROWD}").json()
        assert (len(answer["rows"]), answer["truncated"]) == (5, True)

    @pytest.mark.parametrize("order", ["", " ORDER BY result, symptoms"])
    def test_a_cursor_goes_on_without_gap_or_repeat(
        self, client: Client, released: ReleasedLake, settings: Any, order: str
    ) -> None:
        sql = f"SELECT scandate, scannerdevice_zipcode, risklevel, result, symptoms, duration FROM {CROWD}{order}"
        settings.QUERY_LIMITS = {"max_rows": 1_000_000, "max_values": 10**9}
        whole = ask(client, sql).json()
        assert (whole["truncated"], whole["next"]) == (False, None)
        settings.QUERY_LIMITS = {"max_rows": -(-len(whole["rows"]) // 4)}
        rows: list[Any] = []
        cursor, pages = None, 0
        while pages == 0 or cursor:
            answer = ask(client, sql, **({"cursor": cursor} if cursor else {})).json()
            rows, cursor, pages = rows + answer["rows"], answer["next"], pages + 1
            assert answer["truncated"] is bool(cursor)
        assert pages == 4
        assert sorted(map(str, rows)) == sorted(map(str, whole["rows"]))

    def test_a_cursor_stays_on_its_release_and_its_query(
        self, client: Client, released: ReleasedLake, settings: Any
    ) -> None:
        settings.QUERY_LIMITS = {"max_rows": 5}
        sql = f"SELECT * FROM {CROWD}"
        cursor = ask(client, sql, as_of=FIRST.isoformat()).json()["next"]
        assert ask(client, sql, cursor=cursor).json()["as_of"] == FIRST.isoformat()
        [error] = refused(ask(client, f"{sql} WHERE near", cursor=cursor))["errors"]
        assert (error["pointer"], error["code"]) == ("/cursor", "invalid-cursor")
        assert refused(ask(client, sql, cursor=f"{cursor}x"))["errors"][0]["pointer"] == "/cursor"
        assert refused(client.get(address(sql, cursor="x")))["errors"][0]["pointer"] == "?cursor"
        assert len(client.get(address(sql, cursor=cursor)).json()["rows"]) == 5
        of_another_day = (
            ask(client, sql, cursor=cursor, as_of=SECOND.isoformat()),
            client.get(address(sql, cursor=cursor, as_of=SECOND.isoformat())),
        )
        for answer in of_another_day:
            assert FIRST.isoformat() in refused(answer)["errors"][0]["detail"]
        assert ask(client, sql, cursor=cursor, as_of=FIRST.isoformat()).json()["as_of"] == FIRST.isoformat()

    def test_rows_that_each_run_draws_again_have_no_cursor(
        self, client: Client, released: ReleasedLake, settings: Any
    ) -> None:
        settings.QUERY_LIMITS = {"max_rows": 5}
        answer = ask(client, f"SELECT *, random() AS r FROM {CROWD}").json()
        assert (answer["truncated"], answer["next"]) == (True, None)

    def test_a_file_has_more_rows_and_its_last_line_says_what_is_missing(
        self, client: Client, released: ReleasedLake, settings: Any
    ) -> None:
        sql = f"SELECT scandate, result FROM {CROWD}"
        settings.QUERY_LIMITS = {"max_rows": 5}
        whole = ask(client, sql, format="csv")
        assert (whole["Dataset-Truncated"], "Dataset-Next" in whole) == ("false", False)
        rows_of_whole = whole.getvalue().splitlines()
        assert len(rows_of_whole) > 1000
        settings.QUERY_FILE_LIMITS = {"max_rows": 5}
        cut = ask(client, sql, format="csv")
        *rows, last = cut.getvalue().decode().splitlines()
        assert (len(rows), cut["Dataset-Truncated"]) == (6, "true")
        assert last == (f"# 5 rows are here and more follow: go on with the cursor {cut['Dataset-Next']}")
        after = ask(client, sql, format="csv", cursor=cut["Dataset-Next"])
        assert after.getvalue().splitlines()[1:6] == rows_of_whole[6:11]

    def test_one_query_too_many_gets_a_retry_after(
        self, client: Client, released: ReleasedLake, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        def busy(*_: object, **__: object) -> None:
            raise QueryBusyError

        monkeypatch.setattr("exports.engine.deployment.accept", busy)
        response = ask(client, COUNT)
        refused(response, 429)
        assert response["Retry-After"]

    @pytest.mark.parametrize("sent", ["body", "address"])
    def test_an_error_about_a_text_not_read_in_time_says_what_to_do(
        self, client: Client, released: ReleasedLake, settings: Any, sent: str
    ) -> None:
        settings.QUERY_LIMITS = {"parse_seconds": 0.2}
        bomb = "SELECT a" + ".f()" * 1600
        response = ask(client, bomb) if sent == "body" else client.get(address(bomb))
        [error] = refused(response)["errors"]
        assert error["code"] == "too-complex"
        assert "WITH clause" in error["detail"]

    def test_an_unreadable_lake_is_unavailable_and_its_error_names_no_path(
        self, client: Client, settings: Any, tmp_path: Path, catalogue_url: str
    ) -> None:
        settings.LAKE_URL, settings.LAKE_CATALOGUE_URL = (tmp_path / "lake").as_uri(), catalogue_url
        announce(FIRST, now=ANNOUNCED, size=100)
        for path in local_path(settings.LAKE_URL).rglob("*.parquet"):
            path.unlink()
        response = ask(client, f"SELECT sum(duration) AS n FROM {CROWD}")
        refused(response, 503)
        assert str(tmp_path) not in response.content.decode()

    @pytest.mark.parametrize(
        "body", [{}, {"sql": ""}, {"sql": 1}, {"sql": "SELECT 1", "format": "xls"}, {"sql": "SELECT 1", "x": 1}]
    )
    def test_a_wrong_body_is_refused(self, client: Client, body: dict[str, Any]) -> None:
        assert refused(client.post(ADDRESS, body, content_type="application/json"))["errors"]

    def test_a_release_that_does_not_exist_is_not_found(self, client: Client, released: ReleasedLake) -> None:
        refused(ask(client, COUNT, as_of="2020-01-01"), 404)
        refused(client.get(address(COUNT, as_of="2020-01-01")), 404)


class TestPermalinks:
    """A query in a URL: cached as long as the tables are the same."""

    def test_an_address_answers_like_the_query_it_holds(self, client: Client, released: ReleasedLake) -> None:
        by_address, sent = client.get(address(COUNT)), ask(client, COUNT)
        assert by_address.json()["rows"] == sent.json()["rows"]
        assert by_address["Cache-Control"] == "public, no-cache"
        assert client.get(address(COUNT, format="csv")).getvalue().startswith(b"n\r\n")

    def test_the_tag_holds_until_the_next_release_and_saves_the_run(
        self, client: Client, settings: Any, tmp_path: Path, catalogue_url: str, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        settings.LAKE_URL, settings.LAKE_CATALOGUE_URL = (tmp_path / "lake").as_uri(), catalogue_url
        announce(FIRST, now=ANNOUNCED, size=300)
        first = client.get(address(COUNT))
        with monkeypatch.context() as patched:
            patched.setattr(process.SERVER, "copy", lambda: pytest.fail("it was parsed"))
            again = client.get(address(COUNT), headers={"If-None-Match": first["ETag"]})
        assert (again.status_code, again.content) == (304, b"")
        announce(SECOND, now=ANNOUNCED + dt.timedelta(days=1), size=300)
        after = client.get(address(COUNT), headers={"If-None-Match": first["ETag"]})
        assert after.status_code == 200
        assert after["ETag"] != first["ETag"]
        pinned = client.get(address(COUNT, as_of=FIRST.isoformat()))
        assert pinned.json()["rows"] == first.json()["rows"]
        assert pinned.json()["as_of"] == FIRST.isoformat()
        assert "max-age" in pinned["Cache-Control"]

    def test_other_queries_and_formats_have_other_tags(self, client: Client, released: ReleasedLake) -> None:
        asked = [address(COUNT), address(COUNT + " "), address(COUNT, format="csv"), address(COUNT, dialect="duckdb")]
        assert len({client.get(each)["ETag"] for each in asked}) == len(asked)

    @pytest.mark.parametrize(
        "sql",
        [
            "SELECT now() AS t",
            "SELECT current_date AS t",
            "SELECT random() AS t",
            "SELECT uuid() AS t",
            f"SELECT count(*) AS n FROM {CROWD} TABLESAMPLE BERNOULLI (10 PERCENT)",
        ],
    )
    def test_a_query_that_changes_by_itself_is_never_cached(
        self, client: Client, released: ReleasedLake, sql: str
    ) -> None:
        response = client.get(address(sql))
        assert response.status_code == 200
        assert response["Cache-Control"] == "no-store"
        assert "ETag" not in response

    @pytest.mark.parametrize("query", ["", "sql=SELECT+1&sql=SELECT+2", "sql=SELECT+1&nothing=1"])
    def test_a_wrong_address_is_refused(self, client: Client, query: str) -> None:
        assert refused(client.get(f"{ADDRESS}?{query}"))["errors"]


def test_the_accept_header_of_a_tool_does_not_matter(client: Client, released: ReleasedLake) -> None:
    response = client.get(address(COUNT, format="csv"), headers={"Accept": "text/csv"})
    assert response["Content-Type"].startswith("text/csv")


def test_a_query_asks_the_database_twice(client: Client, released: ReleasedLake) -> None:
    ask(client, COUNT)
    assert _planned.cache_info().currsize
    with CaptureQueriesContext(connection) as asked:
        ask(client, COUNT)
    assert len(asked) == 2


def test_a_day_that_is_released_late_is_seen_by_those_who_ask_now(
    client: Client, settings: Any, tmp_path: Path, catalogue_url: str
) -> None:
    settings.LAKE_URL, settings.LAKE_CATALOGUE_URL = (tmp_path / "lake").as_uri(), catalogue_url
    announce(SECOND, now=ANNOUNCED, size=300)
    announce(FIRST, now=ANNOUNCED, size=300)
    answer = ask(client, f"SELECT DISTINCT scan_date FROM {CROWD} ORDER BY 1").json()
    assert answer["rows"] == [[FIRST.isoformat()], [SECOND.isoformat()]]
    assert answer["as_of"] == SECOND.isoformat()
