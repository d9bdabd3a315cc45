"""Pages of the open data: they show what ledger and engine return, without a script and without an account."""

import csv
import io
import json
import re
import shutil
import subprocess
from typing import Any
from urllib.parse import urlencode

import pytest
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext

from crowdtrace.site.research import shown, us_map
from exports.dataset import publication
from exports.dataset.tables import states_by_zip3
from exports.engine.run import run_query
from exports.selectors import tables_at
from tests.exports.ledger import FIRST, SECOND, ReleasedLake

pytestmark = pytest.mark.django_db


def ask(client: Client, sql: str, **more: str) -> str:
    return client.get("/data/sql?" + urlencode({"sql": sql, **more})).content.decode()


def test_before_the_first_release_the_pages_say_so(client: Client) -> None:
    for path in ("/data", "/data/map"):
        response = client.get(path)
        assert response.status_code == 200
        assert "Nothing has been released yet" in response.content.decode()
    assert client.get("/data/sql").status_code == 200


def test_the_data_page_states_numbers_of_the_ledger(client: Client, released: ReleasedLake) -> None:
    text = client.get("/data").content.decode()
    newest = released.release(SECOND)
    assert f"<dd>{SECOND.isoformat()}</dd>" in text
    assert f"{newest.manifest['rows']:,}" in text
    assert "e^" not in text
    assert newest.manifest["files"][0]["name"] in text
    assert text.count("scannerdevice_zipcode") >= 2


def test_as_of_shows_the_data_as_a_release_left_it(client: Client, released: ReleasedLake) -> None:
    text = client.get(f"/data?as_of={FIRST.isoformat()}").content.decode()
    assert f"as of the release of {FIRST.isoformat()}" in text
    assert SECOND.isoformat() not in text


@pytest.mark.parametrize("page", ["/data", "/data/sql", "/data/map"])
def test_a_demonstration_says_on_every_page_that_nobody_is_real(
    client: Client, released: ReleasedLake, settings: Any, page: str
) -> None:
    sentence = publication.demonstration_sentence()
    settings.EMBEDDED = False
    assert sentence not in client.get(page).content.decode()
    settings.EMBEDDED = True
    assert client.get(page).content.decode().count(sentence) == (2 if page == "/data" else 1)


def test_the_data_page_asks_the_database_a_few_times_only(client: Client, released: ReleasedLake) -> None:
    with CaptureQueriesContext(
        connection,
    ) as asked:
        client.get("/data")
    assert len(asked) <= 8


def test_a_published_query_gives_the_rows_of_the_engine(client: Client, released: ReleasedLake) -> None:
    daily = next(each for each in shown.examples() if each.slug == "daily")
    expected = run_query(sql=daily.sql).result.table.to_pylist()
    assert len(expected) == 2
    text = ask(client, daily.sql)
    for row in expected:
        day, *counts = row.values()
        cells = "".join(f'<td class="is-number">{value}</td>' for value in counts)
        assert f"<td>{day}</td>{cells}" in re.sub(r"\s*\n\s*", "", text)
    assert 'id="chart"' in text


def test_an_error_names_its_line_and_column_and_marks_the_place(client: Client, released: ReleasedLake) -> None:
    response = client.get("/data/sql?" + urlencode({"sql": 'SELECT 1\nFROM "covid-19".nothing'}))
    text = response.content.decode()
    assert response.status_code == 400
    assert "Line 2, column" in text
    assert re.search(r"FROM &quot;covid-19&quot;.nothing\n +\^", text)
    assert 'data-line="2"' in text


def test_markup_in_a_query_or_its_answer_is_text(client: Client, released: ReleasedLake) -> None:
    text = ask(client, "SELECT '<script>alert(1)</script>' AS \"<b>\", 1 AS n")
    assert "<script>alert" not in text
    assert "<b>" not in text
    assert "&lt;script&gt;" in text


def test_a_query_is_asked_of_the_release_that_is_named(client: Client, released: ReleasedLake) -> None:
    sql = 'SELECT count(DISTINCT scan_date) AS days FROM "covid-19"."aspirevc_crowd_tracing"'
    assert ">2</td>" in ask(client, sql)
    assert ">1</td>" in ask(client, sql, as_of=FIRST.isoformat())
    assert "There is no release for that day" in ask(client, sql, as_of="2019-01-01")


def test_queries_of_the_page_count_against_the_limit(client: Client, released: ReleasedLake, settings: object) -> None:
    settings.THROTTLES = {**settings.THROTTLES, "query": "1/minute"}  # type: ignore[attr-defined]
    assert client.get("/data/sql?sql=SELECT+1").status_code == 200
    assert client.get("/data/sql?sql=SELECT+1").status_code == 429


