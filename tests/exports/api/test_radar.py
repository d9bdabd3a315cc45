"""The radar's API: its answers, its errors, and regions without a forecast."""

from __future__ import annotations

import datetime as dt
from typing import Any
from xml.etree import ElementTree

import pytest
from django.test import Client

from exports.radar import shown
from exports.radar.models import RadarRun
from risk.models import Series
from tests.exports.radar.factories import LAST, REGIONS, moment, value, weekly_runs

pytestmark = pytest.mark.django_db
WEEK = dt.timedelta(weeks=1)
ATOM = "{http://www.w3.org/2005/Atom}"


@pytest.fixture
def runs() -> list[RadarRun]:
    return weekly_runs(3)


def get(client: Client, query: str = "", status: int = 200) -> Any:
    response = client.get(f"/api/v1/radar{query}")
    assert response.status_code == status, response.content
    return response.json()


def test_every_region_has_a_fan_and_the_skill_of_earlier_forecasts(client: Client, runs: list[RadarRun]) -> None:
    data = get(client)
    assert data["as_of"] == LAST.isoformat()
    assert data["quantile_levels"] == list(shown.LEVELS)
    assert {one["region"] for one in data["regions"]} == set(REGIONS)
    for one in data["regions"]:
        assert [week["target_end_date"] for week in one["weeks"]] == [str(LAST + n * WEEK) for n in (1, 2, 3, 4)]
        assert all(len(week["quantiles"]) == 23 for week in one["weeks"])
        assert all(0.01 <= week["chance_of_doubling"] <= 0.99 for week in one["weeks"])
        assert one["level"] == value(one["region"], LAST)
        assert one["skill"]["tasks"] == 3
        assert one["skill"]["beats_last_week"] is None, "three weeks prove nothing"
    assert data["skill"]["tasks"] == 3 * 4


def test_a_past_day_has_the_forecast_that_was_published_then(client: Client, runs: list[RadarRun]) -> None:
    before = get(client, f"?as_of={LAST - WEEK}")
    weekly_runs(1, last=LAST + WEEK)
    assert get(client, f"?as_of={LAST - WEEK}") == before
    assert get(client, f"?as_of={LAST - dt.timedelta(days=1)}") == before, "the last before"
    assert get(client)["as_of"] == str(LAST + WEEK)


@pytest.mark.parametrize(
    ("asked", "answered"),
    [("CA", "CA"), ("ca", "CA"), ("94110", "941"), ("941", "941"), ("945", "CA"), ("TX", "US"), ("75001", "US")],
)
def test_a_region_without_a_forecast_gets_a_larger_one_and_a_note(
    client: Client, runs: list[RadarRun], asked: str, answered: str
) -> None:
    (one,) = get(client, f"?region={asked}")["regions"]
    assert one["forecast_of"] == answered
    assert one["is_fallback"] == (one["region"] != answered)


@pytest.mark.parametrize(
    ("query", "pointer"),
    [
        ("?region=XX", "?region"),
        ("?region=00000", "?region"),
        ("?region=", "?region"),
        ("?region=94-10", "?region"),
        ("?as_of=yesterday", "?as_of"),
        ("?as_of=2026-02-30", "?as_of"),
        ("?series=0", "?series"),
        ("?series=abc", "?series"),
        ("?colour=red", "?colour"),
        ("?as_of=2026-02-07&as_of=2026-01-31", "?as_of"),
    ],
)
def test_a_wrong_parameter_is_a_problem_that_names_it(
    client: Client, runs: list[RadarRun], query: str, pointer: str
) -> None:
    response = client.get(f"/api/v1/radar{query}")
    assert response.status_code == 400
    assert response["Content-Type"] == "application/problem+json"
    assert pointer in {error["pointer"] for error in response.json()["errors"]}


