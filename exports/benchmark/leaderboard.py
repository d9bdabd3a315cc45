"""The leaderboard: the best submission of each team and the baseline, by the main score."""

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any, Final

from exports.benchmark.submissions import BASELINE, Submission, team_key

OPEN: Final = "open"
"""The part of a contest's folder that participants get."""
FILE: Final = "leaderboard.json"
SHOWN: Final = ("rank", "calibration", "deviance", "error", "skill")


def standings(log: list[Submission], baseline: Mapping[str, Any]) -> list[dict[str, Any]]:
    """Return one line per team, best first: place, team, number of submissions, and scores of its best one."""
    of_team: dict[str, list[Submission]] = {}
    for each in log:
        if each.scores is not None:
            of_team.setdefault(team_key(each.team), []).append(each)
    lines = [{"team": BASELINE, "submissions": 0, "at": None, **{name: baseline[name] for name in SHOWN}}]
    for entries in of_team.values():
        best = max(entries, key=lambda each: _order(each.scores or {}))
        scores = best.scores or {}
        lines.append(
            {"team": best.team, "submissions": len(entries), "at": best.at, **{name: scores[name] for name in SHOWN}}
        )
    lines.sort(key=_order, reverse=True)
    return [{"place": place, **line} for place, line in enumerate(lines, start=1)]


def _order(scores: Mapping[str, Any]) -> tuple[float, float]:
    """Return the sort key: the main score, then calibration, where less is better."""
    return float(scores["rank"]), -float(scores["calibration"])


def write_leaderboard(folder: Path, lines: list[dict[str, Any]]) -> None:
    """Write the file that the leaderboard page shows."""
    part = folder / f"{FILE}.part"
    part.write_text(json.dumps({"main": "rank", "lines": lines}, indent=1), encoding="utf-8")
    part.replace(folder / FILE)


def read_leaderboard(folder: Path) -> list[dict[str, Any]] | None:
    """Return the lines of a leaderboard, or `None` if there is none."""
    try:
        return list(json.loads((folder / FILE).read_text(encoding="utf-8"))["lines"])
    except (OSError, ValueError, LookupError):
        return None
