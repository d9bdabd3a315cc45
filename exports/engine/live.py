"""Rows of the table `live_crowd`: how busy areas were half an hour ago, in bands.

The counts are of people present now, so they are outside the guarantee of the release, and the table says so. These
rules prevent them from identifying anyone: only areas with three or more listed venues of verified organisations, whole
areas instead of venues, one of four bands instead of a number, fewer than five people always `empty`, and a delay of
half an hour to an hour.
"""

import datetime as dt
from typing import Any, Final

from common.time import z
from exports.dataset.tables import states_by_zip3
from exports.reads import heads_by_area
from passes.limits import EPOCH_LENGTH
from risk.scouting.occupancy import band

FEWEST_VENUES: Final = 3
LATE: Final = dt.timedelta(minutes=30)
# No stay is longer than an epoch.
LONGEST_STAY: Final = EPOCH_LENGTH


def counted_at(now: dt.datetime) -> dt.datetime:
    """Return the end of the last half hour that is old enough to be shown."""
    late = now.astimezone(dt.UTC) - LATE
    return late.replace(minute=late.minute // 30 * 30, second=0, microsecond=0)


def live_crowd(*, now: dt.datetime) -> list[list[Any]]:
    """Return the rows of the table `live_crowd`."""
    at, states = counted_at(now), states_by_zip3()
    found = heads_by_area(zips=sorted(states), since=at - LONGEST_STAY, at=at, fewest=FEWEST_VENUES)
    return [[area.zip3, states[area.zip3], z(at), area.venues, band(area.heads, max(1.0, area.most))] for area in found]
