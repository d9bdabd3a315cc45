"""Data files that a query reads: those of the open tables, as they are now or as of a release."""

from collections.abc import Mapping

from pyiceberg.exceptions import NoSuchTableError

from exports.dataset.tables import OPEN_TABLES
from exports.engine.engine import Source
from exports.lake.catalogue import Lake


def open_sources(lake: Lake, *, snapshots: Mapping[str, int] | None = None) -> tuple[Source, ...]:
    """Return the open tables with their data files; `snapshots` names, by table, an older snapshot to read.

    A table that an older release did not have has no files then, as one that nobody has made yet.
    """
    found = []
    for described in OPEN_TABLES:
        if snapshots and described.name not in snapshots:
            found.append(Source(described))
            continue
        try:
            table = lake.table(described)
        except NoSuchTableError:
            found.append(Source(described))
            continue
        scan = table.scan(snapshot_id=(snapshots or {}).get(described.name))
        found.append(Source(described, files=tuple(sorted(task.file.file_path for task in scan.plan_files()))))
    return tuple(found)
