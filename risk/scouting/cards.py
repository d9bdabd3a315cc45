"""Scouting cards: what a venue is like now and usually, and what a stay would cost. Public, so never from answers.

The crowd task prepares what is expensive (`risk.scouting.curves`, `risk.crowd.usual`); a card is then read from a
handful of rows. Numbers of people enter coarsely (`risk.scouting.occupancy`).
"""

from __future__ import annotations

import datetime as dt
import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from functools import cached_property, lru_cache
from itertools import islice
from typing import Any, Final
from zoneinfo import ZoneInfo

import numpy as np
import numpy.typing as npt
from django.db import connection

from common.privacy import FEWEST_SHOWN
from passes.clock import calendar
from risk.crowd import venue_days
from risk.crowd.air import believed
from risk.crowd.parameters import parameters_in_force
from risk.crowd.usual import WEEK_H
from risk.crowd.venue_days import Floats
from risk.model.crowd_state import QUARTER_US
from risk.model.kinds import Kind
from risk.model.parameters import Parameters
from risk.model.rounding import shown_points
from risk.model.shield import BUDGETS, GONE_DAYS
from risk.reads import NEARBY_VENUES, PREPARED_VENUES
from risk.scouting.curves import MASKS, NODES, SHAPE, STAYS_H, bases_of, cost_of, curves_of, measured
from risk.scouting.occupancy import band, bands, coarse
from venues import places
from venues.hours import Interval, is_open, open_hours_ahead
from venues.models import Venue

HOURS_AHEAD: Final = 24
EVENTS_AHEAD: Final = dt.timedelta(days=14)
BEST: Final = 3
ALTERNATIVES: Final = 3
CANDIDATES: Final = 24
FITS_POINTS: Final = 100.0 / GONE_DAYS
"""A place fits a profile where an hour a day for a fortnight, without a mask, stays within its budget; our choice."""
_AN_HOUR: Final = (STAYS_H.index(1.0), MASKS.index(0.0))
"""Place in a curve of the cost that hours and alternatives are compared by: an hour without a mask."""


@dataclass(frozen=True, slots=True)
class _Prepared:
    """What is kept of one venue: costs, usual and expected crowd; ratings (count and means); measured air; events."""

    curve: Floats
    usual: npt.NDArray[np.float32]
    inside_from: int
    inside: npt.NDArray[np.int32]
    ratings: tuple[int, float, float]
    measured: tuple[float, float] | None
    events: tuple[Interval, ...]

    def heads_at(self, now: dt.datetime) -> float:
        """Check-ins inside now, as far as crowd state knows."""
        at = venue_days.microseconds(now) // QUARTER_US - self.inside_from
        return float(self.inside[at]) if 0 <= at < self.inside.size else 0.0


def _read_prepared(ids: Sequence[int], now: dt.datetime) -> dict[int, _Prepared]:
    """All that is kept of these venues. One statement."""
    with connection.cursor() as cursor:
        cursor.execute(PREPARED_VENUES, {"venues": list(ids), "now": now, "until": now + EVENTS_AHEAD})
        rows = cursor.fetchall()
    return {
        row[0]: _Prepared(
            curve=np.frombuffer(row[1], "<f8").reshape(SHAPE) if row[1] else np.zeros(0),
            usual=np.frombuffer(row[2], "<f4"),
            inside_from=row[3],
            inside=np.frombuffer(row[4], "<i4"),
            ratings=(row[5], row[6], row[7]),
            measured=None if row[8] is None else (row[8], row[9]),
            events=tuple(Interval(start, end) for start, end in zip(row[10] or (), row[11] or (), strict=True)),
        )
        for row in rows
    }


def cards_of(
    *, venues: Sequence[Venue], profile: str, now: dt.datetime, all_costs: bool = False
) -> list[dict[str, Any]]:
    """Scouting cards of venues that come with their organisation and requirements. Three statements, once prepared.

    ``all_costs``: every hour also says what each stay costs, with and without a mask.
    """
    if not venues:
        return []
    parameters = parameters_in_force()
    prepared = _read_prepared([venue.pk for venue in venues], now)
    _fill_in(prepared, parameters, now)
    near = _nearby(venues, BUDGETS[profile], now)
    epochs = [
        {"date": epoch.date, "start": epoch.start, "end": epoch.end}
        for epoch in calendar().open_epochs(now.timestamp())
    ]
    cards = [_Card(venue, prepared[venue.pk], parameters, now, all_costs) for venue in venues]
    return [
        card.answer(epochs=epochs, costs=now_costs, hour_costs=hour_costs, others=near.get(card.venue.pk, []))
        for card, (now_costs, hour_costs) in zip(cards, _costs_of(cards, BUDGETS[profile]), strict=True)
    ]


