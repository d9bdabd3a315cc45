"""Counts of a released day by state, from its synthetic rows: no row of a person is read."""

from collections.abc import Iterable, Mapping

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from exports.dataset.tables import ANSWERS, DAILY, RESULTS, RISKLEVELS

Row = list[str | int | None]


def daily_by_state(*, day: str, batches: Iterable[pa.RecordBatch], states: Mapping[str, str]) -> list[Row]:
    """Return the rows of `daily_by_state`, sorted by state; rows of an unknown ZIP come last, without a state."""
    sums: dict[str, np.ndarray] = {}
    for batch in batches:
        for zip5, counts in _by_zip(batch):
            state = states.get(zip5[:3], "")
            sums[state] = sums.get(state, np.zeros(len(counts), dtype=np.int64)) + counts
    return [[day, state or None, *sums[state].tolist()] for state in sorted(sums, key=lambda name: (not name, name))]


def _by_zip(batch: pa.RecordBatch) -> Iterable[tuple[str, np.ndarray]]:
    """Return counts of each ZIP in the order of the columns of `DAILY`."""
    flags = {"total": pa.repeat(pa.scalar(True), batch.num_rows)}
    flags |= {value.lower(): pc.equal(batch["result"], value) for value in RESULTS}
    flags |= {value.lower(): pc.equal(batch["risklevel"], value) for value in RISKLEVELS}
    flags |= {name: batch[name] for name in ANSWERS}
    table = pa.table(
        {"zip": batch["scannerdevice_zipcode"]} | {name: flag.cast(pa.int64()) for name, flag in flags.items()}
    )
    names = [name.removesuffix("_count") for name in DAILY.names[2:]]
    for row in table.group_by("zip").aggregate([(name, "sum") for name in names]).to_pylist():
        yield row["zip"], np.array([row[f"{name}_sum"] for name in names], dtype=np.int64)
