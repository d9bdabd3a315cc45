"""Back up and restore the lake: the files that its tables reach, and the two logs."""

import contextlib
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any, Final

from pyiceberg.exceptions import NoSuchTableError
from pyiceberg.io import FileIO, load_file_io

from exports.backup.folder import LAKE, BackupError, File, parts_of, store
from exports.dataset.tables import VERIFIED, Table, Zone
from exports.erasure import log as erasures
from exports.lake.catalogue import STORED_TABLES, Lake
from exports.lake.relocate import relocated
from exports.lake.storage import Storage, StoredObject, local_path
from exports.lake.sweep import reachable, sweep
from exports.release import draw_log

LOG_FOLDERS: Final = (erasures.FOLDER, draw_log.FOLDER)
PART_BYTES: Final = 1 << 20
_LOG_NAME: Final = re.compile(r"([a-z]+-)?\d{4}-\d{2}-\d{2}")


class MovedError(Exception):
    """A file to copy was removed by a concurrent erasure."""


def pointers(lake: Lake) -> dict[str, str]:
    """Return, by table, the path of the metadata file that the catalogue names; missing tables are left out."""
    found = {}
    for described in STORED_TABLES:
        try:
            found[described.name] = _path(lake.storage, lake.table(described).metadata_location)
        except NoSuchTableError:
            continue
        except (FileNotFoundError, OSError) as error:
            raise BackupError(
                f"The catalogue names a metadata file of {described.name} that is not in the lake. Put it back, or "
                "restore an older backup."
            ) from error
    return found


def copy_out(lake: Lake, tables: dict[str, str], folder: Path) -> dict[str, File]:
    """Copy the files that these metadata files reach; return them with their checksums. Raise `MovedError`."""
    from pyiceberg.table import StaticTable

    written: dict[str, File] = {}
    files = _files(lake.storage)
    try:
        for metadata in tables.values():
            table = StaticTable.from_metadata(lake.storage.at(metadata), lake.storage.catalogue_properties())
            for url in sorted(reachable(table)):
                path = _path(lake.storage, url)
                written[f"{LAKE}/{path}"] = store(folder, f"{LAKE}/{path}", _stream(files, lake.storage.at(path)))
    except FileNotFoundError as error:
        raise MovedError from error
    return written


def copy_logs(storage: Storage, folder: Path, name: str) -> dict[str, File]:
    """Copy both logs into `name` of the backup."""
    (folder / name).mkdir(mode=0o700, exist_ok=True)
    written = {}
    for each, body in _logs(storage):
        written[f"{name}/{each}"] = store(folder, f"{name}/{each}", [body])
    return written


def _logs(storage: Storage) -> Iterator[tuple[str, bytes]]:
    """Yield path and bytes of each object of the logs."""
    objects = storage.objects()
    for folder in LOG_FOLDERS:
        for stored in objects.versions(storage.at(folder)):
            if stored.is_current and not stored.is_marker and not stored.url.endswith(".part"):
                yield storage.relative(stored.url), objects.read(stored)


def put_back(storage: Storage, tables: dict[str, str], folder: Path, files: dict[str, File], *, old: str) -> None:
    """Write the files of the tables into the lake, with the URLs of this lake if it is another one."""

    def read(path: str) -> bytes:
        return (folder / LAKE / path).read_bytes()

    changed: dict[str, bytes] = {}
    if storage.url.rstrip("/") != old.rstrip("/"):
        for metadata in tables.values():
            changed |= relocated(metadata, read, old=old, new=storage.url)
    out = _files(storage)
    for name in files:
        if not name.startswith(f"{LAKE}/"):
            continue
        path = name.removeprefix(f"{LAKE}/")
        parts = [changed[path]] if path in changed else parts_of(folder / name)
        with out.new_output(storage.at(path)).create(overwrite=True) as stream:
            for part in parts:
                stream.write(part)


def put_logs(storage: Storage, logs: Path) -> None:
    """Add logs to those of the lake: hashes of erasures to each day, draws that the lake lacks."""
    objects = storage.objects()
    there = dict(_logs(storage))
    for path in sorted(each for each in logs.rglob("*") if each.is_file()):
        name = path.relative_to(logs).as_posix()
        if name.partition("/")[0] not in LOG_FOLDERS or not _LOG_NAME.fullmatch(path.name):
            continue
        if name.startswith(f"{erasures.FOLDER}/"):
            body = _union(path.read_bytes(), there.get(name, b""))
            if body != there.get(name):
                objects.write(storage.at(name), body)
        elif name not in there:
            objects.write(storage.at(name), path.read_bytes())


def _union(one: bytes, other: bytes) -> bytes:
    size = erasures.HASH_BYTES
    hashes = {body[at : at + size] for body in (one, other) for at in range(0, len(body), size)}
    return b"".join(sorted(hashes))


def point(lake: Lake, tables: dict[str, str]) -> None:
    """Point the catalogue to these metadata files."""
    for described in STORED_TABLES:
        if described.name not in tables:
            continue
        wanted, name = lake.storage.at(tables[described.name]), lake.identifier(described)
        lake.make_namespace(described)
        if _named(lake, described) == wanted:
            continue
        with contextlib.suppress(NoSuchTableError):
            lake.catalogue.drop_table(name)  # only the pointer, whose file may be gone
        lake.catalogue.register_table(name, wanted)


def _named(lake: Lake, described: Table) -> str | None:
    """Return the metadata file that the catalogue names, `None` if it is not in the lake."""
    try:
        return lake.table(described).metadata_location
    except (NoSuchTableError, OSError):
        return None


def remove_unreached(lake: Lake) -> int:
    """Remove files that the verified table does not reach: rows erased since, or written by a newer release."""
    return len(sweep(lake=lake, described=VERIFIED).removed)


def holds_rows(storage: Storage, files: dict[str, File]) -> bool:
    """Return whether data files are in the lake that the backup does not have."""
    objects = storage.objects()
    for zone in Zone:
        for stored in objects.versions(storage.at(zone.value)):
            if _is_data(stored) and f"{LAKE}/{storage.relative(stored.url)}" not in files:
                return True
    return False


def _is_data(stored: StoredObject) -> bool:
    return stored.is_current and not stored.is_marker and stored.url.endswith(".parquet")


def _files(storage: Storage) -> FileIO:
    return load_file_io(storage.catalogue_properties(), storage.url)


def _stream(files: FileIO, url: str) -> Iterator[bytes]:
    with files.new_input(url).open() as stream:
        source: Any = stream
        yield from iter(lambda: source.read(PART_BYTES), b"")


def _path(storage: Storage, url: str) -> str:
    """Return the path under the lake of a URL, or of a local file's path."""
    if not storage.is_s3 and "://" not in url:
        return Path(url).relative_to(local_path(storage.url)).as_posix()
    return storage.relative(url)
