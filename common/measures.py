"""Counts of what the deployment does, for the operator's metrics. No label is finer than the deployment.

A process adds up in memory and passes its sums on to Valkey every few seconds, so that the processes of all hosts count
together and a request waits for nothing. The counts start again at 0 when Valkey loses its memory; a process that is
killed loses those of its last seconds.

What is shown goes in steps of ten (`STEP`): in a quiet hour of a small deployment a counter that moved by one would
tell that somebody came.
"""

import atexit
import datetime as dt
import logging
import threading
import time
from bisect import bisect_left
from collections import Counter
from collections.abc import Mapping
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from dataclasses import dataclass
from typing import Any, Final

from redis import RedisError

from common import valkey

STEP: Final = 10
"""Counts are shown rounded down to a multiple of it."""
FLUSH_SECONDS: Final = 5.0
KEY: Final = "crowdtrace:measures"
KEPT: Final = dt.timedelta(days=1)
"""Then the counts begin again at 0, as no store keeps what visitors cause for longer than two days."""
_SEPARATOR: Final = "\t"

log = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class Measure:
    """A counter, or a histogram where it has `bounds`: the upper edges of its buckets, in its unit."""

    name: str
    help: str
    labels: tuple[str, ...] = ()
    bounds: tuple[float, ...] = ()


SECONDS: Final = (0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0, 10.0)
REQUESTS: Final = Measure(
    "crowdtrace_request_seconds", "Time until a response was ready, without the wait for its moment", ("lane",), SECONDS
)
RESPONSES: Final = Measure("crowdtrace_responses", "Responses by class of status", ("lane", "status"))
TURNED_AWAY: Final = Measure("crowdtrace_requests_turned_away", "Requests that found no free thread", ("lane",))
SCANS: Final = Measure("crowdtrace_scans", "Scans by their result, live or uploaded later", ("way", "result"))
CHECKINS: Final = Measure("crowdtrace_checkins", "Check-ins that were answered, whatever the response was")
LIMITED: Final = Measure("crowdtrace_rate_limited", "Requests over a rate limit, by limit", ("limit",))
MEASURES: Final = (REQUESTS, RESPONSES, TURNED_AWAY, SCANS, CHECKINS, LIMITED)

_sums: Counter[str] = Counter()
_lock: Final = threading.Lock()
_flushed = time.monotonic()
_thread: Final = ThreadPoolExecutor(1, thread_name_prefix="measures")


def count(measure: Measure, *labels: str, by: int = 1) -> None:
    """Add `by` to a counter. `labels` are values for the labels of the measure, in their order."""
    _add(_field(measure, labels), by)


def observe(measure: Measure, value: float, *labels: str) -> None:
    """Add a value to a histogram."""
    at = bisect_left(measure.bounds, value)
    _add(_field(measure, (*labels, str(at))), 1)


def read() -> Mapping[Measure, Mapping[tuple[str, ...], int]]:
    """Return every count of all processes in steps of `STEP`, by label values; raise `RedisError` without Valkey.

    The last label of a histogram is the number of the bucket.
    """
    flush()
    stored: Any = valkey.client().hgetall(KEY)
    named = {measure.name: measure for measure in MEASURES}
    found: dict[Measure, dict[tuple[str, ...], int]] = {measure: {} for measure in MEASURES}
    for field, value in stored.items():
        name, *labels = field.decode().split(_SEPARATOR)
        if (measure := named.get(name)) is not None and len(labels) == len(measure.labels) + bool(measure.bounds):
            found[measure][tuple(labels)] = int(value)
    return {
        measure: _cumulated(measure, counts) if measure.bounds else {key: _step(n) for key, n in counts.items()}
        for measure, counts in found.items()
    }


def flush() -> None:
    """Pass the sums of this process on; without Valkey they wait here."""
    with _lock:
        sums = dict(_sums)
        _sums.clear()
    if not sums:
        return
    try:
        pipe = valkey.client().pipeline(transaction=False)
        for field, by in sums.items():
            pipe.hincrby(KEY, field, by)
        pipe.expire(KEY, KEPT, nx=True)
        pipe.execute()
    except RedisError:
        with _lock:
            _sums.update(sums)


def _cumulated(measure: Measure, counts: Mapping[tuple[str, ...], int]) -> dict[tuple[str, ...], int]:
    """Return how many values lie in each bucket or a lower one, as Prometheus counts them."""
    cumulated = {}
    for labels in {key[:-1] for key in counts}:
        total = 0
        for bucket in range(len(measure.bounds) + 1):
            total += counts.get((*labels, str(bucket)), 0)
            cumulated[*labels, str(bucket)] = _step(total)
    return cumulated


def _step(number: int) -> int:
    return number - number % STEP


def _field(measure: Measure, labels: tuple[str, ...]) -> str:
    return _SEPARATOR.join((measure.name, *labels))


def _add(field: str, by: int) -> None:
    global _flushed  # noqa: PLW0603
    with _lock:
        _sums[field] += by
        due = time.monotonic() - _flushed > FLUSH_SECONDS
        if due:
            _flushed = time.monotonic()
    if due:
        with suppress(RuntimeError):  # the process is ending: `flush` runs at its exit
            _thread.submit(flush)


atexit.register(flush)
