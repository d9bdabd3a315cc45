"""Times as the clock on a wall shows them: those that a clock change skips, those that come twice. Pure.

`days_and_times` writes a span for people, in the active language.
"""

import datetime as dt
from zoneinfo import ZoneInfo

from django.utils.formats import date_format, time_format
from django.utils.translation import gettext as _

from venues.hours import clock_change


def instants(wall: dt.datetime, zone: ZoneInfo) -> list[dt.datetime]:
    """Every instant (UTC) at which a clock in the zone shows a naive time: one, none (skipped) or two, in order."""
    both = {wall.replace(tzinfo=zone, fold=fold).astimezone(dt.UTC) for fold in (0, 1)}
    return sorted(one for one in both if wall_time(one, zone) == wall)


def wall_time(instant: dt.datetime, zone: ZoneInfo) -> dt.datetime:
    """Return what a clock in the zone shows at an instant, naive."""
    return instant.astimezone(zone).replace(tzinfo=None, fold=0)


def coming(instant: dt.datetime, zone: ZoneInfo) -> int:
    """0 for the first or only time at which the clock shows what it shows at an instant, 1 for the second."""
    return instant.astimezone(zone).fold


def skipped(wall: dt.datetime, zone: ZoneInfo) -> tuple[dt.time, dt.time]:
    """From which time to which the clock jumps over a naive time that it never shows."""
    change = clock_change(wall, zone)
    before, after = change - dt.timedelta(seconds=1), change
    return (wall_time(before, zone) + dt.timedelta(seconds=1)).time(), wall_time(after, zone).time()


def moment_words(moment: dt.datetime, zone: ZoneInfo) -> str:
    """Return a moment by the clock of a place, with its day."""
    local = moment.astimezone(zone)
    return _("%(day)s, %(time)s") % {
        "day": date_format(local, "DATE_FORMAT"),
        "time": time_format(local, "TIME_FORMAT"),
    }


def days_and_times(starts_at: dt.datetime, ends_at: dt.datetime, zone: ZoneInfo) -> str:
    """Return a span by the clock of a place: its day.

    Or both of its days; the zone's names where that clock changes in it.
    """
    start, end = starts_at.astimezone(zone), ends_at.astimezone(zone)
    names = start.utcoffset() != end.utcoffset() or start.fold or end.fold
    values = {
        "day": date_format(start, "DATE_FORMAT"),
        "starts": _time(start, named=bool(names)),
        "last_day": date_format(end, "DATE_FORMAT"),
        "ends": _time(end, named=bool(names)),
    }
    if start.date() == end.date():
        return _("%(day)s, %(starts)s–%(ends)s") % values
    return _("%(day)s, %(starts)s – %(last_day)s, %(ends)s") % values


def _time(local: dt.datetime, *, named: bool) -> str:
    time = time_format(local, "TIME_FORMAT")
    return f"{time} {local:%Z}" if named else time
