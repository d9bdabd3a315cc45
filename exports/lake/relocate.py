"""Relocate Iceberg metadata, in which files refer to each other by full URLs.

After a copy of a lake's files to another folder or bucket, its metadata still refers to the old ones. This rewrites the
metadata file, the manifest lists and the manifests with the new URLs. Snapshots keep their numbers, so that readers of
an earlier release find it.
"""

import io
import json
from collections.abc import Callable
from typing import Any, Final

import fastavro

from exports.lake.sweep import normalised_url

PATH: Final = "manifest_path"
LENGTH: Final = "manifest_length"


class _Move:
    """A replacement of the prefix of URLs."""

    def __init__(self, old: str, new: str) -> None:
        self._old, self._new = old.rstrip("/") + "/", new.rstrip("/") + "/"

    def __call__(self, url: str) -> str:
        """Return the new URL; raise `ValueError` for one outside the old lake."""
        for known in (self._old, normalised_url(self._old) + "/"):
            if url.startswith(known):
                return self._new + url.removeprefix(known)
        raise ValueError("the table refers to a file outside its lake")


def relocated(metadata: str, read: Callable[[str], bytes], *, old: str, new: str) -> dict[str, bytes]:
    """Return the metadata files of a table with the URLs of its new location, by their paths under the lake.

    `metadata` is the path of the metadata file, `read` returns the bytes at a path, `old` and `new` are URLs of lakes.
    """
    move = _Move(old, new)
    made: dict[str, bytes] = {}

    def path_of(url: str) -> str:
        return move(url).removeprefix(new.rstrip("/") + "/")

    def manifest(entry: dict[str, Any]) -> dict[str, Any]:
        path = path_of(entry[PATH])
        if path not in made:
            made[path] = _rewritten(read(path), lambda row: row | {"data_file": _moved(row["data_file"], move)})
        return entry | {PATH: move(entry[PATH]), LENGTH: len(made[path])}

    document = json.loads(read(metadata))
    document["location"] = move(document["location"])
    document["metadata-log"] = []  # earlier metadata files are not copied
    for snapshot in document.get("snapshots", []):
        path = path_of(snapshot["manifest-list"])
        made[path] = _rewritten(read(path), manifest)
        snapshot["manifest-list"] = move(snapshot["manifest-list"])
    for statistics in (*document.get("statistics", []), *document.get("partition-statistics", [])):
        statistics["statistics-path"] = move(statistics["statistics-path"])
    made[metadata] = json.dumps(document).encode()
    return made


def _moved(file: dict[str, Any], move: _Move) -> dict[str, Any]:
    return file | {"file_path": move(file["file_path"])}


def _rewritten(body: bytes, change: Callable[[dict[str, Any]], dict[str, Any]]) -> bytes:
    """Return an Avro file with changed records: same schema, codec and metadata."""
    found = fastavro.reader(io.BytesIO(body))
    rows = [change(row) for row in found if isinstance(row, dict)]
    kept = {name: value for name, value in found.metadata.items() if not name.startswith("avro.")}
    out = io.BytesIO()
    fastavro.writer(out, found.writer_schema, rows, codec=found.codec, metadata=kept)
    return out.getvalue()
