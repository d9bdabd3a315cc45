"""One rule for every number of points, over a grid, with equal results on the device (`tests/data/rounding.json`)."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from risk.model.rounding import left, shown_points, shown_shield, up

VECTORS: dict[str, Any] = json.loads((Path(__file__).parents[2] / "data/rounding.json").read_text())
GRID = [number / 1000 for number in (*range(2_000), *range(2_000, 160_000, 37))]
"""Points from 0 to 160, some on a tenth and most between two."""


def test_the_vectors_that_pages_are_held_to_are_these() -> None:
    assert [shown_points(points) for points, _ in VECTORS["points"]] == [shown for _, shown in VECTORS["points"]]
    assert [left(points) for points, _ in VECTORS["left"]] == [shown for _, shown in VECTORS["left"]]


@pytest.mark.parametrize("spent", GRID[:: len(GRID) // 60])
def test_a_number_before_a_cost_and_a_number_after_add_up(spent: float) -> None:
    """0.1 points from 100 % are 99.9 %, and 1.5 points 98.5 %."""
    for cost in GRID[::23]:
        before, after = left(spent), left(shown_points(spent) + shown_points(cost))
        assert after == pytest.approx(max(0.0, 100.0 - shown_points(spent) - shown_points(cost)), abs=1e-9)
        if after > 0.0:
            assert before - after == pytest.approx(shown_points(cost), abs=1e-9)


def test_only_an_untouched_shield_is_whole_and_nothing_looks_cheaper_than_it_is() -> None:
    for points in GRID:
        assert (left(points) == 100.0) == (points == 0.0)
        assert points - 1e-6 <= shown_points(points) < points + 0.1 + 1e-6
        assert left(points) <= max(0.0, 100.0 - points) + 1e-6


@given(st.floats(0.0, 20.0))
def test_what_an_answer_says_is_spent_gives_the_same_tenths_and_the_same_whole_percent(spent: float) -> None:
    """Rounded up to a finer step first, then to a tenth: equal except within the tolerance of a step."""
    from_answer, exact = left(100.0 * up(spent, 4)), left(100.0 * spent)
    assert from_answer == pytest.approx(exact, abs=1e-9) or abs(100.0 * spent * 10 % 1) < 1e-4
    assert shown_shield(from_answer) <= shown_shield(max(0.0, 100.0 * (1.0 - spent))) + 1e-9
