"""Columns of a backfill, and the doses of one venue's visits."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from risk.model.far import InvalidInputError, Rooms, Stays, UnitDoses, unit_doses

if TYPE_CHECKING:
    import numpy.typing as npt

VISITS: Final = pa.schema(
    [
        pa.field("venue", pa.string(), nullable=False),
        pa.field("visit", pa.int64(), nullable=False),  # unique within its venue
        pa.field("arrive_us", pa.int64(), nullable=False),  # microseconds of one clock
        pa.field("leave_us", pa.int64(), nullable=False),  # at most 28 hours later
        pa.field("answer_class", pa.int8(), nullable=False),  # 0-3; -1 takes in and gives nothing
        pa.field("previous", pa.int64()),  # the same person's visit before in the same venue
    ]
)
ROOMS: Final = pa.schema(
    [
        pa.field("venue", pa.string(), nullable=False),
        pa.field("volume_m3", pa.float64(), nullable=False),
        pa.field("removal_rate_per_h", pa.float64(), nullable=False),
    ]
)
_CHANNELS: Final = ("everybody", "class1", "class2", "class3")
DOSES: Final = pa.schema(
    [pa.field("venue", pa.string(), nullable=False), pa.field("visit", pa.int64(), nullable=False)]
    + [pa.field(f"dose_h2_per_m3_{channel}", pa.float64(), nullable=False) for channel in _CHANNELS]
    + [pa.field(f"person_us_{channel}", pa.int64(), nullable=False) for channel in _CHANNELS]
    + [pa.field(f"heads_{channel}", pa.int32(), nullable=False) for channel in _CHANNELS]
)
OPTIONAL: Final = {"previous"}


def checked(table: pa.Table, schema: pa.Schema, where: str) -> pa.Table:
    """Return the table's columns of the schema in its types; raise `InvalidInputError` for what does not fit.

    `where` names the file or venue for the error.
    """
    columns = []
    for field in schema:
        if field.name not in table.column_names:
            if field.name not in OPTIONAL:
                raise InvalidInputError(field.name, f"{where} has no such column")
            columns.append(pa.nulls(table.num_rows, field.type))
            continue
        column = table.column(field.name)
        if column.null_count and not field.nullable:
            raise InvalidInputError(field.name, f"{where} has rows without a value")
        try:
            columns.append(pc.cast(column, field.type))
        except pa.ArrowInvalid:
            raise InvalidInputError(field.name, f"{where} has values that are not {field.type}") from None
        except pa.ArrowNotImplementedError:
            raise InvalidInputError(field.name, f"{where} has {column.type}, not {field.type}") from None
    return pa.table(columns, schema=schema)


def doses_of_venue(visits: pa.Table, rooms: pa.Table) -> pa.Table:
    """Return the `DOSES` of one venue's `VISITS` in order of visit; `rooms` has its row of `ROOMS`.

    Raises `InvalidInputError`.
    """
    if visits.num_rows == 0:
        return DOSES.empty_table()
    (venue,) = set(visits["venue"].unique().to_pylist())
    if rooms.num_rows != 1:
        found = "no row" if rooms.num_rows == 0 else "several rows"
        raise InvalidInputError("venue", f"{venue} has {found} in rooms")
    visits = checked(visits, VISITS, venue).sort_by("visit")
    room = Rooms(_array(rooms["volume_m3"]), _array(rooms["removal_rate_per_h"]))
    return doses_table(visits, unit_doses(stays_of(visits, np.zeros(visits.num_rows, np.int32)), room))


def stays_of(visits: pa.Table, venue: npt.NDArray[np.int32]) -> Stays:
    """Return the stays of visits that are sorted by venue and visit. `venue` (n,) has the room's row of each."""
    names = _array(visits["visit"])
    twice = (names[1:] == names[:-1]) & (venue[1:] == venue[:-1])
    if twice.any():
        raise InvalidInputError("visit", f"{names[1:][twice][0]} is given twice in a venue")
    previous: Any = ()
    if visits["previous"].null_count < visits.num_rows:
        previous = _rows_of(
            _array(visits["previous"].fill_null(-1)), _array(visits["previous"].is_null()), names, venue
        )
    return Stays.of(
        venue=venue,
        arrive_us=_array(visits["arrive_us"]),
        leave_us=_array(visits["leave_us"]),
        answer_class=_array(visits["answer_class"]),
        previous=previous,
    )


def doses_table(visits: pa.Table, doses: UnitDoses) -> pa.Table:
    """Return the doses with the names of their visits."""
    columns = [visits["venue"], visits["visit"]]
    for values in (doses.dose_h2_per_m3, doses.person_us, doses.heads):
        columns += [pa.array(np.ascontiguousarray(values[:, channel])) for channel in range(len(_CHANNELS))]
    return pa.table(columns, schema=DOSES)


def _rows_of(wanted: Any, absent: Any, names: Any, venue: npt.NDArray[np.int32]) -> npt.NDArray[np.int64]:
    """Return the rows of earlier visits, or -1; `names` are in order within each venue."""
    rows = np.full(names.size, -1, np.int64)
    starts = np.flatnonzero(np.concatenate([[True], venue[1:] != venue[:-1]])) if venue.size else np.zeros(0, int)
    ends = np.append(starts[1:], venue.size)
    for first, last in zip(starts, ends, strict=True):
        linked = np.flatnonzero(~absent[first:last]) + first
        found = np.searchsorted(names[first:last], wanted[linked]) + first
        known = found < last
        known[known] = names[found[known]] == wanted[linked][known]
        if not known.all():
            raise InvalidInputError("previous", f"{wanted[linked][~known][0]} is no visit of the same venue")
        rows[linked] = found
    if (rows == np.arange(names.size)).any():
        raise InvalidInputError("previous", "a visit is its own")
    return rows


def _array(column: pa.ChunkedArray) -> Any:
    return column.to_numpy()
