"""The areas of the town and its venues."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

import numpy as np
import numpy.typing as npt

from crowdtrace.town.world.habits import RATES, SATURDAY, WORK
from crowdtrace.town.world.plan import TownPlan
from crowdtrace.town.world.streams import seeded_id, stream
from risk.model.air import log_sd
from risk.model.kinds import Kind
from risk.model.visits import KIND_INDEX, KINDS
from venues.places import nearest, places

Floats = npt.NDArray[np.float64]
Ints = npt.NDArray[np.int64]
Bools = npt.NDArray[np.bool_]

VENUES_AN_AREA: Final = 6
MOST_AREAS: Final = 60
AREAS_A_REGION: Final = 5
ALL_DAY_MIN: Final = 1440
# With fewer venues than kinds, the kinds that a town cannot do without come first.
_FIRST_KINDS: Final = (
    Kind.SUPERMARKET, Kind.RESTAURANT, Kind.OFFICE, Kind.SCHOOL, Kind.TRANSPORT, Kind.BAR, Kind.RETAIL, Kind.WORSHIP,
    Kind.GYM, Kind.MEDICAL, Kind.MANUFACTURING, Kind.THEATRE, Kind.OUTDOORS, Kind.HOME, Kind.SPORT, Kind.HOTEL,
    Kind.OTHER,
)  # fmt: skip
_NAMES: Final = ("Ash", "Birch", "Cedar", "Dogwood", "Elm", "Fir", "Hazel", "Juniper", "Larch", "Maple", "Oak", "Pine")
_WHAT: Final = {
    Kind.SCHOOL: "School", Kind.MEDICAL: "Clinic", Kind.OFFICE: "Offices", Kind.MANUFACTURING: "Works",
    Kind.RESTAURANT: "Kitchen", Kind.BAR: "Taproom", Kind.RETAIL: "Store", Kind.SUPERMARKET: "Market",
    Kind.GYM: "Gym", Kind.WORSHIP: "Chapel", Kind.THEATRE: "Theatre", Kind.TRANSPORT: "Line", Kind.HOTEL: "Hotel",
    Kind.HOME: "House", Kind.OUTDOORS: "Park", Kind.SPORT: "Arena", Kind.OTHER: "Rooms",
}  # fmt: skip


@dataclass(frozen=True, slots=True)
class Areas:
    """Three-digit ZIP areas: codes, the region each belongs to, and its share of people."""

    zip3: tuple[str, ...]
    region: Ints
    share: Floats


@dataclass(frozen=True, slots=True)
class TownVenues:
    """n venues, as columns.

    ``public_id``, ``name``: texts. ``kind``: index into `risk.model.visits.KINDS`. ``area``: row of `Areas`.
    ``opens``, ``closes`` (n, 2): minutes on weekdays and weekends, both 0 if closed. ``volume_m3``,
    ``air_changes_per_h``: the truth; ``volume_known``: whether the venue reports its volume. ``capacity``: people.
    ``masks``, ``distancing``: true mean shares of the crowd. ``refuses`` (n, 4): answers of yes that exclude visitors.
    """

    public_id: tuple[str, ...]
    name: tuple[str, ...]
    kind: Ints
    area: Ints
    opens: Ints
    closes: Ints
    volume_m3: Floats
    volume_known: Bools
    air_changes_per_h: Floats
    capacity: Ints
    masks: Floats
    distancing: Floats
    refuses: Bools

    @property
    def size(self) -> int:
        """Return the number of venues."""
        return int(self.kind.size)

    def hours(self, row: int) -> list[list[list[int]]]:
        """Return weekly hours in the form of `venues.hours`."""
        spans = [[int(self.opens[row, part]), int(self.closes[row, part])] for part in (0, 1)]
        return [[spans[int(day >= SATURDAY)]] if spans[int(day >= SATURDAY)][1] else [] for day in range(7)]


def make_areas(plan: TownPlan) -> Areas:
    """Choose areas around one or more places of the country, each region with its nearest neighbours."""
    count = int(np.clip(plan.venues // VENUES_AN_AREA, 1, MOST_AREAS))
    random = stream(plan.seed, "areas")
    known = sorted(zip3 for zip3, place in places().items() if place.latitude is not None)
    found: list[str] = []
    regions: list[int] = []
    while len(found) < count:
        anchor = str(random.choice(known))
        near = [zip3 for zip3 in nearest(anchor) if zip3 in set(known) - set(found)]
        for zip3 in near[: min(AREAS_A_REGION, count - len(found))]:
            found.append(zip3)
            regions.append((len(found) - 1) // AREAS_A_REGION)
    weight = random.gamma(2.0, 1.0, count) + 0.2
    return Areas(tuple(found), np.array(regions, np.int64), weight / weight.sum())


def make_venues(plan: TownPlan, areas: Areas) -> TownVenues:
    """Create all venues: kinds by share, areas by people, rooms sized for their usual crowd."""
    random = stream(plan.seed, "venues")
    kind = np.array([KIND_INDEX[one] for one in _kinds(plan.venues)], np.int64)
    n = kind.size
    habits = [RATES[KINDS[index]] for index in kind]
    priors = [plan.parameters.priors[KINDS[index]] for index in kind]
    opens = np.array([[one.opens, one.weekend[0] if one.weekend else 0] for one in habits], np.int64)
    closes = np.array([[one.closes, one.weekend[1] if one.weekend else 0] for one in habits], np.int64)
    never_closes = np.isin(kind, [KIND_INDEX[one] for one in plan.all_day])
    opens[never_closes], closes[never_closes] = 0, ALL_DAY_MIN
    heads = _usual_heads(plan, kind)
    # A room is sized for its crowd, so that small and large towns are about equally dense.
    crowd = np.clip(heads / np.array([prior.usual_heads for prior in priors]), 0.2, 200.0)
    spread = random.normal(0.0, [log_sd(prior.volume_m3) * 0.5 for prior in priors])
    volume = np.maximum(20.0, np.array([prior.volume_m3.value for prior in priors]) * crowd * np.exp(spread))
    air = np.array([prior.air_changes_per_h.value for prior in priors]) * np.exp(
        random.normal(0.0, [log_sd(prior.air_changes_per_h) * 0.5 for prior in priors])
    )
    masks = _beta(random, np.array([one.masks for one in habits]), 12.0)
    distancing = _beta(random, np.array([prior.distancing for prior in priors]), 12.0)
    refuses = np.tile([True, True, False, False], (n, 1))
    refuses[:, 2] = random.random(n) < 0.15
    refuses[:, 3] = refuses[:, 2] & (random.random(n) < 0.5)
    return TownVenues(
        public_id=tuple(seeded_id("v", plan.seed, row) for row in range(n)),
        name=tuple(_name(KINDS[index], row) for row, index in enumerate(kind)),
        kind=kind,
        area=random.choice(len(areas.zip3), n, p=areas.share).astype(np.int64),
        opens=opens,
        closes=closes,
        volume_m3=np.round(np.clip(volume, 20.0, 4e6), 1),
        # The owner knows the volume of a room that differs from its kind's prior; of the others, half report it.
        volume_known=(np.abs(np.log(crowd)) > np.log(2.0)) | (random.random(n) < 0.5),
        air_changes_per_h=np.round(np.clip(air, 0.2, 55.0), 2),
        capacity=np.clip(np.ceil(heads * 8.0), 40, 900_000).astype(np.int64),
        masks=masks,
        distancing=distancing,
        refuses=refuses,
    )


def _kinds(count: int) -> list[Kind]:
    """Return the kinds of this many venues: one of each as far as possible, the rest by share."""
    first = list(_FIRST_KINDS[:count])
    wanted = {kind: RATES[kind].share / sum(habit.share for habit in RATES.values()) * count for kind in _FIRST_KINDS}
    have = dict.fromkeys(_FIRST_KINDS, 0) | dict.fromkeys(first, 1)
    for _ in range(count - len(first)):
        lacking = max(_FIRST_KINDS, key=lambda kind: wanted[kind] - have[kind])
        have[lacking] += 1
    return [kind for kind in _FIRST_KINDS for _ in range(have[kind])]


def _usual_heads(plan: TownPlan, kind: Ints) -> Floats:
    """Return people in each venue at a usual moment of its open hours, if visits are uniform over venues of a kind."""
    heads = np.zeros(kind.size)
    for index in np.unique(kind):
        habit = RATES[KINDS[index]]
        a_day = plan.people * plan.activity * habit.weekday_rate * (WORK[KINDS[index]] if habit.every_day else 1.0)
        share = a_day / np.count_nonzero(kind == index)
        heads[kind == index] = share * habit.dwell_min / max(habit.dwell_min, 0.4 * (habit.closes - habit.opens))
    return heads


def _beta(random: np.random.Generator, mean: Floats, weight: float) -> Floats:
    return np.asarray(random.beta(mean * weight, (1.0 - mean) * weight))


def _name(kind: Kind, row: int) -> str:
    return f"{_NAMES[row % len(_NAMES)]} {_WHAT[kind]} {row + 1}"
