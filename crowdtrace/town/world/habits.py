"""Habits of people at venues: opening hours, frequency, times and duration of visits, by kind; our assumptions.

Rates are visits a day of an average person, by weekday and weekend; times are minutes from local midnight, and past
1440 they are in the following night. A day's visits end by `DAY_END_MIN`, while its passes are still valid.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from types import MappingProxyType
from typing import Final

from risk.model.kinds import Kind

DAY_END_MIN: Final = 27 * 60 + 50
"""Passes expire at 28:00; people who would stay longer leave ten minutes before."""
SHORTEST_MIN: Final = 5
SATURDAY: Final = 5


@dataclass(frozen=True, slots=True)
class Habit:
    """One kind of venue.

    ``share``: of all venues. ``opens``, ``closes`` (weekday) and ``weekend`` (None: closed). ``peaks``: (minute,
    spread, weight) of arrivals. ``dwell_min``, ``dwell_shape``: mean and gamma shape of a stay. ``every_day``: a
    workplace or school that its people visit on most weekdays, instead of by rate. ``masks``: mean share of masks.
    """

    share: float
    opens: int
    closes: int
    weekend: tuple[int, int] | None
    weekday_rate: float
    weekend_rate: float
    peaks: tuple[tuple[int, int, float], ...]
    dwell_min: float
    dwell_shape: float = 5.0
    every_day: bool = False
    masks: float = 0.3


_MORNING: Final = ((8 * 60 + 30, 30, 1.0),)
_SHOPS: Final = ((11 * 60, 90, 0.4), (17 * 60 + 30, 75, 0.6))
_MEALS: Final = ((750, 30, 0.4), (1140, 50, 0.6))
_EVENING: Final = ((19 * 60, 60, 1.0),)

RATES: Final[Mapping[Kind, Habit]] = MappingProxyType(
    {
        Kind.SCHOOL: Habit(4, 450, 1020, None, 0.85, 0.0, ((8 * 60, 12, 1.0),), 380, 60, every_day=True),
        Kind.MEDICAL: Habit(5, 480, 1080, None, 0.02, 0.0, ((600, 90, 0.5), (870, 90, 0.5)), 45, masks=0.75),
        Kind.OFFICE: Habit(16, 420, 1200, None, 0.75, 0.0, _MORNING, 480, 40, every_day=True),
        Kind.MANUFACTURING: Habit(4, 360, 1320, None, 0.85, 0.0, ((420, 15, 0.7), (840, 15, 0.3)), 470, 60, True),
        Kind.RESTAURANT: Habit(16, 660, 1380, (660, 1440), 0.09, 0.16, _MEALS, 75, masks=0.1),
        Kind.BAR: Habit(7, 960, 1500, (960, 1560), 0.03, 0.09, ((1260, 75, 1.0),), 120, masks=0.05),
        Kind.RETAIL: Habit(14, 540, 1200, (600, 1200), 0.08, 0.14, _SHOPS, 30, 2.0),
        Kind.SUPERMARKET: Habit(7, 420, 1320, (480, 1260), 0.16, 0.22, _SHOPS, 35, 3.0),
        Kind.GYM: Habit(4, 360, 1320, (480, 1200), 0.05, 0.05, ((450, 40, 0.3), (1080, 60, 0.7)), 70, masks=0.1),
        Kind.WORSHIP: Habit(4, 540, 1260, (480, 1260), 0.005, 0.09, ((600, 12, 1.0),), 75, 40.0),
        Kind.THEATRE: Habit(2, 840, 1440, (720, 1440), 0.008, 0.025, ((1170, 15, 1.0),), 140, 60.0),
        Kind.TRANSPORT: Habit(6, 300, 1500, (360, 1500), 0.14, 0.08, ((480, 30, 0.5), (1050, 40, 0.5)), 30, 4.0),
        Kind.HOTEL: Habit(2, 0, 1440, (0, 1440), 0.004, 0.006, ((1110, 120, 1.0),), 420, 20.0),
        Kind.HOME: Habit(3, 0, 1440, (0, 1440), 0.015, 0.04, _EVENING, 180, masks=0.02),
        Kind.OUTDOORS: Habit(3, 0, 1440, (0, 1440), 0.05, 0.12, ((960, 120, 1.0),), 80, 3.0, masks=0.05),
        Kind.SPORT: Habit(2, 840, 1380, (540, 1380), 0.012, 0.035, ((1140, 20, 1.0),), 105, 40.0, masks=0.15),
        Kind.OTHER: Habit(1, 540, 1260, (540, 1260), 0.02, 0.02, ((900, 150, 1.0),), 60),
    }
)
WORK: Final[Mapping[Kind, float]] = MappingProxyType({Kind.OFFICE: 0.36, Kind.MANUFACTURING: 0.12, Kind.SCHOOL: 0.17})
"""Share of people who work or learn at a venue of the kind; the others stay at home or work elsewhere."""
FAVOURITES: Final = 3
FAVOURITE_WEIGHTS: Final = (0.6, 0.3, 0.1)
