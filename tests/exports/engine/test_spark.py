"""Spark and DuckDB agree on the published queries, unchanged to the byte, by the script that researchers get."""

import csv
import os
import subprocess
from pathlib import Path
from typing import Any

import pytest

from exports.engine.results import json_rows
from exports.engine.run import run_query
from tests.exports.engine.factories import QUERIES, published
from tests.exports.ledger import ReleasedLake

ROOT = Path(__file__).parents[3]
PYTHON = Path(os.environ.get("CROWDTRACE_PEERS") or ROOT / ".venv-peers" / "bin" / "python")
NAMES = ("daily_counts.sql", "counts_by_state_and_risklevel.sql")

pytestmark = [pytest.mark.peers, pytest.mark.django_db(transaction=True)]


def on_spark(url: str, folder: Path) -> list[list[str]]:
    """Return what the script prints for both queries, line by line."""
    given = [url, *(str(QUERIES / name) for name in NAMES), "--folder", str(folder)]
    done = subprocess.run(
        [str(PYTHON), str(ROOT / "docs" / "spark_queries.py"), *given],
        text=True,
        capture_output=True,
        timeout=240,
        check=False,
        cwd=folder,
    )
    assert done.returncode == 0, done.stderr[-3000:]
    return list(csv.reader(done.stdout.splitlines()))


def test_both_engines_give_the_same_rows(live_server: Any, released: ReleasedLake, tmp_path: Path) -> None:
    lines = on_spark(live_server.url, tmp_path)
    for name in NAMES:
        ours = run_query(sql=published(name)).result.table
        theirs, lines = lines[: ours.num_rows + 1], lines[ours.num_rows + 1 :]
        assert theirs[0] == ours.column_names
        # `ORDER BY 1,3` leaves ties, so rows are compared as sets; grouping keys make them distinct.
        expected = {tuple(map(str, row)) for row in json_rows(ours)}
        assert {tuple(row) for row in theirs[1:]} == expected
        assert len(theirs) - 1 == len(expected) > 0
    assert not lines
