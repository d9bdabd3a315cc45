"""Synthetic rows of a day, dealt from its fitted counts, and the rows of `_dp_counts`.

The values of each attribute are shuffled and dealt to the rows, so the rows have exactly the released counts. The
shuffle is seeded by the noisy counts alone: equal draws give equal rows, and no row reveals more than the counts.
"""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any, Final

import numpy as np
import pyarrow as pa
from numpy.typing import NDArray

from exports.dataset.engines import arrow_schema
from exports.dataset.tables import ANSWERS, CROWD_TRACING, DP_COUNTS
from exports.policy.attributes import OF_REFUSALS
from exports.policy.domain import NONE, OUTCOME, REFUSED, RESULT, RISK, ZIP_RISK_RESULT, Axis, Workload
from exports.policy.draw import Drawn, DrawnTable
from exports.policy.estimates import Estimates, interval, is_all_passes, outcome_axis
from exports.policy.fit import Fitted
from exports.policy.noise import Counts, variance

BATCH_ROWS: Final = 65_536
APPROVED: Final = 0
CHECKOUT: Final = 1
# The code of a value that is null.
NULL: Final = -1
# The hour of a row with a hidden hour, on the hour; a known hour is at half past.
UNKNOWN_HOUR: Final = "12:00:00"

Codes = NDArray[np.int16]


@dataclass(frozen=True)
class SyntheticDay:
    """Rows of a day as codes into `axes`, by attribute; sorted by ZIP, the empty one first."""

    drawn: Drawn
    codes: Mapping[str, Codes]
    axes: Mapping[str, Axis]

    @property
    def rows(self) -> int:
        """Return the number of rows."""
        return len(self.codes["zip"])

    def batches(self, size: int = BATCH_ROWS) -> Iterator[pa.RecordBatch]:
        """Yield the rows in the schema of the open table, `size` at a time."""
        for start in range(0, self.rows, size):
            yield self._batch(slice(start, start + size))

    def _batch(self, rows: slice) -> pa.RecordBatch:
        day, schema = self.drawn.day, arrow_schema(CROWD_TRACING)
        count = len(self.codes["zip"][rows])
        times = [f"{day.isoformat()}T{hour}:30:00.000Z" for hour in self.axes["hour"].values]
        made: dict[str, pa.Array] = {
            "scandate": self._taken("hour", pa.array(times), rows).fill_null(f"{day.isoformat()}T{UNKNOWN_HOUR}.000Z"),
            "scannerdevice_zipcode": self._taken(
                "zip", pa.array([zip3 + "00" if zip3 else "" for zip3 in self.axes["zip"].values]), rows
            ),
            "scan_date": pa.repeat(pa.scalar(day, pa.date32()), count),
        }
        for name in self.codes:
            if name in schema.names:
                made[name] = self._taken(name, values_of(self.axes[name], schema.field(name).type), rows)
        columns = [
            made[field.name].cast(field.type) if field.name in made else pa.nulls(count, field.type) for field in schema
        ]
        return pa.RecordBatch.from_arrays(columns, schema=schema)

    def _taken(self, name: str, values: pa.Array, rows: slice) -> pa.Array:
        codes = self.codes[name][rows]
        return values.take(pa.array(codes, mask=codes == NULL))

    def counts(self, workload: Workload) -> Counts | None:
        """Return the rows in each cell of a table of counts; `None` if rows lack one of its columns."""
        found = [self.codes[axis.name] for axis in workload.axes]
        if is_all_passes(workload) or any(len(line) and (line == NULL).all() for line in found):
            return None
        known = np.ones(self.rows, dtype=bool)
        for line in found:
            known &= line != NULL
        if not found:
            return np.array(self.rows, dtype=np.int64)
        place = np.ravel_multi_index([line[known] for line in found], workload.shape)
        return np.bincount(place, minlength=workload.cells).reshape(workload.shape).astype(np.int64)