def _fill_in(prepared: dict[int, _Prepared], parameters: Parameters, now: dt.datetime) -> None:
    """Costs of venues that the crowd task has not come to yet."""
    missing = [pk for pk, known in prepared.items() if not known.curve.size]
    if not missing:
        return
    bases = [basis for basis, _known in bases_of(parameters, now, missing)]
    for basis, curve in zip(bases, curves_of(bases), strict=True):
        prepared[basis.venue] = replace(prepared[basis.venue], curve=curve)


@dataclass(frozen=True, slots=True)
class _Other:
    """A place of the same kind and area, with the points of an hour there now."""

    pk: int
    public_id: str
    name: str
    time_zone: str
    hours: str
    points: float

    def is_open(self, now: dt.datetime) -> bool:
        """Whether its weekly hours say so."""
        return _is_open(self.hours, self.time_zone, now)


@lru_cache(maxsize=1024)
def _is_open(hours: str, time_zone: str, now: dt.datetime) -> bool:
    """Venues of one search have each other as neighbours, so each is asked for many times."""
    return is_open(json.loads(hours), ZoneInfo(time_zone), now)


def _nearby(venues: Sequence[Venue], budget: float, now: dt.datetime) -> dict[int, list[_Other]]:
    """Prepared open venues of the same kind and area, cheapest first. One statement: neighbours share their answer."""
    asking: dict[tuple[str, str], list[int]] = {}
    for venue in venues:
        if venue.zip and places.place(venue.zip):
            asking.setdefault((venue.kind, venue.zip), []).append(venue.pk)
    if not asking:
        return {}
    node = NODES.itemsize
    with connection.cursor() as cursor:
        cursor.execute(
            NEARBY_VENUES,
            {
                "kinds": [kind for kind, _zip in asking],
                "zips": [zip_code for _kind, zip_code in asking],
                "from": 1 + node * NODES.size * (_AN_HOUR[0] * len(MASKS) + _AN_HOUR[1]),
                "bytes": node * NODES.size,
                "edge": venue_days.microseconds(now) // QUARTER_US,
                "most": CANDIDATES + 1,
            },
        )
        rows = cursor.fetchall()
    curves = np.frombuffer(b"".join(row[6] for row in rows), "<f8").reshape(-1, NODES.size)
    inside = np.frombuffer(b"".join(row[7] for row in rows), "<i4")
    points = cost_of(curves, coarse(inside), budget).tolist()
    found: dict[int, list[_Other]] = {}
    others = [
        (row[0], _Other(row[1], row[2], row[3], row[4], row[5], cost)) for row, cost in zip(rows, points, strict=True)
    ]
    for number, pks in enumerate(asking.values(), 1):
        group = [other for at, other in others if at == number]
        for pk in pks:
            around = [other for other in group if other.pk != pk][:CANDIDATES]
            found[pk] = sorted(around, key=lambda other: (other.points, other.pk))
    return found


