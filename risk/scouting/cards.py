"""Scouting cards: what a venue is like now and usually, and what a stay would cost. Public, so never from answers.

The crowd task prepares what is expensive (`risk.scouting.curves`, `risk.crowd.usual`); a card is then read from a few
rows. Numbers of people are rounded coarsely (`risk.scouting.occupancy`), and the numbers for now and for every hour
ahead come from one estimate (`risk.scouting.expected`).
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from functools import cached_property
from itertools import islice
from typing import Any, Final

import numpy as np
import numpy.typing as npt
from django.db import connection

from common.privacy import FEWEST_SHOWN
from passes.clock import calendar
from risk.crowd import venue_days
from risk.crowd.air import Facts, believed, measured_air
from risk.crowd.parameters import parameters_in_force
from risk.crowd.usual import WEEK_H
from risk.crowd.venue_days import Floats
from risk.model.adoption import people_per_check_in
from risk.model.constants import Constant
from risk.model.crowd_state import QUARTER_US
from risk.model.kinds import Kind
from risk.model.parameters import Parameters
from risk.model.rounding import shown_points
from risk.model.shield import BUDGETS, GONE_DAYS
from risk.reads import PREPARED_VENUES
from risk.scouting.curves import AN_HOUR, SHAPE, STAYS_H, cost_of, prepared_curves
from risk.scouting.expected import UNKNOWN, believed_crowd, count_now, during, kind_crowd
from risk.scouting.glances import Glance, nearby
from risk.scouting.occupancy import band, bands
from venues import places
from venues.hours import Interval, next_change, open_hours_ahead
from venues.models import Venue

HOURS_AHEAD: Final = 24
EVENTS_AHEAD: Final = dt.timedelta(days=14)
BEST: Final = 3
ALTERNATIVES: Final = 3
CANDIDATES: Final = 24
FITS_POINTS: Final = 100.0 / GONE_DAYS
"""A place fits a profile if an hour a day for a fortnight, without a mask, stays within its budget; our choice."""
_HOUR: Final = dt.timedelta(hours=1)


@dataclass(frozen=True, slots=True)
class _Prepared:
    """Stored inputs of one venue: costs, usual and expected crowd; ratings (count and means); measured air; events."""

    curve: Floats
    usual: npt.NDArray[np.float32]
    inside_from: int
    inside: npt.NDArray[np.int32]
    ratings: tuple[int, float, float]
    measured: tuple[float, float] | None
    events: tuple[Interval, ...]
    adoption: tuple[Constant, str] | None
    """The venue's own, and what it rests on, if it differs from the deployment's."""

    def heads_at(self, now: dt.datetime) -> float:
        """Return the check-ins inside now, according to crowd state."""
        at = venue_days.microseconds(now) // QUARTER_US - self.inside_from
        return float(self.inside[at]) if 0 <= at < self.inside.size else 0.0


def _read_prepared(ids: Sequence[int], now: dt.datetime) -> dict[int, _Prepared]:
    """Read the stored inputs of these venues, in one statement."""
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
            adoption=_own_adoption(*row[12:16]),
        )
        for row in rows
    }


def _own_adoption(share: float | None, low: float, high: float, source: str) -> tuple[Constant, str] | None:
    return None if share is None else (Constant(share, low, high, "share", "of the people at the venue"), source)


def cards_of(
    *, venues: Sequence[Venue], profile: str, now: dt.datetime, all_costs: bool = False
) -> list[dict[str, Any]]:
    """Return scouting cards of venues loaded with their organisation and requirements; three statements once prepared.

    ``all_costs``: add the cost of each stay, with and without a mask, to every hour.
    """
    if not venues:
        return []
    parameters = parameters_in_force()
    prepared = _read_prepared([venue.pk for venue in venues], now)
    _fill_in(prepared, parameters, now)
    asked = {venue.pk: (venue.kind, venue.zip) for venue in venues if venue.zip and places.place(venue.zip)}
    near = nearby(list(asked.values()), most=CANDIDATES + 1, parameters=parameters, budget=BUDGETS[profile], now=now)
    epochs = [
        {"date": epoch.date, "start": epoch.start, "end": epoch.end}
        for epoch in calendar().open_epochs(now.timestamp())
    ]
    cards = [_Card(venue, prepared[venue.pk], parameters, now, all_costs) for venue in venues]
    return [
        card.answer(epochs=epochs, costs=costs, others=near.get(asked.get(card.venue.pk, ("", "")), []))
        for card, costs in zip(cards, _costs_of(cards, BUDGETS[profile]), strict=True)
    ]


def _fill_in(prepared: dict[int, _Prepared], parameters: Parameters, now: dt.datetime) -> None:
    """Compute costs of venues that the crowd task has not reached yet."""
    missing = [pk for pk, known in prepared.items() if not known.curve.size]
    for pk, curve in prepared_curves(missing, parameters, now).items():
        prepared[pk] = replace(prepared[pk], curve=curve)


@dataclass(frozen=True)
class _Card:
    """The inputs of one card."""

    venue: Venue
    prepared: _Prepared
    parameters: Parameters
    now: dt.datetime
    all_costs: bool

    @property
    def limit(self) -> float:
        """Return the number of people that the doors admit."""
        asked = self.venue.requirements
        return 1.0 if asked is None else max(1.0, asked.capacity * asked.enforced_limit_percent / 100)

    @cached_property
    def heads(self) -> float:
        """Return the check-ins inside now, as far as known."""
        return self.prepared.heads_at(self.now)

    @cached_property
    def hours(self) -> list[list[list[int]]]:
        """Return the weekly opening hours."""
        asked = self.venue.requirements
        return [] if asked is None else asked.hours

    @cached_property
    def open_hours(self) -> list[dt.datetime]:
        """Return the next open hours, the present one first if the venue is open now."""
        events = self.prepared.events
        return open_hours_ahead(self.hours, self.venue.zone, self.now, count=HOURS_AHEAD, events=events)

    @cached_property
    def seen(self) -> Floats:
        """Return the check-ins inside now, as far as their number is informative."""
        return count_now(self.heads, self.prepared.usual.size > 0)

    @property
    def counted(self) -> bool:
        """Return whether check-ins show how full it is now; otherwise it counts as a usual place of its kind."""
        return bool(np.isfinite(self.seen))

    @cached_property
    def crowds(self) -> Floats:
        """Return expected check-ins (hours, stays) of stays that begin in the open hours, or now if it never opens."""
        starts = self.open_hours or [self.now]
        prior = self.parameters.priors[Kind(self.venue.kind)]
        own = None if self.prepared.adoption is None else self.prepared.adoption[0].value
        kind = kind_crowd(self.parameters, Kind(self.venue.kind), self.limit, own)
        ahead = np.array([max(0.0, (start - self.now) / _HOUR) for start in starts])
        present = np.where(self.counted, believed_crowd(kind, self.seen), UNKNOWN)
        usual = believed_crowd(kind, self._usual_heads(starts))
        stays = np.array(STAYS_H)
        return during(usual[:, None], present, ahead_h=ahead[:, None], stay_h=stays, dwell_h=prior.usual_dwell_h)

    def _usual_heads(self, starts: Sequence[dt.datetime]) -> Floats:
        """Return the usual check-ins inside at some hours, as far as they were observed."""
        if not self.prepared.usual.size:
            return np.full(len(starts), UNKNOWN)
        local = [moment.astimezone(self.venue.zone) for moment in starts]
        return np.asarray(self.prepared.usual[[one.weekday() * 24 + one.hour for one in local]], np.float64)

    @cached_property
    def air(self) -> dict[str, Any]:
        """Return air changes per hour; until CO2 is measured, declared ones show as the best of the kind at most."""
        venue, verified = self.venue, self.venue.organisation.verified
        facts = Facts(venue.kind, venue.volume_m3, venue.air_changes_per_h, verified)
        found = believed(facts, self.parameters)
        if self.prepared.measured is not None:
            found = measured_air(found, facts, self.parameters, *self.prepared.measured)
        low, high = found.interval()
        if found.source == "entered" or not verified:
            most = self.parameters.priors[Kind(venue.kind)].air_changes_per_h.high
            low, high = min(low, most), min(high, most)
        source = "known" if found.source == "entered" else found.source
        return {"source": source, "ach_low": round(low, 2), "ach_high": round(high, 2)}

    @cached_property
    def coverage(self) -> dict[str, Any]:
        """Return the number of people present for each check-in, and what it rests on."""
        own, source = self.prepared.adoption or (self.parameters.adoption, "assumed")
        people = people_per_check_in(own)
        shown = {"people": people.value, "low": people.low, "high": people.high}
        return {name: round(value, 1) for name, value in shown.items()} | {"source": source}

    def answer(self, *, epochs: Sequence[Mapping[str, Any]], costs: Floats, others: Sequence[Glance]) -> dict[str, Any]:
        """Return the card. ``costs``: points (hours, stays, masks) at the open hours."""
        venue, an_hour = self.venue, float(costs[0][AN_HOUR])
        hours = [self._hour(start, cost) for start, cost in zip(self.open_hours, costs, strict=False)]
        is_open, changes_at = next_change(self.hours, venue.zone, self.now, events=self.prepared.events)
        return {
            "id": venue.public_id,
            "name": venue.name,
            "kind": venue.kind,
            "zip": venue.zip,
            "organisation": venue.organisation.name,
            "verified": venue.organisation.verified,
            "open": is_open,
            "changes_at": changes_at,
            "opening_hours": self.hours,
            "time_zone": venue.time_zone,
            "epochs": epochs,
            "counted": self.counted,
            "occupancy": {"band": band(self.heads, self.limit), "usual": self._usual()},
            "ratings": _ratings(*self.prepared.ratings),
            "air": self.air,
            "coverage": self.coverage,
            "shield_cost": _costs(costs[0]),
            "hours": hours,
            "best_hours": sorted(hours, key=lambda hour: (hour["shield_cost_60"], hour["start"]))[:BEST],
            "alternatives": self._alternatives(others, an_hour),
            "fits_profile": fits_profile(an_hour),
        }

    def _usual(self) -> list[list[str]]:
        usual = np.nan_to_num(self.prepared.usual) if self.prepared.usual.size else np.zeros(WEEK_H)
        found: list[list[str]] = bands(usual, self.limit).reshape(7, 24).tolist()
        return found

    def _hour(self, start: dt.datetime, costs: Floats) -> dict[str, Any]:
        hour = {"start": start, "shield_cost_60": shown_points(float(costs[AN_HOUR]))}
        return hour | {"shield_cost": _costs(costs)} if self.all_costs else hour

    def _alternatives(self, others: Sequence[Glance], an_hour: float) -> list[dict[str, Any]]:
        """Return open verified venues of this kind and ZIP area that show a lower cost for an hour, cheapest first."""
        around = [other for other in others if other.pk != self.venue.pk][:CANDIDATES]
        shown = shown_points(an_hour)
        cheaper = (other for other in around if other.open and shown_points(other.points) < shown)
        return [
            {
                "id": other.public_id,
                "name": other.name,
                "zip": other.zip,
                "shield_cost_60": shown_points(other.points),
            }
            for other in islice(sorted(cheaper, key=lambda other: (other.points, other.pk)), ALTERNATIVES)
        ]


def fits_profile(points: float) -> bool:
    """Return whether a cost is within the limit of a visit, as both are shown."""
    return shown_points(points) <= FITS_POINTS


def _costs_of(cards: Sequence[_Card], budget: float) -> list[Floats]:
    """Return points (hours, stays, masks) at the open hours of each card, computed together."""
    counts = [card.crowds.shape[0] for card in cards]
    crowds = np.concatenate([card.crowds for card in cards])
    curves = np.repeat(np.stack([card.prepared.curve for card in cards]), counts, axis=0)
    return np.split(cost_of(curves, crowds[:, :, None], budget), np.cumsum(counts)[:-1])


def _costs(costs: Floats) -> dict[str, dict[str, float]]:
    """Return points (stays, masks) in the form of a card."""
    return {
        f"{stay * 60:.0f}": {"mask": shown_points(row[0]), "no_mask": shown_points(row[1])}
        for stay, row in zip(STAYS_H, costs, strict=True)
    }


def _ratings(count: int, masks: float, distancing: float) -> Mapping[str, float | int | None]:
    """Return the approximate number of ratings and their means, from closed days; nulls where noise hides them."""
    if count < FEWEST_SHOWN:
        return {"count": None, "masks": None, "distancing": None}
    return {"count": count, "masks": masks, "distancing": distancing}
