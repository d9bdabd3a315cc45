"""The page of the benchmark."""

from pathlib import Path
from typing import Any

import pytest
from django.test import Client

from exports.benchmark.leaderboard import OPEN, standings, write_leaderboard
from exports.benchmark.submissions import Submission

pytestmark = pytest.mark.django_db
SCORES = {"rank": 0.3, "calibration": 0.4, "deviance": 0.2, "error": 0.05, "skill": 0.0}


def test_it_shows_the_best_of_each_team_and_the_baseline(client: Client, settings: Any, tmp_path: Path) -> None:
    log = [
        Submission("Team <A>", "2026-11-30T10:00:00+00:00", "00", SCORES | {"rank": 0.1}),
        Submission("team a", "2026-11-30T11:00:00+00:00", "00", SCORES | {"rank": 0.5}),
        Submission("B", "2026-11-30T11:00:00+00:00", "00", SCORES | {"rank": 0.2}),
        Submission("Broken", "2026-11-30T11:00:00+00:00", "00", None),
    ]
    (tmp_path / OPEN).mkdir()
    lines = standings(log, SCORES)
    assert [(line["place"], line["team"]) for line in lines] == [(1, "team a"), (2, "baseline"), (3, "B")]
    write_leaderboard(tmp_path / OPEN, lines)
    settings.BENCHMARK_FOLDER = str(tmp_path)
    text = client.get("/data/benchmark").content.decode()
    assert text.index("team a") < text.index("the baseline")
    assert "0.500" in text


@pytest.mark.parametrize("folder", ["", "/nowhere"])
def test_without_a_contest_it_says_how_to_host_one(client: Client, settings: Any, folder: str) -> None:
    settings.BENCHMARK_FOLDER = folder
    response = client.get("/data/benchmark")
    assert response.status_code == 200
    assert b"No contest is running" in response.content
