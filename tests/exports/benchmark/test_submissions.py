"""A contest's rules limit submissions, and rules that were edited are named."""

import datetime as dt
from pathlib import Path
from typing import Any

import pytest

from exports.benchmark.submissions import LOG, MOST, RULES, RefusedError, submit


def submitted(folder: Path) -> dict[str, Any]:
    now = dt.datetime(2026, 11, 1, tzinfo=dt.UTC)
    return submit(folder=folder, team="Us", content=b"a file", now=now, score=lambda: {"main": 0.12345})


@pytest.mark.parametrize("rules", [None, "{}", '{"submissions_per_team": 3}'])
def test_a_team_has_three_submissions_unless_the_rules_name_another_number(tmp_path: Path, rules: str | None) -> None:
    if rules is not None:
        (tmp_path / RULES).write_text(rules)
    assert submitted(tmp_path) == {"team": "Us", "submissions_left": MOST - 1, "main": 0.123}


@pytest.mark.parametrize(
    "rules",
    ["", "{", "[]", "5", "null", '{"submissions_per_team": null}', '{"submissions_per_team": "many"}']
    + [f'{{"submissions_per_team": {number}}}' for number in ("0", "-1", "2.5", "true", "1e99")],
)
def test_rules_without_a_whole_number_are_named_and_nothing_is_scored(tmp_path: Path, rules: str) -> None:
    (tmp_path / RULES).write_text(rules)
    with pytest.raises(RefusedError, match=r"rules\.json"):
        submitted(tmp_path)
    assert not (tmp_path / LOG).exists()
