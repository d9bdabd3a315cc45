"""Record when a device was last seen, to the quarter of an hour, without a statement in the request that shows it.

The look-up that every request of a device makes has already read `last_seen`. If that is in the present quarter,
nothing happens, which is the case for every request except the first ones of a quarter. Of these, the first one in each
process asks the cache who was first overall, and that one passes the write to the worker. The scan path therefore
neither writes nor waits for a row that all kiosks of a venue would update, and an unavailable worker or broker loses
the record, never the scan.
"""

import datetime as dt
from typing import Final

from django.core.cache import cache

from common.outage import Outage
from venues.services.devices import quarter
from venues.tasks import mark_seen

REMEMBERED_DEVICES: Final = 10_000

outage: Final = Outage("could not record when a device was last seen: cache or broker does not respond")
_asked: dict[int, dt.datetime] = {}
"""Device -> the quarter for which this process has asked the cache."""


def note(*, device_id: int, last_seen: dt.datetime | None, now: dt.datetime) -> None:
    """Make the worker write a device's `last_seen`, once in a quarter of an hour."""
    present = quarter(now)
    if (last_seen is not None and last_seen >= present) or _asked.get(device_id) == present:
        return
    if outage.lasts():
        return
    try:
        if cache.add(f"venues:seen:{device_id}:{present:%H%M}", 1, timeout=15 * 60):
            mark_seen.apply_async((device_id, present.isoformat()), retry=False, ignore_result=True)
        if len(_asked) >= REMEMBERED_DEVICES:
            _asked.clear()
        _asked[device_id] = present
        outage.clear()
    except Exception as error:  # their clients may raise anything, and the door must continue
        outage.note(error)
