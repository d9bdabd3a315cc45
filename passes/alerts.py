"""Who of the members that asked for it is to be told that a place fills up. Numbers of people, never people."""

import datetime as dt
from dataclasses import dataclass
from typing import Final

from passes.selectors import heads_inside
from venues.fullness import Fullness, Level
from venues.selectors import watched
from venues.services.alerts import end_crossings

PAUSE: Final = dt.timedelta(minutes=30)
"""Between two mails about a place, at least: one that hovers at its share is told of twice an hour at most."""


@dataclass(frozen=True, slots=True)
class Due:
    """A member to tell, by the row that says so, and how many were inside."""

    alert_id: int
    heads: int


def watch_capacity(*, now: dt.datetime) -> list[Due]:
    """Look at every place that somebody wants to be told of: at most three statements, whatever their number.

    A crossing is over once the place is seen below its alert, after the pause. Twice does no more than once: a mail
    marks its row.
    """
    rows = list(watched())
    heads = heads_inside({row.venue_id for row in rows}, now) if rows else {}
    levels = {row.pk: Fullness(row.venue, heads.get(row.venue_id, 0)).level for row in rows}
    rested = (row.pk for row in rows if row.told_at is not None and row.told_at <= now - PAUSE)
    over = [alert_id for alert_id in rested if levels[alert_id] == Level.CALM]
    if over:
        end_crossings(alert_ids=over)
    return [
        Due(row.pk, heads.get(row.venue_id, 0)) for row in rows if row.told_at is None and levels[row.pk] != Level.CALM
    ]
