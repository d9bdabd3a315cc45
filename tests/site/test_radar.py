"""The radar page: numbers of the API, in words, without a script."""

from __future__ import annotations

import csv
import datetime as dt
import io
import re

import pytest
from django.core.management import call_command
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext

from crowdtrace.town.radar import ensure_radar
from exports.radar import shown
from exports.radar.models import RadarRun
from risk.models import SeriesWeek
from tests.exports.radar.factories import LAST, REGIONS, moment, value, weekly_runs

pytestmark = pytest.mark.django_db
WEEK = dt.timedelta(weeks=1)


@pytest.fixture
def runs() -> list[RadarRun]:
    return weekly_runs(3)


def text_of(client: Client, query: str = "", status: int = 200) -> str:
    response = client.get(f"/radar{query}")
    assert response.status_code == status
    return response.content.decode()


def test_before_the_first_forecast_the_page_says_so(client: Client) -> None:
    assert "There is no forecast yet" in text_of(client)
    assert client.get("/radar.csv").status_code == 404


def test_the_page_has_the_numbers_of_the_api(client: Client, runs: list[RadarRun]) -> None:
    text = text_of(client, "?region=94110")
    (one,) = client.get("/api/v1/radar?region=94110").json()["regions"]
    for week in one["weeks"]:
        median = week["quantiles"][shown.MEDIAN]
        assert f'<td class="is-number">{median:.0f}</td>' in text
        assert f'<td class="is-number">{100 * week["chance_of_doubling"]:.0f}</td>' in text
    assert text.count('<th scope="row"><a ') == len(REGIONS)


def test_map_chart_and_table_need_no_script_and_no_inline_style(client: Client, runs: list[RadarRun]) -> None:
    text = text_of(client)
    assert "style=" not in text
    assert not re.search(r"<script(?![^>]*src=)", text)
    assert text.count("<circle class=") > 0
    assert re.search(r'aria-label="California: 10[0-9]|aria-label="California: [0-9]+', text)


@pytest.mark.parametrize(
    ("language", "whole", "tick"),
    [("en", r"[A-Z][a-z]{2} \d+, \d{4}", r"[A-Z][a-z]{2} \d+"), ("es", r"\d+ [a-z]{3} \d{4}", r"\d+ [a-z]{3}")],
)
def test_days_are_written_as_in_the_language(
    client: Client, runs: list[RadarRun], language: str, whole: str, tick: str
) -> None:
    text = client.get("/radar?region=94110", headers={"Accept-Language": language}).content.decode()
    rows = re.findall(r'<th scope="row" class="is-day">([^<]*)</th>', text)
    slider = re.findall(r'data-weeks="([^"]*)"', text)[0].split("|") + re.findall(r'aria-valuetext="([^"]*)"', text)
    ticks = re.findall(r'<text class="day"[^>]*>([^<]*)</text>', text)
    assert len(rows) == shown.LAST + 1
    assert len(slider) == len(runs) + 1
    assert ticks
    assert [day for day in rows + slider if not re.fullmatch(whole, day)] == []
    assert [day for day in ticks if not re.fullmatch(tick, day)] == []
    assert not re.search(r">[^<]*\d{4}-\d\d-\d\d", text)


def test_a_region_without_a_forecast_is_answered_by_a_larger_one(client: Client, runs: list[RadarRun]) -> None:
    assert "There is no forecast for Texas, so you see United States." in text_of(client, "?region=TX")
    assert "neither a state nor a ZIP code" in text_of(client, "?region=XX", status=400)


def test_the_slider_is_a_form_that_leads_to_an_address_of_its_own(client: Client, runs: list[RadarRun]) -> None:
    assert 'max="2" value="2"' in text_of(client)
    response = client.get("/radar?week=0&region=CA")
    assert response.status_code == 302
    assert response["Location"] == f"/radar?as_of={LAST - 2 * WEEK}&region=CA&show=doubling"
    text = text_of(client, response["Location"].removeprefix("/radar"))
    assert "earlier forecast, as it was published then" in text
    assert f'<td class="is-number">{value("CA", LAST - WEEK):.0f}</td>' in text, "what came"
    assert client.get("/radar?week=99999").status_code == 200
    assert client.get("/radar?week=77").status_code == 302


@pytest.mark.parametrize("query", ["?as_of=2019-01-05", "?as_of=never", "?series=abc", "?series=999"])
def test_a_forecast_that_is_not_there_is_not_found(client: Client, runs: list[RadarRun], query: str) -> None:
    assert client.get(f"/radar{query}").status_code == 404
    assert client.get(f"/radar.csv{query}").status_code == 404


