"""The sweep: remove every object that the current metadata does not reach.

A copy-on-write delete keeps the old files: old snapshots reach them until they expire, and even then they stay on the
disk. So an erasure expires all snapshots except the current one, removes every object under the table that its metadata
does not reach, including old versions, and then reads every remaining object.
"""

from dataclasses import dataclass
from typing import Final

from pyiceberg.table import Table as IcebergTable

from exports.dataset.tables import Table
from exports.lake.catalogue import Lake
from exports.lake.storage import StoredObject, local_path

REMOVE_AT_ONCE: Final = 500


@dataclass(frozen=True)
class Swept:
    """The removed and the remaining objects, by URL."""

    removed: tuple[str, ...]
    remaining: tuple[str, ...]


def reachable(table: IcebergTable) -> set[str]:
    """Return the URLs that the table's current metadata reaches: itself, manifests, data and statistics files."""
    found = {table.metadata_location}
    found |= {statistics.statistics_path for statistics in table.metadata.statistics}
    for snapshot in table.metadata.snapshots:
        found.add(snapshot.manifest_list)
        for manifest in snapshot.manifests(table.io):
            found.add(manifest.manifest_path)
            found |= {entry.data_file.file_path for entry in manifest.fetch_manifest_entry(table.io)}
    return {normalised_url(url) for url in found}


def expire_all_but_current(table: IcebergTable) -> int:
    """Expire every snapshot but the current one; return their number."""
    current = table.current_snapshot()
    old = [each.snapshot_id for each in table.metadata.snapshots if current is None or each != current]
    if old:
        table.maintenance.expire_snapshots().by_ids(old).commit()
    return len(old)


def sweep(*, lake: Lake, described: Table) -> Swept:
    """Expire all snapshots of a table but the current one, and remove every object and version it does not reach.

    This takes the table's lock, so the caller must not hold it.
    """
    with lake.writing(described):
        table = lake.table(described)
        expire_all_but_current(table)
        table = lake.table(described)
        kept = reachable(table)
        objects = lake.storage.objects()
        present = list(objects.versions(table.location()))
        lost = [each for each in present if not _stays(each, kept)]
        for start in range(0, len(lost), REMOVE_AT_ONCE):
            objects.remove(lost[start : start + REMOVE_AT_ONCE])
        remaining = tuple(sorted({each.url for each in objects.versions(table.location())}))
    return Swept(tuple(sorted({each.url for each in lost})), remaining)


def _stays(stored: StoredObject, kept: set[str]) -> bool:
    return stored.is_current and not stored.is_marker and normalised_url(stored.url) in kept


def normalised_url(url: str) -> str:
    """Normalise a local file's URL, with or without `file://`."""
    return str(local_path(url)) if not url.startswith("s3:") else url
