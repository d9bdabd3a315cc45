"""Commands on a new home that was never served."""

import json
from collections.abc import Iterator
from pathlib import Path

import pytest

import embedded
from embedded.home import CHECKOUT
from tests.live import manage


@pytest.fixture
def home(tmp_path: Path) -> Iterator[Path]:
    yield tmp_path / "home"
    embedded.destroy(tmp_path / "home")


@pytest.mark.long
def test_a_town_is_simulated_and_released_on_a_new_home_and_both_published_queries_return_rows(home: Path) -> None:
    """Without `make run` before: each command creates the tables it needs."""
    manage(
        home,
        "simulate",
        "--visitors",
        "300",
        "--venues",
        "12",
        "--days",
        "5",
        "--seed",
        "3",
        "--start",
        "2020-10-01",
        "--release",
    )
    queries = sorted((CHECKOUT / "exports" / "queries").glob("*.sql"))
    assert len(queries) == 2
    for query in queries:
        answer = json.loads(manage(home, "query", query.read_text(), "--format", "json"))
        assert answer["columns"][0]["name"] == "date"
        if query.stem == "daily_counts":
            # A day of a few hundred visits may be drawn as empty; its noise is that large.
            days = {row[0][:10] for row in answer["rows"]}
            assert days
            assert days <= {f"2020-10-0{day}" for day in range(1, 6)}
            assert all(row[-1] >= 0 for row in answer["rows"])
