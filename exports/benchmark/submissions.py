"""Submissions for test towns: a few per team, each logged before its score is shown.

A team with unlimited submissions could learn the truth from their scores. So a team has a fixed number of submissions,
names that look alike are one team, and scores are shown with few digits. The log is stored with the truth.
"""

import datetime as dt
import fcntl
import hashlib
import json
import unicodedata
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

LOG: Final = "submissions.jsonl"
RULES: Final = "rules.json"
MOST: Final = 3
"""Submissions per team, unless the rules say otherwise; our choice."""
DIGITS: Final = 3
LONGEST_NAME: Final = 60
BASELINE: Final = "baseline"
"""The name of the baseline's line, which no team may use."""
# Latin letters that do not decompose into a basic letter and a mark.
_BASIC: Final = str.maketrans(
    {"æ": "ae", "œ": "oe", "ø": "o", "ł": "l", "đ": "d", "ð": "d", "þ": "th", "ı": "i", "ħ": "h"}
)
# Letters that many typefaces show alike; letters of other scripts and phonetic ones are not allowed in names.
_ALIKE: Final = (("0", "o"), ("1", "l"), ("i", "l"), ("rn", "m"), ("vv", "w"))


class RefusedError(ValueError):
    """A submission that is not scored; the text is a sentence."""


@dataclass(frozen=True)
class Submission:
    """A line of the log. `scores` is null while it is being scored, and if that failed."""

    team: str
    at: str
    sha256: str
    scores: Mapping[str, Any] | None


def team_name(text: str) -> str:
    """Return the normal form of a team's name; raise `RefusedError` for an invalid one."""
    normal = unicodedata.normalize("NFKC", text)
    visible = "".join(letter for letter in normal if unicodedata.category(letter)[0] != "C")
    name = " ".join(visible.split())
    if not name or len(name) > LONGEST_NAME or not any(letter.isalnum() for letter in name):
        raise RefusedError(f"A team's name has letters or digits, and {LONGEST_NAME} characters at most.")
    if not team_key(name).isascii():
        raise RefusedError(
            "A team's name has Latin letters or digits: those of other scripts look like them, and names that look "
            "alike are one team."
        )
    if team_key(name) == team_key(BASELINE):
        raise RefusedError(f"{name} is the name of the baseline; a team has a name of its own.")
    return name


def submit(
    *, folder: Path, team: str, content: bytes, now: dt.datetime, score: Callable[[], Mapping[str, Any]]
) -> dict[str, Any]:
    """Score a submission within its team's limit; return the scores to show.

    It is logged before it is scored, so it also counts if the process is stopped meanwhile; a file that `score` refuses
    (`ValueError`) reveals nothing and does not count.
    """
    name, most = team_name(team), _most(folder)
    with _locked(folder):
        before = read_log(folder)
        used = sum(team_key(each.team) == team_key(name) for each in before)
        if used >= most:
            raise RefusedError(f"{name} has used its {most} submissions; more would turn the score into an oracle.")
        entry = Submission(name, now.isoformat(), hashlib.sha256(content).hexdigest(), None)
        _write(folder, [*before, entry])
        try:
            said = rounded(score())
        except ValueError:
            _write(folder, before)
            raise
        _write(folder, [*before, Submission(entry.team, entry.at, entry.sha256, said)])
    return {"team": name, "submissions_left": most - used - 1, **said}


def read_log(folder: Path) -> list[Submission]:
    """Return all submissions, oldest first; raise `RefusedError` if the log was edited."""
    try:
        return [_entry(line) for line in (folder / LOG).read_text(encoding="utf-8").splitlines()]
    except FileNotFoundError:
        return []
    except (TypeError, ValueError):
        raise RefusedError(
            f"{folder / LOG} is not as it was written; nothing is scored until it is put back."
        ) from None


def _entry(line: str) -> Submission:
    entry = Submission(**json.loads(line))
    if not isinstance(entry.team, str) or not isinstance(entry.scores, dict | None):
        raise TypeError("not a line of the log")
    return entry


def rounded(scores: Mapping[str, Any]) -> dict[str, Any]:
    """Return scores with few digits, at any level of nesting."""
    return {name: _round(value) for name, value in scores.items()}


def _round(value: Any) -> Any:
    if isinstance(value, Mapping):
        return rounded(value)
    return round(value, DIGITS) if isinstance(value, float) else value


def team_key(team: str) -> str:
    """Return a key that is equal for similar names: without case, spaces, signs, accents and look-alike letters."""
    apart = unicodedata.normalize("NFKD", unicodedata.normalize("NFKC", team).casefold().translate(_BASIC))
    key = "".join(letter for letter in apart.casefold() if letter.isalnum())
    for shown, alike in _ALIKE:
        key = key.replace(shown, alike)
    return key


def _most(folder: Path) -> int:
    """Return the limit; raise `RefusedError` if the rules say something else than a whole number."""
    path = folder / RULES
    try:
        rules = json.loads(path.read_text(encoding="utf-8"))
    except FileNotFoundError:
        return MOST
    except ValueError:
        rules = None
    most = rules.get("submissions_per_team", MOST) if isinstance(rules, dict) else None
    if isinstance(most, bool) or not isinstance(most, int) or most < 1:
        raise RefusedError(f'{path} is not rules such as {{"submissions_per_team": {MOST}}}; nothing is scored.')
    return most


@contextmanager
def _locked(folder: Path) -> Iterator[None]:
    """Admit one submission at a time, so that two concurrent ones are not both the last."""
    with (folder / f"{LOG}.lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        yield


def _write(folder: Path, entries: list[Submission]) -> None:
    part = folder / f"{LOG}.part"
    part.touch(mode=0o600)
    part.write_text("".join(json.dumps(vars(each), sort_keys=True) + "\n" for each in entries), encoding="utf-8")
    part.replace(folder / LOG)