@pytest.mark.parametrize(
    ("relative", "tasks", "sentence"),
    [
        (1.2, 40, "No better than assuming “same as last week”."),
        (1.0, 40, "No better than assuming “same as last week”."),
        (0.62, 40, "the error was 0.62 times that of"),
        (0.62, 3, "Not tested yet: 3 forecasts could be compared"),
    ],
)
def test_the_page_says_how_well_earlier_forecasts_did(
    client: Client, runs: list[RadarRun], relative: float, tasks: int, sentence: str
) -> None:
    skill = {"tasks": tasks, "relative_wis": relative, "coverage_50": 0.4, "coverage_95": 0.9}
    RadarRun.objects.filter(pk=runs[-1].pk).update(skill={"": skill, "CA": skill})
    assert text_of(client, "?region=CA").count(sentence) == 2


def test_the_table_is_sorted_by_its_columns(client: Client, runs: list[RadarRun]) -> None:
    def names(sort: str) -> list[str]:
        part = text_of(client, f"?sort={sort}").partition('id="states"')[2].partition("</table>")[0]
        return re.findall(r'<th scope="row"><a [^>]*>([^<]+)', part)

    assert names("-level") == ["United States", "California", "New York"]
    assert names("level") == ["New York", "California", "United States"]
    assert names("name") == ["California", "New York", "United States"]
    assert set(names("relative")) == set(names("__class__")) == set(names("level"))


def test_the_csv_has_every_region_and_week(client: Client, runs: list[RadarRun]) -> None:
    response = client.get(f"/radar.csv?as_of={LAST - WEEK}")
    assert response["Content-Type"] == "text/csv; charset=utf-8"
    rows = list(csv.DictReader(io.StringIO(response.content.decode())))
    assert len(rows) == 4 * len(REGIONS)
    assert {row["as_of"] for row in rows} == {str(LAST - WEEK)}
    assert all(float(row["low_95"]) <= float(row["median"]) <= float(row["high_95"]) for row in rows)


def test_the_csv_of_a_region_has_its_lines_or_those_of_the_larger_region(client: Client, runs: list[RadarRun]) -> None:
    def regions(region: str) -> set[str]:
        text = client.get(f"/radar.csv?region={region}").content.decode()
        return {row["region"] for row in csv.DictReader(io.StringIO(text))}

    assert regions("CA") == {"CA"}
    assert regions("90001") <= {"900", "CA"}
    assert client.get("/radar.csv?region=nowhere").status_code == 404


def test_a_name_from_a_file_is_text_on_the_page_and_in_a_spreadsheet(client: Client, runs: list[RadarRun]) -> None:
    series = runs[0].series
    series.source, series.signal = "=cmd()", "<b>admissions</b>"
    series.save()
    text = text_of(client)
    assert "<b>admissions" not in text
    assert "&lt;b&gt;admissions" in text
    assert "'=cmd()" in client.get("/radar.csv").content.decode()


def test_the_page_asks_the_database_a_few_times_only(client: Client, runs: list[RadarRun]) -> None:
    with CaptureQueriesContext(connection) as asked:
        client.get("/radar")
    assert len(asked) <= 8


# The demonstration ----------------------------------------------------------------------------------------------------
def test_the_demonstration_has_a_simulated_season_that_ends_in_the_present(client: Client) -> None:
    now = moment(dt.date(2026, 8, 1))
    assert ensure_radar(now=now)
    assert not ensure_radar(now=now)
    newest = RadarRun.objects.order_by("-as_of").first()
    assert newest is not None
    assert newest.as_of == SeriesWeek.objects.order_by("-week").values_list("week", flat=True)[0]
    assert dt.timedelta(0) < now.date() - newest.as_of < 2 * WEEK
    assert not RadarRun.objects.filter(made_at__gt=now).exists()
    text = text_of(client, "?region=94110")
    assert "Simulated." in text
    assert "941 (CA)" in text
    data = client.get("/api/v1/radar").json()
    assert data["series"]["simulated"] is True
    assert len(data["regions"]) > 60
    assert data["skill"]["beats_last_week"] is not None


def test_a_simulated_season_is_not_forecast_again() -> None:
    ensure_radar(now=moment(LAST))
    before = RadarRun.objects.count()
    call_command("radar", stdout=io.StringIO())
    assert RadarRun.objects.count() == before