@pytest.mark.parametrize("query", ["", "?as_of=2019-01-05", "?series=999999"])
def test_without_a_forecast_there_is_nothing_to_find(client: Client, query: str) -> None:
    if query:
        weekly_runs(1)
    response = client.get(f"/api/v1/radar{query}")
    assert (response.status_code, response["Content-Type"]) == (404, "application/problem+json")


def test_a_forecast_that_is_known_is_not_sent_again(client: Client, runs: list[RadarRun]) -> None:
    tag = client.get("/api/v1/radar")["ETag"]
    assert client.get("/api/v1/radar", headers={"If-None-Match": tag}).status_code == 304


def test_series_are_chosen_by_number_and_the_best_tested_comes_first(client: Client, runs: list[RadarRun]) -> None:
    other = Series.objects.create(source="Other", signal="visits", unit="percent", simulated=True)
    run = RadarRun.objects.create(series=other, as_of=LAST, made_at=moment(LAST))
    run.forecasts.create(region="US", level=0.0, quantiles=[[0.0] * 23] * 4, flags=["too_little_history"])
    first = get(client)
    assert first["series"]["source"] == "Office"
    assert [one["source"] for one in first["other_series"]] == ["Other"]
    chosen = get(client, f"?series={other.pk}")
    assert (chosen["series"]["simulated"], chosen["series"]["unit"]) == (True, "percent")
    (one,) = chosen["regions"]
    assert one["weeks"][3]["chance_of_doubling"] is None
    assert one["flags"] == ["too_little_history"]


@pytest.mark.parametrize(
    ("relative", "tasks", "beats"), [(0.7, 20, True), (1.0, 20, False), (1.3, 90, False), (0.7, 19, None)]
)
def test_whether_it_beats_last_week_is_said_once_enough_weeks_have_come(
    client: Client, runs: list[RadarRun], relative: float, tasks: int, beats: bool | None
) -> None:
    skill = {"tasks": tasks, "relative_wis": relative, "coverage_50": 0.5, "coverage_95": 0.9}
    RadarRun.objects.filter(pk=runs[-1].pk).update(skill={"CA": skill})
    (one,) = get(client, "?region=CA")["regions"]
    assert one["skill"]["beats_last_week"] is beats


def test_the_feed_of_a_region_has_an_entry_a_forecast(client: Client, runs: list[RadarRun]) -> None:
    response = client.get("/api/v1/radar/feed.atom?region=94110")
    assert response["Content-Type"].startswith("application/atom+xml")
    root = ElementTree.fromstring(response.content)
    entries = root.findall(f"{ATOM}entry")
    assert len(entries) == 3
    newest = entries[0]
    link = newest.find(f"{ATOM}link")
    assert link is not None
    assert link.get("href", "").endswith(f"region=941&as_of={LAST}")
    assert "Chance that it doubles" in (newest.findtext(f"{ATOM}summary") or "")
    ids = {entry.findtext(f"{ATOM}id") for entry in entries}
    assert len(ids) == 3
    assert (
        client.get("/api/v1/radar/feed.atom?region=94110", headers={"If-None-Match": response["ETag"]}).status_code
        == 304
    )
    assert client.get("/api/v1/radar/feed.atom").status_code == 400
    assert client.get("/api/v1/radar/feed.atom?region=XX").status_code == 400


def test_the_feed_of_a_simulated_series_says_so_itself_and_in_every_entry(client: Client, runs: list[RadarRun]) -> None:
    said = "Simulated"
    assert said not in client.get("/api/v1/radar/feed.atom?region=CA").content.decode()
    Series.objects.update(simulated=True)
    root = ElementTree.fromstring(client.get("/api/v1/radar/feed.atom?region=CA").content)
    assert said in (root.findtext(f"{ATOM}subtitle") or "")
    assert all(said in (entry.findtext(f"{ATOM}summary") or "") for entry in root.findall(f"{ATOM}entry"))


def test_the_feed_says_that_it_is_of_a_larger_region(client: Client, runs: list[RadarRun]) -> None:
    assert b"larger region" in client.get("/api/v1/radar/feed.atom?region=TX").content
