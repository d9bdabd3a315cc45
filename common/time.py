"""The clock and the deployment's time zone.

A service takes `now` as an argument; only the edge (a view, a task, a command) reads the clock, once per operation.
"""

import datetime as dt
from zoneinfo import ZoneInfo

from django.conf import settings
from django.utils import timezone


def utc_now() -> dt.datetime:
    """Return the current time, in UTC."""
    return timezone.now()


def deployment_zone() -> ZoneInfo:
    """Return the time zone whose calendar days are epochs."""
    return ZoneInfo(settings.DEPLOYMENT_TIME_ZONE)


def z(moment: dt.datetime) -> str:
    """Return a time in UTC with `Z`, to the second, as every API response writes it."""
    return moment.astimezone(dt.UTC).replace(microsecond=0).isoformat().replace("+00:00", "Z")
