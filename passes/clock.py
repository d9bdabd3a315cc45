"""The epochs of this deployment, and conversions to the times of the pure core."""

import datetime as dt
from functools import lru_cache
from zoneinfo import ZoneInfo

from common.time import deployment_zone
from passes.codec.epochs import Epoch, EpochCalendar


def calendar() -> EpochCalendar:
    """Return the calendar of the deployment's time zone."""
    return _calendar(deployment_zone())


@lru_cache(maxsize=8)
def _calendar(zone: ZoneInfo) -> EpochCalendar:
    return EpochCalendar(zone)


def epoch_of(date: dt.date) -> Epoch | None:
    """Return the epoch of a day; `None` if it cannot have passes: skipped by the zone, or outside of 1970 to 2105."""
    try:
        epoch = calendar().epoch_of(date)
    except (ValueError, OverflowError):
        return None
    return epoch if epoch.start >= 1 << 16 and epoch.end < 1 << 32 else None


def moment(seconds: float) -> dt.datetime:
    """Convert Unix seconds to a time in UTC."""
    return dt.datetime.fromtimestamp(seconds, dt.UTC)


def month_start(now: dt.datetime) -> dt.datetime:
    """Return the start of the month, in UTC, which is all that is stored of when a visitor was here."""
    return now.astimezone(dt.UTC).replace(day=1, hour=0, minute=0, second=0, microsecond=0)
