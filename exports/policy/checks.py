"""Checks before a release: rows must match the description of the table and the released counts."""

import re
from collections.abc import Iterable, Iterator

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from exports.dataset.engines import arrow_schema
from exports.dataset.tables import CROWD_TRACING, RESULTS, RISKLEVELS, Table
from exports.policy.draw import Drawn
from exports.policy.fit import Fitted

# Columns that would link rows or identify a venue.
NEVER: tuple[str, ...] = ("userid", "userdeviceid", "scannerdeviceid", "location_op_hours")


def violations(rows: pa.Table, described: Table) -> list[str]:
    """Return violations of the table's description by the rows."""
    if not rows.schema.equals(arrow_schema(described)):
        return [f"the schema of {described.name} is another"]
    return list(_violations(rows, described))


def _violations(rows: pa.Table, described: Table) -> Iterator[str]:
    for column in described.columns:
        values = rows[column.name]
        if column.required and values.null_count:
            yield f"{column.name} is null in {values.null_count} rows"
        present = [value for value in values.unique().to_pylist() if value is not None]
        if column.values and not set(present) <= set(column.values):
            yield f"{column.name} has a value that is not listed"
        if column.pattern and not all(re.fullmatch(column.pattern, text) for text in present):
            yield f"{column.name} has a text of another form"
        if column.minimum is not None and any(value < column.minimum for value in present):
            yield f"{column.name} has a value below {column.minimum}"
        if column.maximum is not None and any(value > column.maximum for value in present):
            yield f"{column.name} has a value above {column.maximum}"


def release_failures(*, drawn: Drawn, fitted: Fitted, batches: Iterable[pa.RecordBatch]) -> list[str]:
    """Return the reasons why a release must not be published; empty if it may be.

    The batches are checked one by one, so a large day needs no more memory than a small one.
    """
    failures: list[str] = []
    if drawn.epsilon > drawn.budget:
        failures.append("the draw cost more than its budget")
    total, symptoms = 0, 0
    outcomes = fitted.cells.sum(axis=0)
    expected = np.stack([outcomes[:, 0], outcomes[:, 1:].sum(axis=1)], axis=1)
    groups = np.zeros(expected.shape, dtype=np.int64)
    for batch in batches:
        rows = pa.Table.from_batches([batch])
        failures += violations(rows, CROWD_TRACING)
        failures += [f"{name} is not empty" for name in NEVER if rows[name].null_count != rows.num_rows]
        days = set(rows["scan_date"].unique().to_pylist()) | {
            text[:10] for text in rows["scandate"].unique().to_pylist()
        }
        if not days <= {drawn.day, drawn.day.isoformat()}:
            failures.append("a row lies on another day")
        total += rows.num_rows
        symptoms += int(pc.sum(rows["symptoms"]).as_py() or 0)
        for cell in rows.group_by(["risklevel", "result"]).aggregate([([], "count_all")]).to_pylist():
            groups[RISKLEVELS.index(cell["risklevel"]), RESULTS.index(cell["result"])] += cell["count_all"]
    if total != fitted.total or symptoms != fitted.symptoms.sum() or (groups != expected).any():
        failures.append("the rows do not add up to the released counts")
    return sorted(set(failures))
