"""Crowd state as bytes: one venue, one UTC day, limited to the quarter-hours in which anybody was present.

Besides the model's state, a quarter holds what can only be known from rows: arrivals of a pass whose earlier breath is
still in the room (``again``, so that one person does not count as two), later returns of a pass (``returns``), and the
ratings of its hour.
"""

from __future__ import annotations

import dataclasses
import datetime as dt
import zlib
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import accumulate
from typing import Final

import numpy as np
import numpy.typing as npt

from common.compiled import compiled
from risk.model.crowd_state import QUARTER_H, QUARTER_US, CrowdState
from risk.model.readings import COUNTS_A_FLOW, COUNTS_AN_EDGE, FLOATS_A_FLOW, Table

Floats = npt.NDArray[np.float64]
Ints = npt.NDArray[np.int64]
QUARTERS_A_DAY: Final = 96
QUARTERS_AN_HOUR: Final = 4
_EPOCH_DAY: Final = dt.date(1970, 1, 1).toordinal()
_FORM: Final = 1
_HEAD_WORDS: Final = 4  # of 8 bytes: form, first edge, quarters, volume
_LEVEL: Final = 1  # of zlib: three of four columns are mostly zeros, and a higher level gains little


@dataclass(frozen=True, slots=True)
class Crowd:
    """The model's state and what rows add to it, over the same q quarters.

    ``again`` (q, 4): arrivals, by class, of passes that left so recently that their breath still lingers. ``returns``
    (q,): arrivals of passes that had been there and had cleared. ``ratings`` (q, 3): count, sum of masks and sum of
    distancing of the ratings given by the people who were there in the hour.
    """

    state: CrowdState
    again: Ints
    returns: Ints
    ratings: Ints

    @property
    def first_edge(self) -> int:
        """Return the number of the first edge."""
        return self.state.first_edge

    @property
    def last_edge(self) -> int:
        """Return the number of the last edge."""
        return self.state.last_edge

    def between(self, first_edge: int, last_edge: int) -> Crowd:
        """Return the part between two edges."""
        a, b = first_edge - self.first_edge, last_edge - self.first_edge
        return Crowd(self.state.between(first_edge, last_edge), self.again[a:b], self.returns[a:b], self.ratings[a:b])


