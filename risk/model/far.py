"""Far range: what the breath of others in a well-mixed room contributes to each stay, by answer class.

Wells-Riley with a transient room (Gammaitoni and Nucci 1997): for each class, the concentration that would result if
every member emitted one quantum per hour. Chances, emission, breathing and masks are applied when a dose is read
(`shield`), so a change in one of them needs no new sweep.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from itertools import pairwise
from typing import Final

import numpy as np
import numpy.typing as npt

from passes.limits import EPOCH_SECONDS
from risk.model import compiled

Floats = npt.NDArray[np.float64]
Ints = npt.NDArray[np.int64]

EVERYBODY: Final = 0
"""Column of everybody in arrays of four; columns 1, 2, 3 are the classes of `classes.AnswerClass`."""
RECEIVES_ONLY: Final = -1
"""Class of a stay that receives but does not emit (an observer)."""
CLEAR_AFTER: Final = compiled.CLEAR_AFTER
LONGEST_STAY_US: Final = EPOCH_SECONDS * 1_000_000
MERGE_GAP_US: Final = 15 * 60 * 1_000_000
RUNS_A_CORE: Final = 8
"""Of venues, so that a core that got busy ones is not waited for long."""
SLOWEST_REMOVAL_PER_H: Final = 0.02
"""Decay alone removes virus far faster in any room; below this rate the mass balance would lose digits."""


class InvalidInputError(ValueError):
    """A value that the model refuses; ``field`` names it."""

    def __init__(self, field: str, why: str) -> None:
        super().__init__(f"{field}: {why}")
        self.field = field


@dataclass(frozen=True, slots=True)
class Rooms:
    """The air of each venue: volume in m3 and total removal rate per hour (ventilation, decay, settling, filters)."""

    volume_m3: Floats
    removal_rate_per_h: Floats

    def __post_init__(self) -> None:
        if self.volume_m3.shape != self.removal_rate_per_h.shape or self.volume_m3.ndim != 1:
            raise InvalidInputError("volume_m3", "one volume and one removal rate a venue")
        if not (np.isfinite(self.volume_m3).all() and (self.volume_m3 > 0).all()):
            raise InvalidInputError("volume_m3", "must be finite and positive")
        rates = self.removal_rate_per_h
        if not (np.isfinite(rates).all() and (rates >= SLOWEST_REMOVAL_PER_H).all()):
            raise InvalidInputError("removal_rate_per_h", f"must be finite and at least {SLOWEST_REMOVAL_PER_H}")


@dataclass(frozen=True, slots=True)
class Stays:
    """Stays in any order, one row each.

    ``venue``: row in `Rooms`. ``arrive_us``, ``leave_us``: int64 microseconds of one clock. ``answer_class``: 0-3, or
    `RECEIVES_ONLY`. ``previous``: row of the same person's previous stay in the same venue, or -1; empty if nobody has
    one.
    """

    venue: npt.NDArray[np.int32]
    arrive_us: Ints
    leave_us: Ints
    answer_class: npt.NDArray[np.int8]
    previous: Ints

    def __post_init__(self) -> None:
        sizes = {self.venue.size, self.arrive_us.size, self.leave_us.size, self.answer_class.size}
        if len(sizes) != 1 or self.previous.size not in (0, self.venue.size):
            raise InvalidInputError("stays", "columns differ in length")
        if self.venue.size == 0:
            return
        if self.venue.size >= 2**31:
            raise InvalidInputError(
                "stays", "more than 2^31 rows in one call; venues never interact, so split by venue"
            )
        length = self.leave_us - self.arrive_us
        if int(length.min()) < 0:
            raise InvalidInputError("leave_us", "before arrive_us")
        if int(length.max()) > LONGEST_STAY_US:
            raise InvalidInputError("leave_us", "more than 28 hours after arrive_us")
        if int(self.answer_class.min()) < RECEIVES_ONLY or int(self.answer_class.max()) > 3:
            raise InvalidInputError("answer_class", "must be 0, 1, 2, 3 or -1")
        if int(self.venue.min()) < 0:
            raise InvalidInputError("venue", "negative")

    @classmethod
    def of(
        cls,
        *,
        venue: npt.ArrayLike,
        arrive_us: npt.ArrayLike,
        leave_us: npt.ArrayLike,
        answer_class: npt.ArrayLike,
        previous: npt.ArrayLike = (),
    ) -> Stays:
        """Return stays from anything array-like."""
        return cls(
            np.ascontiguousarray(venue, np.int32),
            np.ascontiguousarray(arrive_us, np.int64),
            np.ascontiguousarray(leave_us, np.int64),
            np.ascontiguousarray(answer_class, np.int8),
            np.ascontiguousarray(previous, np.int64),
        )

    @classmethod
    def of_hours(
        cls,
        *,
        venue: npt.ArrayLike,
        arrive_h: npt.ArrayLike,
        leave_h: npt.ArrayLike,
        answer_class: npt.ArrayLike,
        previous: npt.ArrayLike = (),
    ) -> Stays:
        """Return stays from hours (float64), rounded to microseconds.

        Raise `InvalidInputError` if a value is not finite.
        """
        return cls.of(
            venue=venue,
            arrive_us=microseconds(arrive_h, "arrive_h"),
            leave_us=microseconds(leave_h, "leave_h"),
            answer_class=answer_class,
            previous=previous,
        )

    @property
    def size(self) -> int:
        """Return the number of stays."""
        return int(self.venue.size)


def microseconds(hours: npt.ArrayLike, field: str) -> Ints:
    """Return hours as int64 microseconds."""
    values = np.asarray(hours, np.float64)
    if not np.isfinite(values).all() or (np.abs(values) > 1e9).any():
        raise InvalidInputError(field, "must be finite hours")
    return np.rint(values * compiled.US_PER_H).astype(np.int64)


@dataclass(frozen=True, slots=True)
class Order:
    """Stays sorted by venue and arrival: the columns, their original ``rows``, and their positions by departure.

    Venue v has the positions ``start[v]:start[v + 1]``.
    """

    start: Ints
    rows: npt.NDArray[np.int32]
    arrive_us: Ints
    leave_us: Ints
    answer_class: npt.NDArray[np.int8]
    by_departure: npt.NDArray[np.int32]


@dataclass(frozen=True, slots=True)
class UnitDoses:
    """What others contributed to each stay. Columns: everybody, then classes 1, 2, 3 (class 0 is the remainder).

    ``dose_h2_per_m3`` (n, 4): integral over the stay of others' concentration per unit emission (1 quantum/h each).
    ``person_us`` (n, 4): microseconds of company, the number of others present times time. ``heads`` (n, 4): others
    whose breath the stay can meet: present, arriving meanwhile, or gone for less than `CLEAR_AFTER` air exchanges.
    """

    dose_h2_per_m3: Floats
    person_us: Ints
    heads: npt.NDArray[np.int32]

    @property
    def person_h(self) -> Floats:
        """Return hours of company (n, 4)."""
        return self.person_us / compiled.US_PER_H


def sort_stays(stays: Stays, n_venues: int, *, cores: int = 1) -> Order:
    """Order stays for the sweep: a counting sort by venue, then within each venue. Ties are settled by value.

    ``cores``: threads that share the venues.
    """
    if stays.size and int(stays.venue.max()) >= n_venues:
        raise InvalidInputError("venue", "no room given for it")
    start, rows = compiled.group_by_venue(stays.venue, n_venues)
    order = Order(
        start,
        rows,
        np.empty(rows.size, np.int64),
        np.empty(rows.size, np.int64),
        np.empty(rows.size, np.int8),
        np.empty(rows.size, np.int32),
    )

    def sort(part: slice) -> None:
        compiled.sort_events(
            _bounds(start, part),
            rows,
            stays.arrive_us,
            stays.leave_us,
            stays.answer_class,
            order.arrive_us,
            order.leave_us,
            order.answer_class,
            order.by_departure,
        )

    _over_venues(sort, start, cores)
    return order


def unit_doses(
    stays: Stays, rooms: Rooms, *, order: Order | None = None, clear_after: float = CLEAR_AFTER, cores: int = 1
) -> UnitDoses:
    """Sweep all venues once. Doses are exact, without the visitor's own breath, also that of linked earlier stays.

    ``clear_after``: air exchanges after which what the departed left counts as gone (``math.inf``: never). ``cores``:
    threads that share the venues; the result is the same bit for bit, for venues never interact.
    """
    order = order or sort_stays(stays, rooms.volume_m3.size, cores=cores)
    dose = np.empty((stays.size, 4), np.float64)
    person_us = np.empty((stays.size, 4), np.int64)
    heads = np.empty((stays.size, 4), np.int32)

    def sweep(part: slice) -> None:
        compiled.sweep(
            _bounds(order.start, part),
            order.rows,
            order.by_departure,
            order.arrive_us,
            order.leave_us,
            order.answer_class,
            stays.previous,
            rooms.volume_m3[part],
            rooms.removal_rate_per_h[part],
            float(clear_after),
            dose,
            person_us,
            heads,
        )

    _over_venues(sweep, order.start, cores)
    return UnitDoses(dose, person_us, heads)


def _bounds(start: Ints, part: slice) -> Ints:
    """Return the bounds of a run of venues: one more than there are venues."""
    return start[part.start : part.stop + 1]


def _over_venues(work: Callable[[slice], None], start: Ints, cores: int) -> None:
    """Do the work for runs of neighbouring venues with about as many stays each, several at once."""
    venues = start.size - 1
    if cores <= 1 or venues <= 1:
        work(slice(0, venues))
        return
    shares = np.linspace(0, start[-1], cores * RUNS_A_CORE + 1)
    edges = np.unique(np.concatenate([[0], np.searchsorted(start, shares[1:-1]), [venues]]))
    runs = [slice(int(first), int(last)) for first, last in pairwise(edges)]
    with ThreadPoolExecutor(cores) as pool:
        for _ in pool.map(work, runs):
            pass


def room_integrals(
    *,
    volume_m3: float,
    removal_rate_per_h: float,
    emitters_h: Sequence[tuple[float, float]],
    visits_h: Sequence[tuple[float, float]],
) -> Floats:
    """Return the integral of concentration (h2/m3) over each visit to a room; emitters emit one unit per hour each.

    Visitors emit nothing. Nothing is cut off, however long ago the emitters left.
    """
    spans = [*emitters_h, *visits_h]
    stays = Stays.of_hours(
        venue=np.zeros(len(spans), np.int32),
        arrive_h=[span[0] for span in spans],
        leave_h=[span[1] for span in spans],
        answer_class=[0] * len(emitters_h) + [RECEIVES_ONLY] * len(visits_h),
    )
    rooms = Rooms(np.array([volume_m3], np.float64), np.array([removal_rate_per_h], np.float64))
    return unit_doses(stays, rooms, clear_after=math.inf).dose_h2_per_m3[len(emitters_h) :, EVERYBODY]
