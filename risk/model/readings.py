"""Read all stays of one holder from crowd state, in one call.

A shield is computed while a client waits, so the plain form, which computes one stay from arrays, is only the oracle in
its tests. Here the state of every venue and day concerned is in one table, and one compiled loop takes each stay's
quarters from it, subtracts the holder's own breath, interpolates between edges, and counts the others.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

import numpy as np
import numpy.typing as npt

from risk.model import compiled
from risk.model.crowd_state import QUARTER_US
from risk.model.far import Floats, Ints
from risk.model.hits import BLIND_BELOW

FLOATS_A_FLOW: Final = 9
"""Columns of a quarter's floats: removal rate, integral of the concentration (4), person-hours (4)."""
COUNTS_A_FLOW: Final = 12
"""Columns of a quarter's counts: arrivals (4), arrivals of people who linger (4), other returns, ratings (3)."""
COUNTS_AN_EDGE: Final = 8
"""Columns of an edge's counts: present (4), lingering (4)."""


@dataclass(frozen=True, slots=True)
class Table:
    """Crowd state of many venue-days, one after another: ``parts`` of ``n`` quarters with ``n + 1`` edges each.

    ``venue`` numbers the venues from 0, rising; the parts of one venue are in order of time. ``flow`` and ``edge`` are
    the rows at which a part's quarters and edges begin. ``reports`` is the number of people present on a part's day who
    later reported a positive test, ``reported`` the number of them inside in each quarter.
    """

    venue: Ints
    first_edge: Ints
    quarters: Ints
    volume_m3: Floats
    flow: Ints
    edge: Ints
    flow_floats: Floats  # (quarters, 9)
    flow_counts: npt.NDArray[np.int32]  # (quarters, 12)
    edge_floats: Floats  # (edges, 4): concentration
    edge_counts: npt.NDArray[np.int32]  # (edges, 8)
    reports: Ints
    reported: Floats  # (quarters,)


@dataclass(frozen=True, slots=True)
class OwnStays:
    """The holder's stays, sorted by venue (numbered as in the table) and arrival, with back-to-back ones joined.

    ``until_us``: time up to which the stay is read; a stay is not read if this is not after its arrival. ``came_back``:
    whether its pass had been in the venue before. ``in_state``: whether crowd state contains it, which does not contain
    a stay that is kept out of it; what others contributed to that one is read without subtracting it.
    """

    venue: Ints
    arrive_us: Ints
    leave_us: Ints
    until_us: Ints
    answer_class: npt.NDArray[np.int8]
    came_back: npt.NDArray[np.bool_]
    in_state: npt.NDArray[np.bool_]


@dataclass(frozen=True, slots=True)
class Readings:
    """What others contributed to each of n stays. Stay i has the quarters in rows ``start[i]:start[i + 1]``.

    ``counted``: whether the state contains the stay yet. ``heads`` (n, 4): people whose breath it can meet; a person
    who came and went several times before it counts as often. ``others`` (n,): people who were there during the stay,
    each once; a person who came back to it from an earlier stay may be missing. Where ``blind``, they are too few for
    their answers to be read, and the columns of classes are 0. ``dose_h2_per_m3``, ``person_h`` (quarters, 4),
    ``ratings`` (quarters, 3): count and sums of the hour of each quarter.

    ``reporters`` (n,): the most people among the others who reported a positive test. ``reported_h2_per_m3``,
    ``reported_h`` (quarters,): their contribution, never more than that of everybody. All 0 where ``blind``.
    """

    start: Ints
    first_edge: Ints
    counted: npt.NDArray[np.bool_]
    blind: npt.NDArray[np.bool_]
    heads: Ints
    others: Ints
    dose_h2_per_m3: Floats
    person_h: Floats
    ratings: Ints
    reporters: Ints
    reported_h2_per_m3: Floats
    reported_h: Floats


def read_stays(table: Table, stays: OwnStays) -> Readings:
    """Read every stay from the table. Raise `ArithmeticError` if the table holds impossible values."""
    _check(table)
    size = stays.venue.size
    first = stays.arrive_us // QUARTER_US
    last = np.maximum(-(-stays.until_us // QUARTER_US), first + 1)
    start = np.concatenate([np.zeros(1, np.int64), np.cumsum(last - first)])
    out = Readings(
        start,
        first,
        np.zeros(size, np.bool_),
        np.zeros(size, np.bool_),
        np.zeros((size, 4), np.int64),
        np.zeros(size, np.int64),
        np.zeros((start[-1], 4)),
        np.zeros((start[-1], 4)),
        np.zeros((start[-1], 3), np.int64),
        np.zeros(size, np.int64),
        np.zeros(start[-1]),
        np.zeros(start[-1]),
    )
    if size and table.venue.size:
        compiled.read_stays(
            np.searchsorted(table.venue, stays.venue),
            np.searchsorted(table.venue, stays.venue, side="right"),
            np.searchsorted(stays.venue, stays.venue),
            np.searchsorted(stays.venue, stays.venue, side="right"),
            (table.first_edge, table.quarters, table.flow, table.edge, table.volume_m3),
            (table.flow_floats, table.flow_counts, table.edge_floats, table.edge_counts),
            (
                stays.arrive_us,
                stays.leave_us,
                stays.until_us,
                stays.answer_class,
                stays.came_back,
                stays.in_state,
            ),
            (start, first, last),
            BLIND_BELOW,
            (out.counted, out.blind, out.heads, out.others, out.dose_h2_per_m3, out.person_h, out.ratings),
        )
        if table.reports.any():
            compiled.read_reports(
                np.searchsorted(table.venue, stays.venue),
                np.searchsorted(table.venue, stays.venue, side="right"),
                (table.first_edge, table.quarters, table.flow, table.reports),
                (table.flow_floats, table.reported, table.volume_m3),
                (stays.arrive_us, stays.until_us),
                (start, first, last),
                (out.counted, out.blind, out.dose_h2_per_m3, out.person_h, out.heads),
                (out.reporters, out.reported_h2_per_m3, out.reported_h),
            )
    return out


def _check(table: Table) -> None:
    """Refuse a broken state here: in the loop, NaN would be cut to 0 like a rounding error."""
    floats = (table.flow_floats, table.edge_floats, table.reported)
    counts = (table.flow_counts, table.edge_counts, table.reports)
    # A comparison with NaN is false.
    if not all(each.min(initial=0) >= 0 and each.max(initial=0) < np.inf for each in (*floats, *counts)):
        raise ArithmeticError("crowd state has a negative value or NaN")
    rates = (table.flow_floats[:, 0], table.volume_m3)
    if not all(each.min(initial=np.inf) > 0.0 for each in rates) or table.volume_m3.max(initial=0.0) == np.inf:
        raise ArithmeticError("crowd state of a room without a volume")


def compile_ahead() -> None:
    """Compile the loop, and cache it where possible, before a client waits for a shield."""
    one, numbers = np.ones(1), np.zeros(1, np.int64)
    table = Table(
        venue=numbers,
        first_edge=numbers,
        quarters=numbers + 1,
        volume_m3=one,
        flow=numbers,
        edge=numbers,
        flow_floats=np.ones((1, FLOATS_A_FLOW)),
        flow_counts=np.ones((1, COUNTS_A_FLOW), np.int32),
        edge_floats=np.ones((2, 4)),
        edge_counts=np.ones((2, COUNTS_AN_EDGE), np.int32),
        reports=numbers + 1,
        reported=one,
    )
    no = np.zeros(1, bool)
    read_stays(table, OwnStays(numbers, numbers, numbers + 1, numbers + 1, np.zeros(1, np.int8), no, ~no))
