"""How unusual a scan is, from 0 (ordinary) to 1: a plain statistic, computed independently of the doors. Pure.

Three signs, each from 0 to 1, count as independent reasons: `score = 1 - product of (1 - sign)`.

- *Rate*: scans of the device in this minute, relative to its usual minute (the median of its minutes with a scan, at
  least 4). Up to 5 times the usual is a crowd at the door; from 25 times it is a script.
- *Red share*: share of red lights among the device's scans of this hour, if there are 20 or more. Up to 20 % is a bad
  day, from 80 % somebody is trying out credentials.
- *Dwell*: a Checkout less than a minute after its Checkin means that two doors were used at once, or nobody walked.

The bounds are our choice, to be adjusted by experience. The score changes no light; it weights what a venue sends.
"""

from collections import Counter, defaultdict
from collections.abc import Hashable, Iterable, Iterator
from dataclasses import dataclass
from statistics import median
from typing import Final

MINUTE_S: Final = 60
HOUR_S: Final = 3600
LEAST_USUAL_A_MINUTE: Final = 4
CROWD_TIMES, SCRIPT_TIMES = 5.0, 25.0
LEAST_SCANS_AN_HOUR: Final = 20
BAD_DAY_SHARE, TRYING_SHARE = 0.2, 0.8
SHORTEST_STAY_S: Final = 60


@dataclass(frozen=True, slots=True)
class ScanMark:
    """The fields of a scan that the statistic needs; `at` in Unix seconds, `tag` of its pass or `None`."""

    key: Hashable
    device: Hashable
    at: float
    is_checkout: bool
    approved: bool
    tag: bytes | None


def score_marks(marks: Iterable[ScanMark]) -> dict[Hashable, float]:
    """Return the score of each scan of one day, by its key."""
    rows = list(marks)
    minutes = Counter((row.device, row.at // MINUTE_S) for row in rows)
    usual = _usual(minutes)
    hours = Counter((row.device, row.at // HOUR_S) for row in rows)
    red = Counter((row.device, row.at // HOUR_S) for row in rows if not row.approved)
    hasty = set(_hasty(rows))
    scores = {}
    for row in rows:
        hour = (row.device, row.at // HOUR_S)
        share = red[hour] / hours[hour] if hours[hour] >= LEAST_SCANS_AN_HOUR else 0.0
        times = minutes[row.device, row.at // MINUTE_S] / usual[row.device]
        calm = (1 - _ramp(times, CROWD_TIMES, SCRIPT_TIMES)) * (1 - _ramp(share, BAD_DAY_SHARE, TRYING_SHARE))
        scores[row.key] = 1.0 if row.key in hasty else 1 - calm
    return scores


def _usual(minutes: Counter[tuple[Hashable, float]]) -> dict[Hashable, float]:
    by_device: dict[Hashable, list[int]] = defaultdict(list)
    for (device, _minute), count in minutes.items():
        by_device[device].append(count)
    return {device: max(LEAST_USUAL_A_MINUTE, median(counts)) for device, counts in by_device.items()}


def _hasty(rows: list[ScanMark]) -> Iterator[Hashable]:
    """Yield Checkouts less than a minute after the latest Checkin of their pass."""
    inside: dict[bytes, float] = {}
    for row in sorted(rows, key=lambda row: (row.at, row.is_checkout)):
        if row.tag is None or not row.approved:
            continue
        if not row.is_checkout:
            inside[row.tag] = row.at
        elif row.at - inside.pop(row.tag, -HOUR_S) < SHORTEST_STAY_S:
            yield row.key


def _ramp(value: float, low: float, high: float) -> float:
    return min(1.0, max(0.0, (value - low) / (high - low)))