def test_a_query_that_finds_no_place_is_asked_to_wait(client: Client, released: ReleasedLake, settings: object) -> None:
    settings.QUERY_LIMITS = {"parallel": 0}  # type: ignore[attr-defined]
    response = client.get("/data/sql?sql=SELECT+1")
    assert (response.status_code, response["Retry-After"]) == (429, "2")
    assert "Try again in a moment" in response.content.decode()


def test_sums_for_the_chart_are_those_of_the_rows() -> None:
    columns = [{"name": "day", "type": "date"}, {"name": "zip", "type": "varchar"}, {"name": "n", "type": "bigint"}]
    made = shown.chart(columns, [["2020-10-14", "941", 2], ["2020-10-14", "945", 3], ["2020-10-15", "941", None]])
    assert made == {
        "kind": "date",
        "x": ["2020-10-14", "2020-10-15"],
        "series": [{"name": "n", "values": [5, 0]}],
        "summed": True,
    }
    assert shown.chart(columns[:2], [["a", "b"], ["c", "d"]]) is None


@pytest.mark.parametrize("sql", ["SELECT 'it''s' AS \"a b\"", 'SELECT 1 AS "x"', "SELECT '\\d'"])
def test_snippets_of_python_hold_the_query_itself(sql: str) -> None:
    code = dict(shown.snippets(base="https://x.example", sql=sql))["Python"]
    found: dict[str, str] = {}
    exec(code.split("\n\n", 1)[1].split("\nbody")[0], found)
    assert found["sql"] == sql


def test_zip_codes_stay_texts_in_the_snippet_of_python(
    live_server: Any, transactional_db: None, released: ReleasedLake
) -> None:
    sql = "SELECT zip FROM aspirevc_crowd_tracing_zipcode_3digits ORDER BY zip LIMIT 1"
    found: dict[str, Any] = {}
    exec(dict(shown.snippets(base=live_server.url, sql=sql))["Python"], found)
    assert found["rows"]["zip"].tolist() == ["005"]


def test_the_snippet_of_python_goes_on_after_a_file_that_is_cut(
    live_server: Any, transactional_db: None, released: ReleasedLake, settings: Any
) -> None:
    settings.QUERY_FILE_LIMITS = {"max_rows": 700}
    found: dict[str, Any] = {}
    exec(
        dict(
            shown.snippets(
                base=live_server.url, sql="SELECT zip FROM aspirevc_crowd_tracing_zipcode_3digits ORDER BY zip"
            )
        )["Python"],
        found,
    )
    assert found["rows"]["zip"].tolist() == sorted(states_by_zip3())
    assert len(found["rows"]) > 700
    random = "SELECT zip, random() AS n FROM aspirevc_crowd_tracing_zipcode_3digits"
    with pytest.raises(AssertionError, match="each run gives other rows"):
        exec(dict(shown.snippets(base=live_server.url, sql=random))["Python"], {})


