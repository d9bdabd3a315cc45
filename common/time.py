"""The clock and the deployment's time zone.

A service takes `now` as an argument; only the edge (a view, a task, a command) asks the clock, once an operation.
"""

import datetime as dt
from zoneinfo import ZoneInfo

from django.conf import settings
from django.utils import timezone


def utc_now() -> dt.datetime:
    """The present, in UTC."""
    return timezone.now()


def deployment_zone() -> ZoneInfo:
    """The zone whose calendar days are epochs."""
    return ZoneInfo(settings.DEPLOYMENT_TIME_ZONE)


def z(moment: dt.datetime) -> str:
    """UTC with `Z`, to the second, as every answer of the API writes a time."""
    return moment.astimezone(dt.UTC).replace(microsecond=0).isoformat().replace("+00:00", "Z")
