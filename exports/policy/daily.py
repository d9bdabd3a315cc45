"""Counts of a released day by state, from its synthetic rows; no row of a person is read."""

import math
from collections.abc import Iterable, Mapping
from typing import Final

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from exports.dataset.tables import ANSWERS, DAILY, RESULTS, RISKLEVELS
from exports.policy.signals import Signal

Row = list[str | int | float | None]

NAMES: Final = tuple(name.removesuffix("_count") for name in DAILY.names if name.endswith("_count"))
# A refusal is a row that is Declined.
NAMES_OF_SIGNALS: Final = {"checkins": "total", "refused": "declined"}


def daily_by_state(
    *, day: str, batches: Iterable[pa.RecordBatch], states: Mapping[str, str], signals: Iterable[Signal]
) -> list[Row]:
    """Return the rows of `daily_by_state`, sorted by state; rows of an unknown ZIP come last, without a state.

    `signals` are those of the day, which have the standard errors.
    """
    sums: dict[str, np.ndarray] = {}
    for batch in batches:
        for zip5, counts in _by_zip(batch):
            state = states.get(zip5[:3], "")
            sums[state] = sums.get(state, np.zeros(len(counts), dtype=np.int64)) + counts
    errors = _errors(signals)
    return [
        [day, state or None, *sums[state].tolist(), *errors.get(state, [None] * len(NAMES))]
        for state in sorted(sums, key=lambda name: (not name, name))
    ]


def _errors(signals: Iterable[Signal]) -> dict[str, list[float | None]]:
    """Return the standard error of each count by state, and for rows without a state, which are the remainder."""
    squares: dict[str, dict[str, float]] = {}
    for each in signals:
        if each.geo_type in ("nation", "state") and (each.geo_value or each.geo_type == "nation"):
            found = squares.setdefault("" if each.geo_type == "nation" else each.geo_value.upper(), {})
            name = NAMES_OF_SIGNALS.get(each.signal, each.signal)
            found[name] = found.get(name, 0.0) + each.stderr**2
    left = squares.get("", {})
    for state, found in squares.items():
        for name in left if state else ():
            left[name] += found.get(name, 0.0)
    return {
        state: [round(math.sqrt(found[name]), 1) if name in found else None for name in NAMES]
        for state, found in squares.items()
    }


def _by_zip(batch: pa.RecordBatch) -> Iterable[tuple[str, np.ndarray]]:
    """Return counts of each ZIP in the order of the columns of `DAILY`."""
    flags = {"total": pa.repeat(pa.scalar(True), batch.num_rows)}
    flags |= {value.lower(): pc.equal(batch["result"], value) for value in RESULTS}
    flags |= {value.lower(): pc.equal(batch["risklevel"], value) for value in RISKLEVELS}
    flags |= {name: batch[name] for name in ANSWERS}
    table = pa.table(
        {"zip": batch["scannerdevice_zipcode"]} | {name: flag.cast(pa.int64()) for name, flag in flags.items()}
    )
    for row in table.group_by("zip").aggregate([(name, "sum") for name in NAMES]).to_pylist():
        yield row["zip"], np.array([row[f"{name}_sum"] for name in NAMES], dtype=np.int64)