@pytest.mark.long
@pytest.mark.skipif(not shutil.which("Rscript"), reason="needs r-base-core and r-cran-httr2 of Debian")
def test_the_snippet_of_r_gives_every_row_with_its_types(
    live_server: Any, transactional_db: None, released: ReleasedLake, settings: Any
) -> None:
    settings.QUERY_FILE_LIMITS = {"max_rows": 700}
    sql = """SELECT zip, state, DATE '2020-10-15' AS "a day", -1.5 AS d, '' AS "none", '#é "1"' AS t, zip > '1' AS b
FROM aspirevc_crowd_tracing_zipcode_3digits ORDER BY zip"""
    code = dict(shown.snippets(base=live_server.url, sql=sql))["R"]
    said = "write(jsonlite::toJSON(list(dim(rows), rows[1, ], sapply(rows, class)), digits = NA), stdout())"
    done = subprocess.run(["Rscript", "-"], input=f"{code}\n{said}", capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    (count, width), [first], kinds = json.loads(done.stdout)
    assert (count > 700, width) == (True, 7)
    assert first == {"zip": "005", "state": "NY", "a day": "2020-10-15", "d": -1.5, "t": '#é "1"', "b": False}
    assert kinds == ["character", "character", "Date", "numeric", "character", "character", "logical"]


def test_columns_for_a_chart_are_numbers_and_their_axis() -> None:
    columns = [
        {"name": name, "type": kind} for name, kind in (("t", "varchar"), ("x", "double"), ("l", "array(bigint)"))
    ]
    made = shown.choice_of(columns, [["2020-10-14", 0.5, []], ["2020-10-15", None, []]])
    assert made is not None
    assert (made["names"], made["kinds"]) == (["t", "x"], ["date", "number"])
    assert made["rows"] == [["2020-10-14", 0.5], ["2020-10-15", None]]
    assert shown.choice_of(columns[:1], [["a"], ["b"]]) is None


TABLES = ["spending", "series", "signals", "dictionary", "releases", "states", "zip-areas"]


@pytest.mark.parametrize("name", TABLES)
def test_each_table_is_a_file_too(client: Client, released: ReleasedLake, name: str) -> None:
    page = client.get("/data/map" if name in ("states", "zip-areas") else "/data").content.decode()
    [address] = re.findall(rf'href="(/data/tables/{name}\.csv[^"]*)"', page)
    response = client.get(address.replace("&amp;", "&"))
    assert response["Content-Type"].startswith("text/csv")
    rows = list(csv.DictReader(io.StringIO(response.content.decode())))
    assert rows


def test_files_of_tables_keep_the_day_of_the_page(client: Client, released: ReleasedLake) -> None:
    page = client.get(f"/data/map?day={FIRST}").content.decode()
    assert f"/data/tables/states.csv?day={FIRST}" in page
    days = list(csv.DictReader(io.StringIO(client.get(f"/data/tables/releases.csv?as_of={FIRST}").content.decode())))
    assert [row["day"] for row in days] == [FIRST.isoformat()]
    assert client.get("/data/tables/nothing.csv").status_code == 404


def test_numbers_of_an_answer_are_aligned_in_columns(client: Client, released: ReleasedLake) -> None:
    text = ask(client, "SELECT 'a' AS t, 1.5 AS d, 2 AS n")
    assert text.count('<td class="is-number">') == text.count('<th scope="col" class="is-number">') == 2


def test_the_series_has_a_day_of_each_release_with_its_interval(client: Client, released: ReleasedLake) -> None:
    points = shown.series_of(tables_at(), "symptoms")
    assert [point.day for point in points] == [FIRST, SECOND]
    assert all(point.low <= max(0, point.value) <= point.high for point in points)
    assert "option selected>symptoms" in client.get("/data?signal=symptoms").content.decode()


# The map --------------------------------------------------------------------------------------------------------------
def test_the_map_and_its_table_hold_the_same_rows(client: Client, released: ReleasedLake) -> None:
    at = tables_at()
    states = shown.states(at, day=None, names=us_map.state_names())
    areas = shown.zip_areas(at, day=None)
    whole = sum(int(release.manifest["rows"]) for release in released.rows())
    assert sum(area.total for area in states) == whole
    assert sum(area.total for area in areas) == sum(area.total for area in states if area.code)
    text = client.get("/data/map").content.decode()
    placed = {zip3 for zip3, *_point in us_map.outlines()["zips"]}
    dots = text.partition('class="dots"')[2].partition("</g>")[0]
    assert dots.count("<circle ") == sum(1 for area in areas if area.code in placed) > 0
    assert text.count('<th scope="row">') == len(states) + len(areas)


def test_a_day_can_be_chosen_and_an_unreleased_one_is_unknown(client: Client, released: ReleasedLake) -> None:
    at = tables_at()
    days = [sum(area.total for area in shown.states(at, day=day, names={})) for day in (FIRST, SECOND, None)]
    assert days[0] + days[1] == days[2]
    assert client.get(f"/data/map?day={FIRST.isoformat()}").status_code == 200
    assert client.get("/data/map?day=2019-01-01").status_code == 404
    assert client.get("/data/map?day=yesterday").status_code == 404


def test_the_tables_can_be_sorted_by_any_column(client: Client, released: ReleasedLake) -> None:
    text = client.get("/data/map?sort=-total").content.decode()
    rows = re.findall(r'<th scope="row">[^<]*</th><td class="is-number">([\d,]+)</td>', text)
    totals = [int(value.replace(",", "")) for value in rows]
    states = len(shown.states(tables_at(), day=None, names={}))
    assert totals[:states] == sorted(totals[:states], reverse=True)
    assert totals[states:] == sorted(totals[states:], reverse=True)
    assert client.get("/data/map?sort=__class__").status_code == 200


def test_every_state_is_drawn_and_has_a_name() -> None:
    assert len(us_map.outlines()["states"]) == 51
    assert all(each["path"].startswith("M") for each in us_map.outlines()["states"])
    assert {each["state"] for each in us_map.outlines()["states"]} <= us_map.state_names().keys()


def test_classes_hold_about_as_many_states_each_and_grow() -> None:
    values = {str(number): float(number) for number in range(50)}
    legend = us_map.classes(values)
    assert [each.level for each in legend] == [1, 2, 3, 4, 5]
    held = [us_map.level_of(value, legend) for value in values.values()]
    assert held == sorted(held)
    assert {held.count(level) for level in range(1, 6)} == {10}
    assert us_map.classes({}) == ()
    assert [each.level for each in us_map.classes({"CA": 3.0})] == [5]
    assert us_map.level_of(None, legend) == 0


def test_an_area_outside_the_projection_is_counted_not_drawn() -> None:
    made = us_map.draw(values={}, texts={}, sizes={"006": 5.0, "941": 20.0}, size_texts={})
    assert [dot.zip3 for dot in made.dots] == ["941"]
    assert made.without_place == 1
    assert made.dots[0].radius == us_map.LARGEST_DOT
