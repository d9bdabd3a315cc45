"""Spark and DuckDB agree on the published queries, byte for byte the same texts, over the same data files."""

import datetime as dt
import json
import os
import subprocess
from pathlib import Path
from typing import Any

import pytest

from exports.engine.engine import Engine
from exports.engine.results import json_rows
from exports.engine.sources import open_sources
from exports.lake.catalogue import Lake
from exports.lake.storage import local_path
from tests.exports.conftest import DATABASE
from tests.exports.engine.factories import published
from tests.exports.releases import release_day

ROOT = Path(__file__).parents[2]
PYTHON = Path(os.environ.get("CROWDTRACE_PEERS") or ROOT / ".venv-peers" / "bin" / "python")
NAMES = ("daily_counts.sql", "counts_by_state_and_risklevel.sql")

pytestmark = pytest.mark.peers


def on_spark(engine: Engine, queries: list[str], folder: Path) -> list[dict[str, Any]]:
    job = {
        "database": engine.schema,
        "tables": {
            source.table.name: {
                "files": [str(local_path(file)) for file in source.files],
                "columns": [[column.name, column.kind] for column in source.table.columns],
            }
            for source in engine.sources
        },
        "queries": queries,
    }
    out = folder / "answers.json"
    done = subprocess.run(
        [str(PYTHON), str(Path(__file__).with_name("spark_queries.py")), str(out)],
        input=json.dumps(job),
        text=True,
        capture_output=True,
        timeout=240,
        check=False,
    )
    assert done.returncode == 0, done.stderr[-3000:]
    answers: list[dict[str, Any]] = json.loads(out.read_text())
    return answers


def test_both_engines_give_the_same_rows(local_lake: Lake, tmp_path: Path) -> None:
    for number, day in enumerate((dt.date(2020, 10, 1), dt.date(2020, 10, 14), dt.date(2020, 10, 15))):
        release_day(local_lake, day=day, size=1500, seed=number)
    engine = Engine(schema=DATABASE, sources=open_sources(local_lake), storage=local_lake.storage, slots=tmp_path)
    answers = on_spark(engine, [published(name) for name in NAMES], tmp_path)
    for name, answer in zip(NAMES, answers, strict=True):
        ours = engine.run(published(name)).table
        assert ours.num_rows > 0
        assert answer["columns"] == ours.column_names
        # `ORDER BY 1,3` leaves ties, so rows are compared as sets; grouping keys make them distinct.
        assert {tuple(row) for row in answer["rows"]} == {tuple(row) for row in json_rows(ours)}
        assert len(answer["rows"]) == ours.num_rows