def values_of(axis: Axis, kind: pa.DataType) -> pa.Array:
    """Return each value of an axis as in the table: the text, the boolean, the number, the middle of the bin."""
    return pa.array([_value(text, kind) for text in axis.values], type=kind)


def _value(text: str, kind: pa.DataType) -> Any:
    if text == NONE:
        return None
    if pa.types.is_boolean(kind):
        return text == "true"
    if pa.types.is_string(kind):
        return text
    low, _, high = text.partition("-")
    number = (float(low) + float(high)) / 2 if high else float(low)
    return int(number) if pa.types.is_integer(kind) else number


def deal(drawn: Drawn, fitted: Fitted) -> SyntheticDay:
    """Deal the rows of a day. Equal draws give equal rows."""
    rng = np.random.Generator(np.random.PCG64(drawn.seed()))
    axes = {RESULT.name: RESULT, OUTCOME.name: outcome_axis(drawn)}
    axes |= {axis.name: axis for table in drawn.tables for axis in table.workload.axes if axis.name not in axes}
    codes = _places(fitted)
    codes |= _answers(fitted, codes, rng)
    for table in drawn.tables:
        counts = fitted.attributes.get(table.workload.name)
        if counts is None:
            continue
        name = table.workload.axes[-1].name
        risks = codes["risklevel"] if table.workload.axes[0].name == RISK.name else np.zeros_like(codes["risklevel"])
        codes[name] = _column(axes[name], counts.reshape(-1, counts.shape[-1]), risks, codes[OUTCOME.name], rng)
    order = _shuffled_within(codes["zip"], rng)
    return SyntheticDay(drawn, {name: values[order] for name, values in codes.items()}, axes)


def _column(axis: Axis, counts: Counts, risks: Codes, outcome: Codes, rng: np.random.Generator) -> Codes:
    """Deal one column: refusals first if their value is known, then the rows of each line; the rest is null."""
    dealt = np.full(len(risks), NULL, dtype=np.int16)
    for level, line in enumerate(counts):
        left, rows = line.copy(), np.flatnonzero(risks == level)
        if axis.name in OF_REFUSALS and line.any():
            value, refused = axis.values.index(OF_REFUSALS[axis.name]), rows[outcome[rows] == REFUSED]
            dealt[refused] = value
            left[value] -= len(refused)
            rows = rows[outcome[rows] != REFUSED]
        if axis.name == "type_of_scan":
            _deal_checkouts(dealt, left, rows, outcome, rng)
        else:
            chosen = rng.permutation(rows)[: int(left.sum())]
            dealt[chosen] = np.repeat(np.arange(len(left), dtype=np.int16), left)
    return dealt


def _deal_checkouts(
    dealt: Codes, left: Counts, rows: NDArray[np.intp], outcome: Codes, rng: np.random.Generator
) -> None:
    """Deal check-outs to admitted rows first, because a declined visitor rarely checks out."""
    if not left.any():
        return
    admitted, declined = rows[outcome[rows] == APPROVED], rows[outcome[rows] != APPROVED]
    order = np.concatenate([rng.permutation(admitted), rng.permutation(declined)])
    out, into = int(left[CHECKOUT]), int(left.sum() - left[CHECKOUT])
    dealt[order[:out]] = CHECKOUT
    # From the other end, so that rows without a value are admitted ones between.
    dealt[order[len(order) - into :]] = 1 - CHECKOUT


def _deck(counts: Counts, rng: np.random.Generator) -> Codes:
    """Return each value as often as its count, shuffled."""
    deck = np.repeat(np.arange(len(counts), dtype=np.int16), counts)
    rng.shuffle(deck)
    return deck


def _places(fitted: Fitted) -> dict[str, Codes]:
    """Return ZIP, risklevel and outcome of each row, and the rows with symptoms first in each cell."""
    zips, risks, outcomes = (index.ravel() for index in np.indices(fitted.cells.shape))
    counts = fitted.cells.ravel()
    outcome = np.repeat(outcomes, counts).astype(np.int16)
    return {
        "zip": np.repeat(zips, counts).astype(np.int16),
        "risklevel": np.repeat(risks, counts).astype(np.int16),
        OUTCOME.name: outcome,
        RESULT.name: np.minimum(outcome, len(RESULT.values) - 1),
    }


