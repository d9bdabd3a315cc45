"""The open release of a simulated town without a deployment: each day is counted, drawn and fitted here.

Its counts are those that `exports.reads.make_rows` makes of the same passes in a database, which a test compares; the
draw and all later steps are those of real days.
"""

import datetime as dt
from collections.abc import Iterator, Mapping, Sequence
from typing import Final

import numpy as np
import numpy.typing as npt
import pyarrow as pa

from crowdtrace.town.rows import Rows
from crowdtrace.town.world.streams import stream
from crowdtrace.town.world.town import Town, TownDay
from exports.dataset.tables import states_by_zip3
from exports.policy.domain import (
    ANSWER_AXES,
    CAPACITY_BANDS,
    DURATION_EDGES,
    LIMIT_BANDS,
    OUTCOME,
    REFUSED,
    RISK,
    Workload,
    workloads,
)
from exports.policy.draw import Drawn, Known, draw
from exports.policy.fit import fit
from exports.policy.noise import Counts
from exports.policy.rows import deal, dp_counts
from exports.policy.signals import signals_of
from exports.release.risklevels import levels_by_zip3
from exports.release.signals import signals_table
from passes.limits import COUNTED_PASSES, UNMARKED_ONE_IN
from risk.crowd.cases import Signal, default_signal
from venues.requirements import RequirementValues

LAST_HOUR: Final = 23
PUBLIC: Final = 1
Ints = npt.NDArray[np.int64]


def levels_of(town: Town) -> dict[str, list[int]]:
    """Return the class of risk of each pattern of answers in each area, and for the empty text."""
    signals: dict[str, Signal] = dict.fromkeys(["", *town.areas.zip3], default_signal())
    return levels_by_zip3(signals=signals, parameters=town.plan.parameters)


def marked_of(rows: Rows, town: Town, day: int) -> npt.NDArray[np.bool_]:
    """Return which passes count: the first of a person and day, except those that the coin leaves out."""
    random = stream(town.plan.seed, "marked", day)
    return (rows.number < COUNTED_PASSES) & (random.integers(0, UNMARKED_ONE_IN, rows.number.size) > 0)


def exact_counts(
    *,
    rows: Rows,
    marked: npt.NDArray[np.bool_],
    day: TownDay,
    town: Town,
    tables: Sequence[Workload],
    levels: Mapping[str, Sequence[int]],
) -> dict[str, Counts]:
    """Return exact counts of marked passes in the shape of each table."""
    codes = {name: values[marked] for name, values in _codes(rows, day, town, tables, levels).items()}
    return {table.name: _counted(table, codes) for table in tables}


def _counted(table: Workload, codes: Mapping[str, Ints]) -> Counts:
    place = np.ravel_multi_index([codes[axis.name] for axis in table.axes], table.shape)
    return np.bincount(place, minlength=table.cells).reshape(table.shape).astype(np.int64)


def _codes(
    rows: Rows, day: TownDay, town: Town, tables: Sequence[Workload], levels: Mapping[str, Sequence[int]]
) -> dict[str, Ints]:
    """Return each pass's index on each axis."""
    zips = next(axis.values for table in tables for axis in table.axes if axis.name == "zip")
    area = np.array([zips.index(zip3) for zip3 in town.areas.zip3], np.int64)[town.venues.area[rows.venue]]
    answers = day.answers[rows.person].astype(np.int64)
    pattern = answers @ np.array([8, 4, 2, 1])
    classes = np.array([list(levels[zip3]) for zip3 in zips], np.int64)
    came = rows.stay >= 0
    limit = RequirementValues().enforced_limit_percent
    found = {
        "zip": area,
        RISK.name: classes[area, pattern],
        OUTCOME.name: np.where(came, 0, REFUSED),
        "hour": np.minimum(rows.arrives_s // 3600, LAST_HOUR),
        "type_of_scan": (rows.leaves_s >= 0).astype(np.int64),
        "accesslevel": np.full(came.size, PUBLIC),
        "readingtype": (~came).astype(np.int64),
        "location_maxcapacity": _bin(town.venues.capacity[rows.venue], CAPACITY_BANDS),
        "location_capacity_enforcedlimit": np.full(came.size, _bin(np.array([limit]), LIMIT_BANDS)[0]),
        "m_score": rows.masks,
        "s_score": rows.distancing,
        "duration": np.minimum(_bin(rows.survey_seconds, DURATION_EDGES), len(DURATION_EDGES) - 2),
    }
    return found | {axis.name: answers[:, at] for at, axis in enumerate(ANSWER_AXES)}


def _bin(values: Ints, lows: Sequence[int]) -> Ints:
    return np.maximum(np.searchsorted(np.array(lows), values, side="right") - 1, 0).astype(np.int64)


def drawn_days(town: Town, *, budget: float) -> Iterator[tuple[TownDay, dt.date, Drawn]]:
    """Simulate every day of a town's plan; yield each with its date and its drawn counts."""
    tables, levels = workloads(zip3=sorted(set(town.areas.zip3)), readings=False), levels_of(town)
    known = Known(levels={zip3: "".join(map(str, line)) for zip3, line in levels.items()})
    for _ in range(town.plan.days):
        day = town.next_day()
        rows = Rows.of_whole(day, town)
        counts = exact_counts(
            rows=rows, marked=marked_of(rows, town, day.number), day=day, town=town, tables=tables, levels=levels
        )
        yield day, day.date, draw(day=day.date, counts=counts, tables=tables, budget=budget, known=known)


def open_tables(drawn: Drawn) -> dict[str, pa.Table]:
    """Return the released tables of a day: rows, noisy counts, signals."""
    fitted = fit(drawn)
    dealt = deal(drawn, fitted)
    return {
        "rows": pa.Table.from_batches(dealt.batches()),
        "dp_counts": dp_counts(drawn, fitted, dealt),
        "signals": signals_table(list(signals_of(drawn, states_by_zip3()))),
    }
