"""A backfill on this machine: all visits in memory, all cores."""

from __future__ import annotations

import numpy as np
import pyarrow as pa

from risk.backfill.folders import Folder
from risk.backfill.kernel import ROOMS, VISITS, checked, doses_table, stays_of
from risk.model.far import InvalidInputError, Rooms, unit_doses

ROWS_A_FILE = 1_000_000


def backfill(source: Folder, target: Folder, *, cores: int) -> int:
    """Write the doses of all visits, and return how many there are.

    `source` has visits/ and rooms/, by `kernel.VISITS` and `kernel.ROOMS`; `target` gets files by `kernel.DOSES`, in
    order of venue and visit. Raises `FolderError` and `InvalidInputError`; then `target` has no `_SUCCESS`.
    """
    visits = _read(source, "visits", VISITS).sort_by([("venue", "ascending"), ("visit", "ascending")])
    rooms = _read(source, "rooms", ROOMS).sort_by("venue")
    target.prepare()
    names = np.asarray(rooms["venue"].to_pylist(), object)
    if (names[1:] == names[:-1]).any():
        raise InvalidInputError("venue", f"{names[1:][names[1:] == names[:-1]][0]} has several rows in rooms")
    coded = visits["venue"].combine_chunks().dictionary_encode()
    places = np.searchsorted(names, coded.dictionary.to_pylist()) if names.size else np.zeros(0, np.int64)
    for venue, place in zip(coded.dictionary.to_pylist(), places, strict=False):
        if place == names.size or names[place] != venue:
            raise InvalidInputError("venue", f"{venue} has no row in rooms")
    if visits.num_rows and not names.size:
        raise InvalidInputError("venue", "rooms has no row")
    venue = places[coded.indices.to_numpy()].astype(np.int32) if visits.num_rows else np.zeros(0, np.int32)
    air = Rooms(rooms["volume_m3"].to_numpy(), rooms["removal_rate_per_h"].to_numpy())
    doses = doses_table(visits, unit_doses(stays_of(visits, venue), air, cores=cores))
    for number, first in enumerate(range(0, max(1, doses.num_rows), ROWS_A_FILE)):
        target.write(f"part-{number:05d}.parquet", doses.slice(first, ROWS_A_FILE))
    target.finish()
    return int(doses.num_rows)


def _read(source: Folder, part: str, schema: pa.Schema) -> pa.Table:
    files = source.files(part)
    return pa.concat_tables([checked(source.read(file), schema, f"{part}/{file.rpartition('/')[2]}") for file in files])
