"""The truth of a town, as tables of columns. It is kept apart from the product, because it joins everything."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import numpy as np
import numpy.typing as npt

from crowdtrace.town.world.town import Town, TownDay
from risk.model.visits import KINDS

Table = dict[str, npt.NDArray[np.generic]]


def visits_of(day: TownDay, town: Town) -> Table:
    """Return one row per stay: person, place, times (seconds from local midnight), what was emitted and inhaled."""
    stays = day.stays
    return {
        "day": np.full(stays.size, day.number),
        "person": stays.person,
        "venue": stays.venue,
        "arrive_s": stays.arrive_s,
        "leave_s": stays.leave_s,
        "has_app": town.people.has_app[stays.person],
        "infectious": day.infectious[stays.person],
        "emission": day.emission,
        "masks": day.masks,
        "quanta": day.quanta,
        "near": day.near,
    }


def infections_of(day: TownDay) -> Table:
    """Return one row per infection: venue -1 is at home, -2 out of town; infector -1 is unknown."""
    caught = day.caught
    return {
        "day": np.full(caught.person.size, day.number),
        "person": caught.person,
        "venue": caught.venue,
        "infector": caught.infector,
        "infector_felt_ill": caught.infector_felt_ill,
    }


def people_of(town: Town) -> Table:
    """Return one row per person, with the course of an infection if there was one (else a day that never comes)."""
    people, infections = town.people, town.infections
    return {
        "zip3": np.array(town.areas.zip3)[people.area],
        "household": people.household,
        "has_app": people.has_app,
        "honest": people.honest,
        "infected_day": infections.day,
        "onset_day": infections.onset,
        "symptomatic": infections.symptomatic,
        "load": infections.load,
        "known_from_day": infections.known_from,
    }


def venues_of(town: Town) -> Table:
    """Return one row per venue, with its true air and customs."""
    venues = town.venues
    return {
        "id": np.array(venues.public_id),
        "kind": np.array([KINDS[index].value for index in venues.kind]),
        "zip3": np.array(town.areas.zip3)[venues.area],
        "volume_m3": venues.volume_m3,
        "air_changes_per_h": venues.air_changes_per_h,
        "masks": venues.masks,
        "distancing": venues.distancing,
    }


def joined(parts: Sequence[Mapping[str, npt.NDArray[np.generic]]]) -> Table:
    """Concatenate tables of the same columns."""
    return {name: np.concatenate([part[name] for part in parts]) for name in parts[0]} if parts else {}
