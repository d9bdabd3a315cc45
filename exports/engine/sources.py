"""Which data files a query reads: those of the open tables, as they are now or as a release left them."""

from collections.abc import Mapping

from exports.dataset.tables import OPEN_TABLES
from exports.engine.engine import Source
from exports.lake.catalogue import Lake


def open_sources(lake: Lake, *, snapshots: Mapping[str, int] | None = None) -> tuple[Source, ...]:
    """The open tables with the data files that pyiceberg plans; `snapshots` names, by table, one to go back to."""
    found = []
    for described in OPEN_TABLES:
        scan = lake.table(described).scan(snapshot_id=(snapshots or {}).get(described.name))
        found.append(Source(described, files=tuple(sorted(task.file.file_path for task in scan.plan_files()))))
    return tuple(found)
