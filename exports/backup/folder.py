"""The folder of a backup: its files, their checksums, and the manifest that is written last.

manifest.json    the contents and their version; without it the backup is incomplete
database.dump    written by pg_dump, in its custom format
lake/            data and metadata files of the tables, by their paths under the lake
logs-N/          erasures/ and draws/: the logs as of their last copy
"""

import hashlib
import json
import os
import secrets
from collections.abc import Iterable, Iterator
from dataclasses import asdict, dataclass, field, replace
from pathlib import Path
from typing import Any, BinaryIO, Final

MANIFEST: Final = "manifest.json"
DUMP: Final = "database.dump"
LAKE: Final = "lake"
LOGS: Final = "logs-"
FORMAT: Final = 1
PART_BYTES: Final = 1 << 20


class BackupError(Exception):
    """A backup that cannot be made or read; the text is for the operator and says what to do."""


@dataclass(frozen=True)
class File:
    """A file of the backup: its size and the SHA-256 of its bytes."""

    bytes: int
    sha256: str


@dataclass(frozen=True)
class Manifest:
    """The contents of a backup."""

    version: str
    made_at: str
    migrations: dict[str, str]
    """The last migration of each app."""
    keys: dict[str, str]
    """For each secret that is not in the backup, by name: a mark derived from it, to compare."""
    lake: str
    """The URL of the lake; its files refer to each other by it."""
    catalogue: str
    tables: dict[str, str]
    """The path of the metadata file that the catalogue named, by table."""
    logs: str
    """The folder of the current logs."""
    logs_at: str
    files: dict[str, File] = field(default_factory=dict)
    format: int = FORMAT


def write_manifest(folder: Path, manifest: Manifest) -> None:
    """Write the manifest atomically."""
    document = asdict(manifest)
    document["digest"] = _digest(document)
    draft = folder / f".{MANIFEST}.{secrets.token_hex(4)}"
    with _private(draft) as file:
        file.write(json.dumps(document, indent=1, sort_keys=True).encode())
        _flush(file)
    draft.replace(folder / MANIFEST)
    _flush_folder(folder)


def read_manifest(folder: Path) -> Manifest:
    """Return the manifest; raise `BackupError` for a folder without a complete backup."""
    try:
        document = json.loads((folder / MANIFEST).read_bytes())
        digest = document.pop("digest")
        if digest != _digest(document):
            raise ValueError("changed")
    except FileNotFoundError:
        if folder.is_dir() and any(folder.iterdir()):
            raise BackupError(f"{folder} holds a backup that was cut off, or none: it has no {MANIFEST}.") from None
        raise BackupError(f"{folder} holds no backup.") from None
    except OSError as error:
        raise BackupError(f"{folder} cannot be read: {error.strerror}.") from None
    except (ValueError, KeyError, AttributeError):
        raise BackupError(f"{MANIFEST} in {folder} is damaged: take another backup.") from None
    if document["format"] != FORMAT:
        raise BackupError(f"The backup has format {document['format']}, and this version reads {FORMAT}.")
    files = {name: File(**each) for name, each in document.pop("files").items()}
    return Manifest(**document, files=files)


def check_files(folder: Path, manifest: Manifest) -> None:
    """Compare every file with its checksum; raise `BackupError` that names the first that differs."""
    for name, expected in manifest.files.items():
        try:
            with (folder / name).open("rb") as file:
                found = measured(file)
        except OSError:
            raise BackupError(f"{name} is missing from the backup, or cannot be read: take another backup.") from None
        if found != expected:
            raise BackupError(f"{name} of the backup is not what was written: take another backup.")


def measured(file: BinaryIO) -> File:
    """Return size and checksum of the rest of a file."""
    return write_parts(iter(lambda: file.read(PART_BYTES), b""), None)


def write_parts(parts: Iterable[bytes], out: Any) -> File:
    """Write parts to `out`, if given; return their size and checksum."""
    digest, size = hashlib.sha256(), 0
    for part in parts:
        digest.update(part)
        size += len(part)
        if out is not None:
            out.write(part)
    return File(size, digest.hexdigest())


def store(folder: Path, name: str, parts: Iterable[bytes]) -> File:
    """Write a file of the backup with mode 0600, and sync it to disk."""
    path = folder / name
    path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
    with _private(path) as file:
        written = write_parts(parts, file)
        _flush(file)
    return written


def parts_of(path: Path) -> Iterator[bytes]:
    """Yield the bytes of a file in parts."""
    with path.open("rb") as file:
        yield from iter(lambda: file.read(PART_BYTES), b"")


def with_files(manifest: Manifest, files: dict[str, File], **changed: Any) -> Manifest:
    """Return the manifest with other files and fields."""
    return replace(manifest, files=files, **changed)


def make_empty(folder: Path) -> None:
    """Create the folder of a new backup with mode 0700; raise `BackupError` if it is not empty."""
    try:
        folder.mkdir(mode=0o700, parents=True, exist_ok=True)
        if any(folder.iterdir()):
            raise BackupError(
                f"{folder} is not empty: name a new folder. (To renew the logs of a backup, give --logs.)"
            )
        folder.chmod(0o700)
    except OSError as error:
        raise BackupError(f"{folder} cannot be made: {error.strerror}.") from None


def _digest(document: dict[str, Any]) -> str:
    return hashlib.sha256(json.dumps(document, sort_keys=True).encode()).hexdigest()


def _private(path: Path) -> BinaryIO:
    return os.fdopen(os.open(path, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600), "wb")


def _flush(file: BinaryIO) -> None:
    file.flush()
    os.fsync(file.fileno())


def _flush_folder(folder: Path) -> None:
    descriptor = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)
