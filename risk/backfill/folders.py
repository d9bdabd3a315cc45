"""Folders of Parquet, on disk or on S3.

An S3 server other than Amazon's is named by `AWS_ENDPOINT_URL`; credentials and region come from AWS's usual variables.
"""

from __future__ import annotations

import os
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Final

import pyarrow.parquet as pq
from pyarrow import fs

if TYPE_CHECKING:
    import pyarrow as pa

DONE: Final = "_SUCCESS"


class FolderError(Exception):
    """A folder cannot be used; the message says why and what to do."""


@dataclass(frozen=True, slots=True)
class Folder:
    """A folder by its address: a path, `file:///...` or `s3://bucket/prefix`. Small, so that it travels to workers."""

    address: str

    def files(self, part: str) -> list[str]:
        """Return the Parquet files below a subfolder, in order of their names."""
        system, root = self._open()
        try:
            found = system.get_file_info(fs.FileSelector(f"{root}/{part}", recursive=True))
        except FileNotFoundError:
            found = []
        except OSError as error:
            raise FolderError(f"{self.address} cannot be read: {type(error).__name__}.") from None
        paths = sorted(info.path for info in found if info.is_file and info.path.endswith(".parquet"))
        if not paths:
            raise FolderError(f"{self.address} has no Parquet file in its folder {part}/.")
        return paths

    def read(self, path: str) -> pa.Table:
        """Read one of its files."""
        try:
            return pq.read_table(path, filesystem=self._open()[0])
        except (OSError, ValueError) as error:  # pyarrow's errors are of these kinds
            raise FolderError(f"{Path(path).name} is no Parquet file: {type(error).__name__}.") from None

    def prepare(self) -> None:
        """Make it; raise `FolderError` where something is in it, so that two results never mix."""
        system, root = self._open()
        try:
            system.create_dir(root, recursive=True)
            full = bool(system.get_file_info(fs.FileSelector(root)))
        except OSError as error:
            raise FolderError(f"{self.address} cannot be written: {type(error).__name__}.") from None
        if full:
            raise FolderError(f"{self.address} is not empty; name a new folder.")

    def write(self, name: str, table: pa.Table) -> None:
        """Write a file whole; a second one of the same name replaces it."""
        system, root = self._open()
        pq.write_table(table, f"{root}/{name}", filesystem=system, compression="zstd")

    def finish(self) -> None:
        """Mark it as whole."""
        system, root = self._open()
        with system.open_output_stream(f"{root}/{DONE}"):
            pass

    def _open(self) -> tuple[fs.FileSystem, str]:
        scheme, found, rest = self.address.partition("://")
        if found and scheme == "s3":
            endpoint = os.environ.get("AWS_ENDPOINT_URL") or None
            return fs.S3FileSystem(endpoint_override=endpoint, allow_bucket_creation=False), rest.rstrip("/")
        if found and scheme != "file":
            raise FolderError(f"{self.address} is neither a path nor file:// nor s3://.")
        return fs.LocalFileSystem(), str(Path(rest if found else self.address).resolve())
