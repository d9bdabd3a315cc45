"""How unusual a scan is, from 0 (ordinary) to 1: a plain statistic, computed independently of the doors. Pure.

Five signs, each from 0 to 1, count as independent reasons: `score = 1 - product of (1 - sign)`. A sign whose facts are
missing is left out; without any sign there is no score.

- *Rate*: scans of the device in this minute, each pass once. Relative to its usual minute (the median of its minutes
  with a scan, at least 4), up to 5 times the usual is a crowd at the door, and from 25 times it is a script. In
  absolute numbers, one person a second can still be true, and two a second cannot. Green Checkins, green Checkouts and
  red scans are counted apart.
- *Red share*: share of red lights among the device's scans of this hour, if there are 20 or more. Up to 20 % is a bad
  day, from 80 % somebody is trying out credentials. It concerns red scans only.
- *Two doors*: a code of a pass that another device let in less than 10 seconds ago.
- *Dwell*: a Checkout less than a minute after its Checkin means that two doors were used at once, or nobody walked.
- *Questionnaire*: answers to four questions in less than two seconds.

What somebody else shows at a door raises the score of a green scan to a half only with 60 different passes that the
same device lets in, or out, in the same minute. The bounds are our choice, to be adjusted by experience. The score
changes no light.
"""

from collections import Counter, defaultdict
from collections.abc import Hashable, Iterable, Mapping
from dataclasses import dataclass
from math import prod
from statistics import median
from typing import Final, NamedTuple

from passes.limits import FASTEST_SURVEY_S

MINUTE_S: Final = 60
HOUR_S: Final = 3600
LEAST_USUAL_A_MINUTE: Final = 4
CROWD_TIMES, SCRIPT_TIMES = 5.0, 25.0
MOST_A_MINUTE, IMPOSSIBLE_A_MINUTE = 60.0, 120.0
LEAST_SCANS_AN_HOUR: Final = 20
BAD_DAY_SHARE, TRYING_SHARE = 0.2, 0.8
SHORTEST_WALK_S: Final = 10
SHORTEST_STAY_S: Final = 60


@dataclass(frozen=True, slots=True)
class ScanMark:
    """The fields of a scan that the statistic needs; `at` in Unix seconds, `tag` of its pass or `None`.

    `device` is `None` if it is not known any more, `survey_s` if no pass says how long its answers took.
    """

    key: Hashable
    device: Hashable | None
    at: float
    is_checkout: bool
    approved: bool
    tag: bytes | None
    survey_s: int | None = None


class _Stream(NamedTuple):
    """The events whose rate is counted: the ways in, the ways out, and the red lights of a device."""

    device: Hashable
    approved: bool
    is_checkout: bool


def score_marks(marks: Iterable[ScanMark]) -> dict[Hashable, float | None]:
    """Return the score of each scan of one day, by its key; `None` if nothing is known by which to score it."""
    rows = sorted(marks, key=lambda row: (row.at, row.is_checkout))
    signs = (_rate_signs(rows), _red_signs(rows), _walk_signs(rows), _stay_signs(rows), _survey_signs(rows))
    return {row.key: _combined([found[row.key] for found in signs if row.key in found]) for row in rows}


def _combined(signs: list[float]) -> float | None:
    return 1 - prod(1 - sign for sign in signs) if signs else None


def _rate_signs(rows: list[ScanMark]) -> Mapping[Hashable, float]:
    """Return a sign for each scan of a known device."""
    streams = {row.key: _Stream(row.device, row.approved, row.approved and row.is_checkout) for row in rows}
    # One pass shows several green lights in a minute; it counts once.
    shown = {
        (streams[row.key], row.at // MINUTE_S, (row.approved and row.tag) or row.key)
        for row in rows
        if row.device is not None
    }
    minutes = Counter((stream, minute) for stream, minute, _shown in shown)
    by_stream: dict[_Stream, list[int]] = defaultdict(list)
    for (stream, _minute), count in minutes.items():
        by_stream[stream].append(count)
    usual = {stream: max(LEAST_USUAL_A_MINUTE, median(counts)) for stream, counts in by_stream.items()}
    signs = {}
    for row in rows:
        if row.device is not None:
            stream = streams[row.key]
            count = minutes[stream, row.at // MINUTE_S]
            unusual = _ramp(count / usual[stream], CROWD_TIMES, SCRIPT_TIMES)
            signs[row.key] = max(unusual, _ramp(count, MOST_A_MINUTE, IMPOSSIBLE_A_MINUTE))
    return signs


def _red_signs(rows: list[ScanMark]) -> Mapping[Hashable, float]:
    """Return a sign for each red scan in an hour with enough scans of its device."""
    hours = Counter((row.device, row.at // HOUR_S) for row in rows)
    red = Counter((row.device, row.at // HOUR_S) for row in rows if not row.approved)
    signs = {}
    for row in rows:
        hour = (row.device, row.at // HOUR_S)
        if row.device is not None and not row.approved and hours[hour] >= LEAST_SCANS_AN_HOUR:
            signs[row.key] = _ramp(red[hour] / hours[hour], BAD_DAY_SHARE, TRYING_SHARE)
    return signs


def _walk_signs(rows: list[ScanMark]) -> Mapping[Hashable, float]:
    """Return a sign for each scan of a pass: whether another device let it in a moment before. Rows by time."""
    let_in: dict[bytes, dict[Hashable | None, float]] = defaultdict(dict)
    signs = {}
    for row in rows:
        if row.tag is None:
            continue
        doors = let_in[row.tag]
        elsewhere = [at for device, at in doors.items() if device != row.device]
        signs[row.key] = float(any(row.at - at < SHORTEST_WALK_S for at in elsewhere))
        if row.approved:
            doors[row.device] = row.at
    return signs


def _stay_signs(rows: list[ScanMark]) -> Mapping[Hashable, float]:
    """Return a sign for each green Checkout: whether its pass came in less than a minute before. Rows by time."""
    inside: dict[bytes, float] = {}
    signs = {}
    for row in rows:
        if row.tag is None or not row.approved:
            continue
        if not row.is_checkout:
            inside[row.tag] = row.at
        else:
            signs[row.key] = float(row.at - inside.pop(row.tag, -HOUR_S) < SHORTEST_STAY_S)
    return signs


def _survey_signs(rows: list[ScanMark]) -> Mapping[Hashable, float]:
    return {row.key: float(row.survey_s < FASTEST_SURVEY_S) for row in rows if row.survey_s is not None}


def _ramp(value: float, low: float, high: float) -> float:
    return min(1.0, max(0.0, (value - low) / (high - low)))
