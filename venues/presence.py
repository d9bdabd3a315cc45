"""When a device was last seen, to the quarter of an hour, without a statement in the request that shows it.

The look-up that every request of a device makes has read `last_seen` already. Where it lies in the present quarter
there is nothing to do: that is every request but the first ones of a quarter. Of those the first one in each process
asks the cache who was first of all, and that one hands the write to the worker. So the scan path neither writes nor
waits for a row that all kiosks of a venue would touch, and an absent worker or broker costs the note, never the scan.
"""

import datetime as dt
import logging
from typing import Final

from django.core.cache import cache

from venues.services.devices import quarter
from venues.tasks import mark_seen

REMEMBERED_DEVICES: Final = 10_000

_log = logging.getLogger(__name__)
_asked: dict[int, dt.datetime] = {}
"""Device -> the quarter for which this process has asked the cache."""


def note(*, device_id: int, last_seen: dt.datetime | None, now: dt.datetime) -> None:
    """Have a device's `last_seen` written by the worker, once a quarter of an hour."""
    present = quarter(now)
    if (last_seen is not None and last_seen >= present) or _asked.get(device_id) == present:
        return
    try:
        if cache.add(f"venues:seen:{device_id}:{present:%H%M}", 1, timeout=15 * 60):
            mark_seen.apply_async((device_id, present.isoformat()), retry=False, ignore_result=True)
        if len(_asked) >= REMEMBERED_DEVICES:
            _asked.clear()
        _asked[device_id] = present
    except Exception:  # cache or broker are away: their clients raise what they like, and the door must go on
        _log.warning("last seen of a device was not noted: cache or broker do not answer")