def _answers(fitted: Fitted, codes: Mapping[str, Codes], rng: np.random.Generator) -> dict[str, Codes]:
    """Deal the four answers: symptoms as fitted for each cell, then the patterns of each group among its rows."""
    counts, with_symptoms = fitted.cells.ravel(), fitted.symptoms.ravel()
    place = np.arange(int(counts.sum())) - np.repeat(np.cumsum(counts) - counts, counts)
    symptoms = place < np.repeat(with_symptoms, counts)
    patterns = np.zeros(len(symptoms), dtype=np.int16)
    for risk, outcome in np.ndindex(*fitted.answers.shape[:2]):
        group = (codes["risklevel"] == risk) & (codes[OUTCOME.name] == outcome)
        for answer in (0, 1):
            rows = np.flatnonzero(group & (symptoms == answer))
            patterns[rows] = _deck(fitted.answers[risk, outcome, answer].ravel(), rng)
    others = np.unravel_index(patterns, fitted.answers.shape[3:])
    made = [symptoms.astype(np.int16), *(code.astype(np.int16) for code in others)]
    return dict(zip(ANSWERS, made, strict=True))


def _shuffled_within(zips: Codes, rng: np.random.Generator) -> NDArray[np.int64]:
    """Return an order by ZIP that is random within each ZIP."""
    return np.lexsort((rng.random(len(zips)), zips))


def dp_counts(drawn: Drawn, fitted: Fitted, rows: SyntheticDay | None = None) -> pa.Table:
    """Return the rows of `_dp_counts`: every noisy count with its scale, interval, suppression and released count.

    `rows`: the dealt day, if the caller has it.
    """
    dealt, estimates, schema = rows or deal(drawn, fitted), Estimates(drawn), arrow_schema(DP_COUNTS)
    return pa.concat_tables([_counts_of(table, estimates, fitted, dealt, schema) for table in drawn.tables])


def _counts_of(
    table: DrawnTable, estimates: Estimates, fitted: Fitted, dealt: SyntheticDay, schema: pa.Schema
) -> pa.Table:
    workload, drawn = table.workload, estimates.drawn
    counts = estimates.counts[workload.name].ravel()
    shown = fitted.published.ravel() if workload.name == ZIP_RISK_RESULT else np.ones(counts.size, dtype=bool)
    released = dealt.counts(workload)
    noise = variance(table.scale) / drawn.keep**2
    ends = [interval(value, estimates.stderr(value, noise)) for value in counts / drawn.keep]
    made: dict[str, pa.Array] = {
        "scan_date": pa.repeat(pa.scalar(drawn.day, pa.date32()), counts.size),
        "measure": pa.repeat(workload.name, counts.size),
        "noisy_count": pa.array(np.rint(counts).astype(np.int64)),
        "noise_scale": pa.repeat(table.scale, counts.size),
        "low": pa.array([low for low, _ in ends], pa.int64()),
        "high": pa.array([high for _, high in ends], pa.int64()),
        "suppressed": pa.array(~shown),
        "released_count": pa.nulls(counts.size, pa.int64()) if released is None else pa.array(released.ravel()),
    }
    for axis, codes in zip(workload.axes, np.indices(workload.shape), strict=True):
        name = RESULT.name if axis.name == OUTCOME.name else axis.name
        if name in schema.names:
            made[name] = values_of(axis, schema.field(name).type).take(pa.array(codes.ravel()))
        else:
            made["bucket"] = pa.array(axis.values, pa.string()).take(pa.array(codes.ravel()))
    columns = [made[field.name] if field.name in made else pa.nulls(counts.size, field.type) for field in schema]
    return pa.Table.from_arrays(columns, schema=schema)