def day_of(edge: int) -> dt.date:
    """Return the UTC day of the quarter after an edge."""
    return dt.date.fromordinal(_EPOCH_DAY + edge // QUARTERS_A_DAY)


def microseconds(moment: dt.datetime) -> int:
    """Return microseconds since 1970, exactly."""
    return (moment - dt.datetime(1970, 1, 1, tzinfo=dt.UTC)) // dt.timedelta(microseconds=1)


def moment_of(edge: int) -> dt.datetime:
    """Return the time of an edge."""
    return dt.datetime(1970, 1, 1, tzinfo=dt.UTC) + edge * dt.timedelta(microseconds=QUARTER_US)


# Bytes ----------------------------------------------------------------------------------------------------------------
def pack(crowd: Crowd) -> bytes:
    """Return a state as bytes, exactly: continuing from the unpacked state gives the same numbers."""
    state = crowd.state
    head = np.array([_FORM, state.first_edge, state.quarters], "<i8")
    floats = (state.removal_rate_per_h, state.concentration_per_m3, state.integral_h2_per_m3, state.person_h)
    counts = (state.present, state.lingering, state.arrivals, crowd.again, crowd.returns, crowd.ratings)
    return zlib.compress(
        b"".join(
            [
                head.tobytes(),
                np.array([state.volume_m3], "<f8").tobytes(),
                *(np.ascontiguousarray(each, "<f8").tobytes() for each in floats),
                *(np.ascontiguousarray(each, "<i4").tobytes() for each in counts),
            ]
        ),
        _LEVEL,
    )


def unpack(data: bytes | memoryview) -> Crowd:
    """Return the state from its bytes; the inverse of `pack`."""
    first_edge, volume, floats, counts = _columns(data)
    rates, concentration, integral, person_h = floats
    present, lingering, arrivals, again, returns, ratings = (each.astype(np.int64) for each in counts)
    return Crowd(
        CrowdState(first_edge, volume, rates[:, 0], concentration, present, lingering, integral, arrivals, person_h),
        again,
        returns[:, 0],
        ratings,
    )


_FLOATS: Final = ((0, 1), (1, 4), (0, 4), (0, 4))
_COUNTS: Final = ((1, 4), (1, 4), (0, 4), (0, 4), (0, 1), (0, 3))
"""For each array in order, its rows beyond the number of quarters, and its columns."""
_Columns = tuple[int, float, list[Floats], list[npt.NDArray[np.int32]]]


def _columns(data: bytes | memoryview) -> _Columns:
    """Return first edge, volume, and the arrays of floats and of counts, as views of the bytes."""
    raw = zlib.decompress(data)
    form, first_edge, quarters = np.frombuffer(raw, "<i8", 3).tolist()
    if form != _FORM:
        raise ArithmeticError("crowd state of another form")
    (volume,) = np.frombuffer(raw, "<f8", 1, 24).tolist()
    at, found = 32, {}
    for dtype, shapes in (("<f8", _FLOATS), ("<i4", _COUNTS)):
        sizes = [(quarters + more) * width for more, width in shapes]
        whole = np.frombuffer(raw, dtype, sum(sizes), at)
        at += whole.nbytes
        ends = list(accumulate(sizes))
        found[dtype] = [
            whole[end - size : end].reshape(-1, width)
            for end, size, (_more, width) in zip(ends, sizes, shapes, strict=True)
        ]
    return first_edge, volume, found["<f8"], found["<i4"]


Reports = tuple[bytes | memoryview, int]
"""Reports of a venue-day: reporters inside by quarter-hour (float32), and the number of reports."""


def table_of(days: Sequence[tuple[int, bytes | memoryview, Reports | None]]) -> Table:
    """Return a table to read stays from, made of venue-days with the number of their venue and their reports."""
    raw = [zlib.decompress(data) for _venue, data, _reports in days]
    sizes = np.array([-(-len(each) // 8) for each in raw], np.int64)
    start = np.cumsum(sizes) - sizes
    words = np.frombuffer(b"".join(each.ljust(8 * size, b"\0") for each, size in zip(raw, sizes, strict=True)), "<i8")
    if (words[start] != _FORM).any():
        raise ArithmeticError("crowd state of another form")
    first_edge, quarters = words[start + 1], words[start + 2]
    # The loops below check no bounds: 13 floats and 20 counts per quarter, 4 and 8 more at the last edge.
    if (quarters < 0).any() or (sizes != _HEAD_WORDS + 23 * quarters + 8).any():
        raise ArithmeticError("crowd state of another length")
    flow, edge = np.cumsum(quarters) - quarters, np.cumsum(quarters + 1) - quarters - 1
    flows = int(quarters.sum())
    table = Table(
        venue=np.array([venue for venue, *_rest in days], np.int64),
        first_edge=first_edge,
        quarters=quarters,
        volume_m3=words.view("<f8")[start + 3],
        flow=flow,
        edge=edge,
        flow_floats=np.empty((flows, FLOATS_A_FLOW)),
        flow_counts=np.empty((flows, COUNTS_A_FLOW), np.int32),
        edge_floats=np.empty((flows + quarters.size, 4)),
        edge_counts=np.empty((flows + quarters.size, COUNTS_AN_EDGE), np.int32),
        reports=np.array([reports[1] if reports else 0 for *_day, reports in days], np.int64),
        reported=np.zeros(flows),
    )
    _fill(
        words.view("<f8"),
        words.view("<i4"),
        start + _HEAD_WORDS,
        quarters,
        (flow, edge),
        (table.flow_floats, table.flow_counts, table.edge_floats, table.edge_counts),
    )
    for at, (_venue, _data, reports) in enumerate(days):
        if reports is not None:
            since, here = first_edge[at] % QUARTERS_A_DAY, slice(flow[at], flow[at] + quarters[at])
            table.reported[here] = np.frombuffer(reports[0], "<f4")[since : since + quarters[at]]
    return table


@compiled
def _put(  # noqa: PLR0917 - compiled loops take no keywords
    values: np.ndarray, at: int, rows: int, width: int, table: np.ndarray, row: int, column: int
) -> int:
    """Copy one array of a day into a table, and return where the next array begins."""
    for q in range(rows):
        for c in range(width):
            table[row + q, column + c] = values[at + width * q + c]
    return at + rows * width


@compiled
def _fill(  # noqa: PLR0917
    floats: np.ndarray,
    counts: np.ndarray,
    starts: np.ndarray,
    quarters: np.ndarray,
    to: tuple[np.ndarray, np.ndarray],
    table: tuple[np.ndarray, np.ndarray, np.ndarray, np.ndarray],
) -> None:
    """Copy the arrays of every day, which are consecutive in its words, into the rows of a table."""
    flow_floats, flow_counts, edge_floats, edge_counts = table
    for part in range(starts.size):
        n, flow, edge = quarters[part], to[0][part], to[1][part]
        at = _put(floats, starts[part], n, 1, flow_floats, flow, 0)
        at = _put(floats, at, n + 1, 4, edge_floats, edge, 0)
        at = _put(floats, at, n, 4, flow_floats, flow, 1)
        at = 2 * _put(floats, at, n, 4, flow_floats, flow, 5)
        at = _put(counts, at, n + 1, 4, edge_counts, edge, 0)
        at = _put(counts, at, n + 1, 4, edge_counts, edge, 4)
        at = _put(counts, at, n, 4, flow_counts, flow, 0)
        at = _put(counts, at, n, 4, flow_counts, flow, 4)
        at = _put(counts, at, n, 1, flow_counts, flow, 8)
        at = _put(counts, at, n, 3, flow_counts, flow, 9)


# Days -----------------------------------------------------------------------------------------------------------------
def split(crowd: Crowd) -> Iterator[tuple[dt.date, Crowd]]:
    """Yield the days of a state in which anybody was present, each from its first busy quarter to its last.

    What lingers after the last departure is not stored: `concentration_at` computes it exactly.
    """
    busy = _busy(crowd)
    edge = crowd.first_edge
    while edge < crowd.last_edge:
        midnight = min(crowd.last_edge, (edge // QUARTERS_A_DAY + 1) * QUARTERS_A_DAY)
        quarters = np.flatnonzero(busy[edge - crowd.first_edge : midnight - crowd.first_edge])
        if quarters.size:
            yield day_of(edge), _tidy(crowd.between(edge + int(quarters[0]), edge + int(quarters[-1]) + 1))
        edge = midnight


def _busy(crowd: Crowd) -> npt.NDArray[np.bool_]:
    """Return the quarters in which anybody was present; only these are ever read."""
    return np.asarray((crowd.state.person_h[:, 0] > 0.0) | (crowd.state.arrivals[:, 0] > 0))


def _tidy(crowd: Crowd) -> Crowd:
    """Return the same state with zeros in quarters and at edges where nobody was, so that one crowd has one form."""
    busy, state = _busy(crowd), crowd.state
    flows = busy[:, None]
    edges = (np.concatenate([[False], busy]) | np.concatenate([busy, [False]]))[:, None]
    tidy = dataclasses.replace(
        state,
        removal_rate_per_h=np.where(busy, state.removal_rate_per_h, state.removal_rate_per_h[0]),
        concentration_per_m3=state.concentration_per_m3 * edges,
        present=state.present * edges,
        lingering=state.lingering * edges,
        integral_h2_per_m3=state.integral_h2_per_m3 * flows,
    )
    return dataclasses.replace(crowd, state=tidy, ratings=crowd.ratings * flows)


def joined(parts: Sequence[Crowd], first_edge: int, last_edge: int) -> Crowd:
    """Join states in order of time over exactly these edges; where there is no state, nobody was present."""
    quarters = last_edge - first_edge
    whole = Crowd(
        CrowdState(
            first_edge,
            parts[0].state.volume_m3,
            np.full(quarters, parts[0].state.removal_rate_per_h[0]),
            np.zeros((quarters + 1, 4)),
            np.zeros((quarters + 1, 4), np.int64),
            np.zeros((quarters + 1, 4), np.int64),
            np.zeros((quarters, 4)),
            np.zeros((quarters, 4), np.int64),
            np.zeros((quarters, 4)),
        ),
        np.zeros((quarters, 4), np.int64),
        np.zeros(quarters, np.int64),
        np.zeros((quarters, 3), np.int64),
    )
    for part in parts:
        a, b = max(first_edge, part.first_edge), min(last_edge, part.last_edge)
        if a < b:
            _write(whole, part.between(a, b), a - first_edge)
    return whole


def _write(whole: Crowd, part: Crowd, at: int) -> None:
    flows, edges = slice(at, at + part.state.quarters), slice(at, at + part.state.quarters + 1)
    for name in ("again", "returns", "ratings"):
        getattr(whole, name)[flows] = getattr(part, name)
    for field in dataclasses.fields(CrowdState)[2:]:
        on_edges = field.name in ("concentration_per_m3", "present", "lingering")
        getattr(whole.state, field.name)[edges if on_edges else flows] = getattr(part.state, field.name)


def concentration_at(parts: Sequence[Crowd], edge: int, rates_since: Floats) -> Floats:
    """Return the concentration (4,) at an edge, from the latest earlier quarter in which anybody was present.

    ``rates_since``: removal rates (1/h) of the quarters before ``edge``, the latest last. Since that quarter, the air
    has only cleared.
    """
    for part in sorted(parts, key=lambda part: -part.first_edge):
        quarters = np.flatnonzero(_busy(part)[: max(0, edge - part.first_edge)])
        if quarters.size:
            left = int(quarters[-1]) + 1
            gap = min(edge - part.first_edge - left, rates_since.size)
            decay = float(np.exp(-QUARTER_H * rates_since[rates_since.size - gap :].sum()))
            return np.asarray(part.state.concentration_per_m3[left] * decay)
    return np.zeros(4)
