"""Many places at once: whether each is open, and the cost of an hour there from now. One statement."""

from __future__ import annotations

import datetime as dt
import json
from collections.abc import Sequence
from dataclasses import dataclass
from functools import lru_cache
from typing import Any, Final
from zoneinfo import ZoneInfo

import numpy as np
from django.db import connection

from risk.crowd import venue_days
from risk.crowd.venue_days import Floats
from risk.model.crowd_state import QUARTER_US
from risk.model.kinds import Kind
from risk.model.parameters import Parameters
from risk.reads import GLANCES, NEARBY_VENUES
from risk.scouting.curves import AN_HOUR, MASKS, NODES, cost_of, prepared_curves
from risk.scouting.expected import UNKNOWN, believed_crowd, count_now, during, kind_crowd
from venues.hours import EVENT_LEAD, is_open
from venues.models import zone_names

_STAY_H: Final = 1.0


@dataclass(frozen=True, slots=True)
class Glance:
    """A place, with the points of an hour there from now on, without a mask."""

    pk: int
    public_id: str
    name: str
    zip: str
    open: bool
    points: float


def glances_of(venues: Sequence[int], *, parameters: Parameters, budget: float, now: dt.datetime) -> list[Glance]:
    """Return these places, in no particular order; one more statement if some have no costs yet."""
    if not venues:
        return []
    with connection.cursor() as cursor:
        cursor.execute(GLANCES, _asked(now) | {"venues": list(venues)})
        rows = cursor.fetchall()
    return _glances(rows, parameters, budget, now)


def nearby(
    places: Sequence[tuple[str, str]], *, most: int, parameters: Parameters, budget: float, now: dt.datetime
) -> dict[tuple[str, str], list[Glance]]:
    """Return prepared verified places for each (kind, zip): of that kind and area, at most ``most`` each."""
    asked = list(dict.fromkeys(places))
    if not asked:
        return {}
    kinds, areas = ([each[part] for each in asked] for part in (0, 1))
    with connection.cursor() as cursor:
        cursor.execute(NEARBY_VENUES, _asked(now) | {"kinds": kinds, "zips": areas, "most": most})
        rows = cursor.fetchall()
    found: dict[tuple[str, str], list[Glance]] = {each: [] for each in asked}
    for row, glance in zip(rows, _glances([row[1:] for row in rows], parameters, budget, now), strict=True):
        found[asked[row[0] - 1]].append(glance)
    return found


@lru_cache(maxsize=2)
def slots_by_zone(hour: dt.datetime) -> str:
    """Return the hour of the week, Monday first, of a time in every time zone, as JSON.

    It is passed to the database, whose time zones differ from Python's.
    """
    local = {name: hour.astimezone(zone) for name, zone in _zones().items()}
    return json.dumps({name: moment.weekday() * 24 + moment.hour for name, moment in local.items()})


@lru_cache(maxsize=1)
def _zones() -> dict[str, ZoneInfo]:
    """Return every time zone, read once, because Python caches only the most recent ones."""
    return {name: ZoneInfo(name) for name in zone_names()}


def _asked(now: dt.datetime) -> dict[str, Any]:
    node = NODES.itemsize
    return {
        "now": now,
        "lead": EVENT_LEAD,
        "edge": venue_days.microseconds(now) // QUARTER_US,
        "from": 1 + node * NODES.size * (AN_HOUR[0] * len(MASKS) + AN_HOUR[1]),
        "bytes": node * NODES.size,
        # Zones differ by multiples of a quarter-hour.
        "slots": slots_by_zone(now.replace(minute=now.minute - now.minute % 15, second=0, microsecond=0)),
    }


def _glances(rows: Sequence[Any], parameters: Parameters, budget: float, now: dt.datetime) -> list[Glance]:
    points = _points(rows, parameters, budget, now).tolist()
    minute = now.replace(second=0, microsecond=0)  # hours begin and end on a whole minute
    return [
        Glance(row[0], row[1], row[2], row[3], row[8] or _is_open(row[6], row[5], minute), cost)
        for row, cost in zip(rows, points, strict=True)
    ]


def _points(rows: Sequence[Any], parameters: Parameters, budget: float, now: dt.datetime) -> Floats:
    missing = [row[0] for row in rows if not row[9]]
    fresh = {pk: curve[AN_HOUR] for pk, curve in prepared_curves(missing, parameters, now).items()}
    curves = np.array([np.frombuffer(row[9], "<f8") if row[9] else fresh[row[0]] for row in rows]).reshape(
        -1, NODES.size
    )
    kinds = {name: Kind(name) for name in {row[4] for row in rows}}
    dwells = {name: parameters.priors[kind].usual_dwell_h for name, kind in kinds.items()}
    kind = np.array([kind_crowd(parameters, kinds[row[4]], max(1.0, float(row[7])), row[12]) for row in rows])
    inside = np.array([np.frombuffer(row[10], "<i4")[0] if row[10] else 0 for row in rows], np.float64)
    usual = np.array([np.frombuffer(row[11], "<f4")[0] if row[11] else UNKNOWN for row in rows], np.float64)
    seen = count_now(inside, np.array([bool(row[11]) for row in rows]))
    crowds = during(
        believed_crowd(kind, usual),
        np.where(np.isfinite(seen), believed_crowd(kind, seen), UNKNOWN),
        ahead_h=0.0,
        stay_h=_STAY_H,
        dwell_h=np.array([dwells[row[4]] for row in rows]),
    )
    return cost_of(curves, crowds, budget)


@lru_cache(maxsize=4096)
def _is_open(hours: str, time_zone: str, now: dt.datetime) -> bool:
    """Return whether a place is open, cached: places share hours, and each is a neighbour of many."""
    return is_open(json.loads(hours), _zones().get(time_zone) or ZoneInfo(time_zone), now)