@dataclass(frozen=True)
class _Card:
    """What one card is made from."""

    venue: Venue
    prepared: _Prepared
    parameters: Parameters
    now: dt.datetime
    all_costs: bool

    @property
    def limit(self) -> float:
        """People the doors let in."""
        asked = self.venue.requirements
        return 1.0 if asked is None else max(1.0, asked.capacity * asked.enforced_limit_percent / 100)

    @cached_property
    def heads(self) -> float:
        """Check-ins inside now, as far as is known."""
        return self.prepared.heads_at(self.now)

    @cached_property
    def open_hours(self) -> list[dt.datetime]:
        """The next hours it is open."""
        asked = self.venue.requirements
        hours = [] if asked is None else asked.hours
        return open_hours_ahead(hours, self.venue.zone, self.now, count=HOURS_AHEAD, events=self.prepared.events)

    def usual_heads(self) -> Floats:
        """Expected check-ins inside at the open hours; of the kind where nothing is known of the venue."""
        if not self.prepared.usual.size:
            people = self.parameters.priors[Kind(self.venue.kind)].usual_heads
            kind = min(people * self.parameters.adoption.value, self.limit)
            return np.full(len(self.open_hours), kind)
        local = [moment.astimezone(self.venue.zone) for moment in self.open_hours]
        return np.asarray(self.prepared.usual[[one.weekday() * 24 + one.hour for one in local]], np.float64)

    def answer(
        self,
        *,
        epochs: Sequence[Mapping[str, Any]],
        costs: Floats,
        hour_costs: Floats,
        others: Sequence[_Other],
    ) -> dict[str, Any]:
        """The card. ``costs`` (stays, masks) now, ``hour_costs`` (hours, stays, masks) at the open hours."""
        venue, an_hour = self.venue, float(costs[_AN_HOUR])
        hours = [self._hour(start, cost) for start, cost in zip(self.open_hours, hour_costs, strict=True)]
        air = believed((venue.kind, venue.volume_m3, venue.air_changes_per_h), self.parameters)
        if self.prepared.measured is not None:
            air = measured(air, *self.prepared.measured)
        low, high = air.interval()
        return {
            "id": venue.public_id,
            "name": venue.name,
            "kind": venue.kind,
            "zip": venue.zip,
            "organisation": venue.organisation.name,
            "epochs": epochs,
            "occupancy": {"band": band(self.heads, self.limit), "usual": self._usual()},
            "ratings": _ratings(*self.prepared.ratings),
            "air": {
                "source": "known" if air.source == "entered" else air.source,
                "ach_low": round(low, 2),
                "ach_high": round(high, 2),
            },
            "shield_cost": _costs(costs),
            "hours": hours,
            "best_hours": sorted(hours, key=lambda hour: (hour["shield_cost_60"], hour["start"]))[:BEST],
            "alternatives": self._alternatives(others, an_hour),
            "fits_profile": an_hour <= FITS_POINTS,
        }

    def _usual(self) -> list[list[str]]:
        usual = self.prepared.usual if self.prepared.usual.size else np.zeros(WEEK_H)
        found: list[list[str]] = bands(usual, self.limit).reshape(7, 24).tolist()
        return found

    def _hour(self, start: dt.datetime, costs: Floats) -> dict[str, Any]:
        hour = {"start": start, "shield_cost_60": shown_points(float(costs[_AN_HOUR]))}
        return hour | {"shield_cost": _costs(costs)} if self.all_costs else hour

    def _alternatives(self, others: Sequence[_Other], an_hour: float) -> list[dict[str, Any]]:
        """Open venues of the same kind nearby where an hour costs less, cheapest first."""
        cheaper = (other for other in others if other.points < an_hour and other.is_open(self.now))
        return [
            {"id": other.public_id, "name": other.name, "shield_cost_60": shown_points(other.points)}
            for other in islice(cheaper, ALTERNATIVES)
        ]


def _costs_of(cards: Sequence[_Card], budget: float) -> list[tuple[Floats, Floats]]:
    """Of each card, points (stays, masks) now and (hours, stays, masks) at its open hours; all computed at once."""
    moments = [1 + len(card.open_hours) for card in cards]
    heads = coarse(np.concatenate([np.append(card.heads, card.usual_heads()) for card in cards]))
    curves = np.repeat(np.stack([card.prepared.curve for card in cards]), moments, axis=0)
    costs = np.split(cost_of(curves, heads[:, None, None], budget), np.cumsum(moments)[:-1])
    return [(of[0], of[1:]) for of in costs]


def _costs(costs: Floats) -> dict[str, dict[str, float]]:
    """Points (stays, masks) as a card says them."""
    return {
        f"{stay * 60:.0f}": {"mask": shown_points(row[0]), "no_mask": shown_points(row[1])}
        for stay, row in zip(STAYS_H, costs, strict=True)
    }


def _ratings(count: int, masks: float, distancing: float) -> Mapping[str, float | int | None]:
    """About how many ratings and their means, from the statistics of closed days; none where noise hides them."""
    if count < FEWEST_SHOWN:
        return {"count": None, "masks": None, "distancing": None}
    return {"count": count, "masks": masks, "distancing": distancing}
