"""Calendar days of a time zone. Pure: the zone is an argument."""

import datetime as dt
from zoneinfo import ZoneInfo


def first_instant(day: dt.date, zone: ZoneInfo) -> dt.datetime:
    """Return the start of a calendar day, in UTC.

    If daylight saving time skips midnight, the day begins at the end of the gap; if midnight occurs twice, the first
    counts.
    """
    # fold=0 takes the offset before a gap, which gives the end of the gap, and the first of two midnights.
    return dt.datetime.combine(day, dt.time(), tzinfo=zone).astimezone(dt.UTC)


def last_begun_day(moment: dt.datetime, zone: ZoneInfo) -> dt.date:
    """Return the latest calendar day that has begun at `moment`."""
    # A clock that goes back over midnight shows the previous day again, although the next day has begun.
    day = moment.astimezone(zone).date() + dt.timedelta(days=1)
    while first_instant(day, zone) > moment:
        day -= dt.timedelta(days=1)
    return day
