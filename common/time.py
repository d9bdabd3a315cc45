"""The clock and the deployment's time zone.

A service takes `now` as an argument; only the edge (a view, a task, a command) asks the clock, once an operation.
"""

import datetime as dt
from typing import Final
from zoneinfo import ZoneInfo

from django.conf import settings
from django.utils import timezone

EPOCH_LENGTH: Final = dt.timedelta(hours=28)


def utc_now() -> dt.datetime:
    """The present, in UTC."""
    return timezone.now()


def deployment_zone() -> ZoneInfo:
    """The zone whose calendar days are epochs."""
    return ZoneInfo(settings.DEPLOYMENT_TIME_ZONE)


def epoch_end(day: dt.date) -> dt.datetime:
    """The end of a day's epoch, in UTC: 28 hours after its first instant in the deployment's zone.

    Where daylight saving skips midnight, the day begins at the end of the gap; of two midnights the first counts.
    """
    midnight = dt.datetime.combine(day, dt.time(), tzinfo=deployment_zone())
    return midnight.astimezone(dt.UTC) + EPOCH_LENGTH


def last_ended_day(moment: dt.datetime) -> dt.date:
    """The latest day whose epoch has ended at `moment`."""
    day = moment.astimezone(deployment_zone()).date()
    while epoch_end(day) > moment:
        day -= dt.timedelta(days=1)
    return day


def z(moment: dt.datetime) -> str:
    """UTC with `Z`, to the second, as every answer of the API writes a time."""
    return moment.astimezone(dt.UTC).replace(microsecond=0).isoformat().replace("+00:00", "Z")
