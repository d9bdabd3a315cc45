"""Removing what no metadata reaches, and proving what is left.

A copy-on-write delete leaves the old files where they were: reachable from old snapshots until those expire, and on the
disk after that. So an erasure expires all snapshots but the current one, removes every object under the table that its
metadata does not reach, old versions included, and then reads every object that remains.
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
    """Objects that were removed and objects that remain, by address."""

    removed: tuple[str, ...]
    remaining: tuple[str, ...]


def reachable(table: IcebergTable) -> set[str]:
    """Addresses of everything the table's current metadata names: itself, manifests, data and statistics files."""
    found = {table.metadata_location}
    found |= {statistics.statistics_path for statistics in table.metadata.statistics}
    for snapshot in table.metadata.snapshots:
        found.add(snapshot.manifest_list)
        for manifest in snapshot.manifests(table.io):
            found.add(manifest.manifest_path)
            found |= {entry.data_file.file_path for entry in manifest.fetch_manifest_entry(table.io)}
    return {_plain(url) for url in found}


def expire_all_but_current(table: IcebergTable) -> int:
    """Expire every snapshot but the current one; their number."""
    current = table.current_snapshot()
    old = [each.snapshot_id for each in table.metadata.snapshots if current is None or each != current]
    if old:
        table.maintenance.expire_snapshots().by_ids(old).commit()
    return len(old)


def sweep(*, lake: Lake, described: Table) -> Swept:
    """Expire all snapshots of a table but the current one and remove every object and version it does not reach.

    Nobody writes meanwhile: the caller may hold nothing, the table's lock is taken here.
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
    return stored.is_current and not stored.is_marker and _plain(stored.url) in kept


def _plain(url: str) -> str:
    """One spelling of a local file's address, with and without `file://`."""
    return str(local_path(url)) if not url.startswith("s3:") else url
