"""The notebook of the documentation runs against a deployment, and its stored output is current."""

import re
from typing import Any

import pytest

from docs.dataset_notebook import CELLS, FORMAT, PATH, executed
from tests.exports.ledger import ReleasedLake

pytestmark = pytest.mark.django_db(transaction=True)


def shown(notebook: Any) -> str:
    """Return all output of the cells, as text."""
    outputs = (output for cell in notebook.cells for output in cell.get("outputs", []))
    return "\n".join(output.get("text") or output["data"]["text/plain"] for output in outputs)


# Jupyter's client warns about its own use of this version of its message queue.
@pytest.mark.filterwarnings("ignore::DeprecationWarning")
@pytest.mark.filterwarnings("ignore::ResourceWarning")
def test_every_cell_runs_and_the_join_by_state_finds_rows(
    live_server: Any, released: ReleasedLake, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("CROWDTRACE_URL", "")
    seen = shown(executed(live_server.url))
    assert "not a sample of the population" in seen
    assert re.search(r"2020-10-15 +CA +\d+", seen)
    assert re.search(r"2020-10-14 +MA +\d+", seen)


def test_the_kept_notebook_was_run_as_it_is_written() -> None:
    kept = FORMAT.read(PATH, as_version=4)
    FORMAT.validate(kept)
    assert [(cell.cell_type, cell.source) for cell in kept.cells] == list(CELLS)
    assert [cell.execution_count for cell in kept.cells if cell.cell_type == "code"] == list(
        range(1, 1 + sum(kind == "code" for kind, _ in CELLS))
    )
    assert "symptoms_percent" in shown(kept)
