"""A table as of one release, as Iceberg metadata at public URLs: metadata, manifest list, manifest.

The lake's metadata names files by their location in the lake, which outsiders cannot read, and has snapshots of
releases that are not announced yet. So the published metadata is created from the files of one release: one snapshot,
whose files have public URLs (Apache Iceberg table specification, version 2).
"""

import io
from collections.abc import Mapping
from copy import deepcopy
from dataclasses import dataclass
from types import TracebackType
from typing import Final, Self, cast

from pyiceberg.io import InputFile, InputStream, OutputFile, OutputStream
from pyiceberg.manifest import DataFile, ManifestEntry, ManifestEntryStatus, write_manifest, write_manifest_list
from pyiceberg.table import Table as IcebergTable
from pyiceberg.table.metadata import TableMetadataV2
from pyiceberg.table.refs import SnapshotRef
from pyiceberg.table.snapshots import Operation, Summary

FORMAT: Final = 2
HINT: Final = "version-hint.text"


@dataclass(frozen=True)
class Pointer:
    """Metadata files by name; `document` is that of the table, as JSON."""

    document: str
    files: Mapping[str, bytes]


def document_name(number: int) -> str:
    """Return the name of a release's metadata file, as readers derive it from the version hint."""
    return f"v{number}.metadata.json"


def published_pointer(
    table: IcebergTable, *, snapshot_id: int, number: int, location: str, addresses: Mapping[str, str]
) -> Pointer:
    """Return the metadata of a table at `location`, as of the release of that number.

    `addresses` has the public URL of each file of the lake, by its path; raise `KeyError` for a file without one.
    """
    held = table.snapshot_by_id(snapshot_id)
    if held is None:
        raise KeyError(snapshot_id)
    names = {"manifest": f"{number}-manifest.avro", "list": f"{number}-list.avro"}
    manifest = _Memory(f"{location}/metadata/{names['manifest']}")
    sequence = held.sequence_number or 1
    with write_manifest(FORMAT, table.spec(), table.schema(), manifest, snapshot_id, "deflate") as writer:
        for task in table.scan(snapshot_id=snapshot_id).plan_files():
            writer.add_entry(_entry(task.file, addresses[task.file.file_path], snapshot_id, sequence))
    listing = _Memory(f"{location}/metadata/{names['list']}")
    with write_manifest_list(FORMAT, listing, snapshot_id, None, sequence, "deflate") as lists:
        lists.add_manifests([writer.to_manifest_file()])
    snapshot = held.model_copy(
        update={
            "parent_snapshot_id": None,
            "sequence_number": sequence,
            "manifest_list": listing.location,
            "summary": Summary(Operation.APPEND),
            "schema_id": table.metadata.current_schema_id,
        }
    )
    metadata = cast(TableMetadataV2, table.metadata).model_copy(
        update={
            "location": location,
            "last_updated_ms": held.timestamp_ms,
            "last_sequence_number": sequence,
            "properties": {},
            "snapshots": [snapshot],
            "current_snapshot_id": snapshot_id,
            "snapshot_log": [],
            "metadata_log": [],
            "statistics": [],
            "partition_statistics": [],
            "refs": {"main": SnapshotRef.model_validate({"snapshot-id": snapshot_id, "type": "branch"})},
        }
    )
    document = metadata.model_dump_json(by_alias=True, exclude_none=True)
    files = {
        document_name(number): document.encode(),
        HINT: str(number).encode(),
        names["manifest"]: manifest.data,
        names["list"]: listing.data,
    }
    return Pointer(document, files)


def _entry(file: DataFile, address: str, snapshot_id: int, sequence: int) -> ManifestEntry:
    moved = deepcopy(file)
    moved[1] = address  # the field `file_path`
    return ManifestEntry.from_args(
        status=ManifestEntryStatus.ADDED,
        snapshot_id=snapshot_id,
        sequence_number=sequence,
        file_sequence_number=sequence,
        data_file=moved,
    )


class _Memory(OutputFile):
    """A file that is written to memory and has a public URL."""

    data: bytes = b""

    def __len__(self) -> int:
        """Return its size."""
        return len(self.data)

    def exists(self) -> bool:
        """Return whether it was written."""
        return bool(self.data)

    def to_input_file(self) -> InputFile:
        """Return the same file for reading; only its size is used."""
        return _Written(self)

    def create(self, overwrite: bool = False) -> OutputStream:  # noqa: ARG002
        """Return a stream to write it."""
        return _Stream(self)


class _Stream(io.BytesIO):
    """A stream that stores its bytes when it is closed."""

    def __init__(self, file: _Memory) -> None:
        super().__init__()
        self._file = file

    def close(self) -> None:
        """Store the bytes."""
        if not self.closed:
            self._file.data = self.getvalue()
        super().close()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()


class _Written(InputFile):
    def __init__(self, file: _Memory) -> None:
        super().__init__(file.location)
        self._file = file

    def __len__(self) -> int:
        return len(self._file)

    def exists(self) -> bool:
        """Return whether it was written."""
        return self._file.exists()

    def open(self, seekable: bool = True) -> InputStream:  # noqa: ARG002
        """Read it."""
        return cast(InputStream, io.BytesIO(self._file.data))
