"""Data files that a query reads: those of the open tables, current or as of a release."""

from collections.abc import Mapping

from pyiceberg.exceptions import NoSuchTableError

from exports.dataset.tables import OPEN_TABLES
from exports.engine.engine import Source
from exports.lake.catalogue import Lake


def open_sources(lake: Lake, *, snapshots: Mapping[str, int] | None = None) -> tuple[Source, ...]:
    """Return the open tables with their data files; `snapshots` has, by table, an older snapshot to read.

    A table that did not exist at an older release has no files then, like one that was not created yet.
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
