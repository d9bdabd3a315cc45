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
from exports.policy.domain import (
    NONE,
    PASSES,
    RISK_RESULT_ANSWERS,
    TOTAL,
    ZIP_RISK_RESULT,
    ZIP_SYMPTOMS,
    Axis,
    Workload,
)
from exports.policy.draw import Drawn, DrawnTable
from exports.policy.fit import Fitted
from exports.policy.noise import Counts, half_interval

BATCH_ROWS: Final = 65_536
APPROVED: Final = 0
CHECKOUT: Final = 1

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
            "scandate": self._taken("hour", pa.array(times), rows),
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
        return values.take(pa.array(self.codes[name][rows]))


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
    axes = {axis.name: axis for table in drawn.tables for axis in table.workload.axes}
    codes = _places(fitted)
    codes |= _answers(fitted, codes, rng)
    for table in drawn.tables:
        counts = fitted.attributes.get(table.workload.name)
        if counts is None:
            continue
        name = table.workload.axes[-1].name
        if name == "type_of_scan":
            codes[name] = _scan_types(counts, codes["result"], rng)
        elif counts.ndim == 1:
            codes[name] = _deck(counts, rng)
        else:
            codes[name] = _by_risk(counts, codes["risklevel"], rng)
    order = _shuffled_within(codes["zip"], rng)
    return SyntheticDay(drawn, {name: values[order] for name, values in codes.items()}, axes)


def _places(fitted: Fitted) -> dict[str, Codes]:
    """Return ZIP, risklevel and result of each row, and the rows with symptoms first in each cell."""
    zips, risks, results = (index.ravel() for index in np.indices(fitted.cells.shape))
    counts = fitted.cells.ravel()
    return {
        "zip": np.repeat(zips, counts).astype(np.int16),
        "risklevel": np.repeat(risks, counts).astype(np.int16),
        "result": np.repeat(results, counts).astype(np.int16),
    }


def _answers(fitted: Fitted, codes: Mapping[str, Codes], rng: np.random.Generator) -> dict[str, Codes]:
    """Deal the four answers: symptoms as fitted for each cell, then the patterns of each group among its rows."""
    counts, with_symptoms = fitted.cells.ravel(), fitted.symptoms.ravel()
    place = np.arange(int(counts.sum())) - np.repeat(np.cumsum(counts) - counts, counts)
    symptoms = place < np.repeat(with_symptoms, counts)
    patterns = np.zeros(len(symptoms), dtype=np.int16)
    for risk, result in np.ndindex(*fitted.answers.shape[:2]):
        for answer in (0, 1):
            rows = np.flatnonzero((codes["risklevel"] == risk) & (codes["result"] == result) & (symptoms == answer))
            patterns[rows] = _deck(fitted.answers[risk, result, answer].ravel(), rng)
    others = np.unravel_index(patterns, fitted.answers.shape[3:])
    made = [symptoms.astype(np.int16), *(code.astype(np.int16) for code in others)]
    return dict(zip(ANSWERS, made, strict=True))


def _deck(counts: Counts, rng: np.random.Generator) -> Codes:
    deck = np.repeat(np.arange(len(counts), dtype=np.int16), counts)
    rng.shuffle(deck)
    return deck


def _by_risk(counts: Counts, risk: Codes, rng: np.random.Generator) -> Codes:
    dealt = np.zeros(len(risk), dtype=np.int16)
    for level, line in enumerate(counts):
        dealt[risk == level] = _deck(line, rng)
    return dealt


def _scan_types(counts: Counts, result: Codes, rng: np.random.Generator) -> Codes:
    """Deal check-outs to admitted rows first, since a refused visitor rarely checks out."""
    types = np.zeros(len(result), dtype=np.int16)
    approved, declined = np.flatnonzero(result == APPROVED), np.flatnonzero(result != APPROVED)
    out = int(counts[CHECKOUT])
    among = min(out, len(approved))
    types[rng.permutation(approved)[:among]] = CHECKOUT
    types[rng.permutation(declined)[: out - among]] = CHECKOUT
    return types


def _shuffled_within(zips: Codes, rng: np.random.Generator) -> NDArray[np.int64]:
    """Return an order by ZIP that is random within a ZIP."""
    return np.lexsort((rng.random(len(zips)), zips))


def dp_counts(drawn: Drawn, fitted: Fitted) -> pa.Table:
    """Return the rows of `_dp_counts`: every noisy count with its scale, interval, suppression and released count."""
    schema = arrow_schema(DP_COUNTS)
    return pa.concat_tables([_counts_of(table, drawn, fitted, schema) for table in drawn.tables])


def _counts_of(table: DrawnTable, drawn: Drawn, fitted: Fitted, schema: pa.Schema) -> pa.Table:
    workload = table.workload
    noisy = table.noisy.ravel()
    reach = half_interval(table.scale)
    shown = fitted.published.ravel() if workload.name == ZIP_RISK_RESULT else np.ones(noisy.size, dtype=bool)
    released = _released(workload, fitted)
    made: dict[str, pa.Array] = {
        "scan_date": pa.repeat(pa.scalar(drawn.day, pa.date32()), noisy.size),
        "measure": pa.repeat(workload.name, noisy.size),
        "noisy_count": pa.array(noisy),
        "noise_scale": pa.repeat(table.scale, noisy.size),
        "low": pa.array(np.maximum(noisy - reach, 0)),
        "high": pa.array(np.maximum(noisy + reach, 0)),
        "suppressed": pa.array(~shown),
        "released_count": pa.nulls(noisy.size, pa.int64()) if released is None else pa.array(released.ravel()),
    }
    for axis, codes in zip(workload.axes, np.indices(workload.shape), strict=True):
        if axis.name in schema.names:
            made[axis.name] = values_of(axis, schema.field(axis.name).type).take(pa.array(codes.ravel()))
        else:
            made["bucket"] = pa.array(axis.values, pa.string()).take(pa.array(codes.ravel()))
    columns = [made[field.name] if field.name in made else pa.nulls(noisy.size, field.type) for field in schema]
    return pa.Table.from_arrays(columns, schema=schema)


def _released(workload: Workload, fitted: Fitted) -> Counts | None:
    """Return the day's rows in each cell; `None` for the count of all passes, which are not only marked ones."""
    fixed: dict[str, Counts] = {
        TOTAL: np.array(fitted.total),
        ZIP_RISK_RESULT: fitted.cells,
        RISK_RESULT_ANSWERS: fitted.answers,
        ZIP_SYMPTOMS: np.stack(
            [(fitted.cells - fitted.symptoms).sum(axis=(1, 2)), fitted.symptoms.sum(axis=(1, 2))], 1
        ),
    }
    return None if workload.name == PASSES else fixed.get(workload.name, fitted.attributes.get(workload.name))
