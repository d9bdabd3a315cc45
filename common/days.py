"""Calendar days of a time zone on the clock of the world. Pure; the zone is passed in."""

import datetime as dt
from zoneinfo import ZoneInfo


def first_instant(day: dt.date, zone: ZoneInfo) -> dt.datetime:
    """The start of a calendar day, in UTC.

    Where daylight saving skips midnight, the day begins at the end of the gap; of two midnights the first counts.
    """
    # fold=0 takes the offset before a gap, whose midnight is the gap's end, and the first of two midnights.
    return dt.datetime.combine(day, dt.time(), tzinfo=zone).astimezone(dt.UTC)


def last_begun_day(moment: dt.datetime, zone: ZoneInfo) -> dt.date:
    """The latest calendar day that has begun at `moment`."""
    # A clock that goes back over midnight shows the day before again, although the next day has begun.
    day = moment.astimezone(zone).date() + dt.timedelta(days=1)
    while first_instant(day, zone) > moment:
        day -= dt.timedelta(days=1)
    return day
