"""The protocol's numbers; `tests/frontend/limits.test.mjs` compares the browser's with the same file."""

import ast
import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any, Final

import pytest

from embedded.home import CHECKOUT
from passes import limits
from risk.model import shield
from venues import readings

LIMITS: Final[dict[str, Any]] = json.loads((Path(__file__).parents[1] / "data" / "limits.json").read_text())


def test_the_numbers_are_those_of_the_protocol() -> None:
    assert {
        "SLOTS": limits.SLOTS,
        "SLOT_SECONDS": limits.SLOT_SECONDS,
        "EPOCH_SECONDS": limits.EPOCH_SECONDS,
        "CHECKIN_LEAD_SECONDS": limits.CHECKIN_LEAD_SECONDS,
        "PASSES_PER_EPOCH": limits.PASSES_PER_EPOCH,
        "COUNTED_PASSES": limits.COUNTED_PASSES,
        "UNMARKED_ONE_IN": limits.UNMARKED_ONE_IN,
        "VISIT_RETENTION_DAYS": limits.VISIT_RETENTION.days,
        "OLDEST_TEST_DAYS": limits.OLDEST_TEST.days,
        "FULL_DAYS": shield.FULL_DAYS,
        "GONE_DAYS": shield.GONE_DAYS,
        "TEMPERATURE_RANGE_F": list(readings.TEMPERATURE_RANGE_F),
        "OXYGEN_RANGE": list(readings.OXYGEN_RANGE),
    } == LIMITS
    assert limits.EPOCH_LENGTH.total_seconds() == limits.EPOCH_SECONDS


def restated(source: str) -> Iterator[str]:
    """Yield the length of an epoch or the number of its slots where code repeats it."""
    for node in ast.walk(ast.parse(source)):
        if isinstance(node, ast.Constant) and node.value in (limits.SLOTS, limits.EPOCH_SECONDS):
            yield ast.unparse(node)
        if isinstance(node, ast.keyword) and ast.unparse(node) == "hours=28":
            yield ast.unparse(node)
        if isinstance(node, ast.BinOp) and ast.unparse(node) in ("28 * 3600", "28 * 60"):
            yield ast.unparse(node)


@pytest.mark.parametrize("app", ["crowdtrace", "exports", "risk", "passes", "venues", "common", "embedded"])
def test_no_other_file_restates_the_length_of_an_epoch(app: str) -> None:
    files = [file for file in (CHECKOUT / app).rglob("*.py") if "migrations" not in file.parts]
    found = {str(file.relative_to(CHECKOUT)): list(restated(file.read_text())) for file in files}
    found.pop("passes/limits.py", None)
    assert not {name: numbers for name, numbers in found.items() if numbers}


def test_a_restated_length_is_found() -> None:
    found = list(restated("a = timedelta(hours=28)\nb = 28 * 3600 * 1_000_000\nc = 1_680\nd = 100800\ne = 28 * 24"))
    assert sorted(found) == ["100800", "1680", "28 * 3600", "hours=28"]
