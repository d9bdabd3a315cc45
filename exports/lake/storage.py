"""The storage of the lake, and its objects: list every version, read, write, remove.

Iceberg sees only what its metadata names; a sweep and its proof must also see every other object.
"""

import contextlib
import os
from collections.abc import Iterator
from dataclasses import dataclass, field
from functools import cached_property
from pathlib import Path
from typing import Any, BinaryIO, Final, Protocol, cast
from urllib.parse import unquote, urlsplit

from exports.lake.errors import reaching_the_lake

# S3's DeleteObjects takes at most this many keys (Amazon S3 API reference, DeleteObjects).
DELETE_AT_ONCE: Final = 1000
RESPONDS_S: Final = 2
"""Longest wait of the status page and of metrics for a connection to the bucket, and for its response."""


@dataclass(frozen=True)
class Storage:
    """`url` is `file:///folder` or `s3://bucket/prefix`. Without keys, S3's clients use their default sources."""

    url: str
    endpoint: str = ""
    region: str = "us-east-1"
    access_key: str = field(default="", repr=False)
    secret_key: str = field(default="", repr=False)
    session_token: str = field(default="", repr=False)

    def __post_init__(self) -> None:
        parts = urlsplit(self.url)
        if parts.scheme == "file" and parts.netloc in ("", "localhost") and parts.path.startswith("/"):
            return
        if parts.scheme == "s3" and parts.netloc:
            return
        raise ValueError("the lake's URL must be file:///folder or s3://bucket/prefix")

    @property
    def is_s3(self) -> bool:
        """Return whether the lake is in S3."""
        return self.url.startswith("s3://")

    def at(self, *parts: str) -> str:
        """Return the URL of something under the lake."""
        return "/".join([self.url.rstrip("/"), *parts])

    def catalogue_properties(self) -> dict[str, str]:
        """Return pyiceberg's properties for files in this storage."""
        properties = {"warehouse": self.url.rstrip("/")}
        if self.is_s3:
            given = {
                "s3.endpoint": self.endpoint,
                "s3.region": self.region,
                "s3.access-key-id": self.access_key,
                "s3.secret-access-key": self.secret_key,
                "s3.session-token": self.session_token,
                "s3.connect-timeout": "10",
                "s3.request-timeout": "60",
            }
            properties |= {name: value for name, value in given.items() if value}
        return properties

    def relative(self, url: str) -> str:
        """Return the path of `url` under the lake; raise `ValueError` for a URL outside it."""
        prefix = self.url.rstrip("/") + "/"
        if not url.startswith(prefix):
            raise ValueError("not a URL of the lake")
        return url.removeprefix(prefix)

    def open(self, path: str) -> BinaryIO:
        """Open something under the lake for reading.

        Raise `OSError`: `FileNotFoundError` if it is missing, `LakeAwayError` if the bucket does not respond.
        """
        from pyiceberg.io import load_file_io

        url = self.at(path)
        with reaching_the_lake():
            try:
                return cast(BinaryIO, load_file_io(self.catalogue_properties(), url).new_input(url).open())
            except FileNotFoundError:
                raise
            except OSError as error:
                if self.is_s3 and not S3Objects(self).is_listed(url):
                    raise FileNotFoundError(url) from error
                raise

    def write(self, path: str, data: bytes) -> None:
        """Write an object under the lake, replacing an existing one. Raise `OSError`."""
        from pyiceberg.io import load_file_io

        url = self.at(path)
        with (
            reaching_the_lake(),
            load_file_io(self.catalogue_properties(), url).new_output(url).create(overwrite=True) as stream,
        ):
            stream.write(data)

    def keys(self) -> tuple[str, str, str]:
        """Return access key, secret key and session token: those given, else those that AWS tools find, else empty."""
        if self.access_key:
            return self.access_key, self.secret_key, self.session_token
        import boto3

        with reaching_the_lake():
            found = boto3.Session().get_credentials()
            frozen = found.get_frozen_credentials() if found is not None else None
        return (frozen.access_key, frozen.secret_key, frozen.token or "") if frozen is not None else ("", "", "")

    def objects(self) -> "Objects":
        """Return the objects of this storage."""
        return S3Objects(self) if self.is_s3 else LocalObjects()


@dataclass(frozen=True)
class StoredObject:
    """One version of one object. `version` is empty without versioning; `is_marker`: a delete marker."""

    url: str
    size: int
    version: str = ""
    is_current: bool = True
    is_marker: bool = False


class Objects(Protocol):
    """The operations on a storage that a sweep needs, with URLs of the lake's files."""

    def versions(self, prefix: str) -> Iterator[StoredObject]:
        """Return every version of every object under the folder `prefix`."""
        ...

    def read(self, stored: StoredObject) -> bytes:
        """Return the bytes of that version."""
        ...

    def write(self, url: str, body: bytes) -> None:
        """Write an object atomically."""
        ...

    def remove(self, stored: list[StoredObject]) -> None:
        """Remove those versions permanently."""
        ...

    def responds(self, url: str) -> bool:
        """Return whether the storage at the lake's URL responds; it may wait for each address of a name."""
        ...


def local_path(url: str) -> Path:
    """Return the path of a `file://` URL, or of a bare path."""
    return Path(unquote(urlsplit(url).path)) if url.startswith("file:") else Path(url)


class LocalObjects:
    """Files of a folder."""

    def versions(self, prefix: str) -> Iterator[StoredObject]:
        """Return every file under the folder."""
        folder = local_path(prefix)
        for path in sorted(folder.rglob("*")):
            with contextlib.suppress(FileNotFoundError):
                if path.is_file():
                    yield StoredObject(f"{prefix.rstrip('/')}/{path.relative_to(folder)}", path.stat().st_size)

    def read(self, stored: StoredObject) -> bytes:
        """Return the file's bytes."""
        return local_path(stored.url).read_bytes()

    def write(self, url: str, body: bytes) -> None:
        """Write a temporary file in the same folder, then rename it."""
        path = local_path(url)
        path.parent.mkdir(parents=True, exist_ok=True)
        part = path.with_name(path.name + ".part")
        part.write_bytes(body)
        part.replace(path)

    def remove(self, stored: list[StoredObject]) -> None:
        """Unlink the files; ignore missing ones."""
        for each in stored:
            local_path(each.url).unlink(missing_ok=True)

    def responds(self, url: str) -> bool:
        """Return whether the folder is there and can be read."""
        return os.access(local_path(url), os.R_OK | os.X_OK)


class S3Objects:
    """Objects of a bucket, versioned or not."""

    def __init__(self, storage: Storage) -> None:
        self._storage = storage

    @cached_property
    def client(self) -> Any:
        """Return a boto3 client of the storage."""
        return self._client(connect_timeout=10, read_timeout=60, retries={"max_attempts": 3, "mode": "standard"})

    def _client(self, **config: Any) -> Any:
        import boto3
        from botocore.config import Config

        given = {
            "endpoint_url": self._storage.endpoint,
            "aws_access_key_id": self._storage.access_key,
            "aws_secret_access_key": self._storage.secret_key,
            "aws_session_token": self._storage.session_token,
        }
        return boto3.client(
            "s3",
            region_name=self._storage.region,
            config=Config(**config),
            **{name: value for name, value in given.items() if value},
        )

    def versions(self, prefix: str) -> Iterator[StoredObject]:
        """Return every version and delete marker under the folder."""
        bucket, key = _split(prefix.rstrip("/") + "/")
        pages = self.client.get_paginator("list_object_versions").paginate(Bucket=bucket, Prefix=key)
        for page in pages:
            for item in page.get("Versions", []):
                yield _stored(bucket, item, size=item["Size"], is_marker=False)
            for item in page.get("DeleteMarkers", []):
                yield _stored(bucket, item, size=0, is_marker=True)

    def read(self, stored: StoredObject) -> bytes:
        """Return the bytes of that version; a marker has none."""
        if stored.is_marker:
            return b""
        bucket, key = _split(stored.url)
        version = {"VersionId": stored.version} if stored.version else {}
        try:
            body: bytes = self.client.get_object(Bucket=bucket, Key=key, **version)["Body"].read()
        except self.client.exceptions.NoSuchKey:
            raise FileNotFoundError(stored.url) from None
        except self.client.exceptions.ClientError as error:
            if error.response["Error"]["Code"] == "AccessDenied" and not self.is_listed(stored.url):
                raise FileNotFoundError(stored.url) from error
            raise
        return body

    def is_listed(self, url: str) -> bool:
        """Return whether an object is in the list of its bucket, or the list is refused.

        S3 reveals that an object is missing only to callers that may list the bucket without a prefix; readers may
        list it only with one.
        """
        bucket, key = _split(url)
        try:
            answer = self.client.list_objects_v2(Bucket=bucket, Prefix=key, MaxKeys=1)
        except self.client.exceptions.ClientError:
            return True
        return any(each["Key"] == key for each in answer.get("Contents", []))

    def write(self, url: str, body: bytes) -> None:
        """Write the object."""
        bucket, key = _split(url)
        self.client.put_object(Bucket=bucket, Key=key, Body=body)

    def remove(self, stored: list[StoredObject]) -> None:
        """Remove those versions; raise `OSError` if one was refused."""
        buckets: dict[str, list[dict[str, str]]] = {}
        for each in stored:
            bucket, key = _split(each.url)
            version = {"VersionId": each.version} if each.version else {}
            buckets.setdefault(bucket, []).append({"Key": key, **version})
        for bucket, keys in buckets.items():
            for start in range(0, len(keys), DELETE_AT_ONCE):
                answer = self.client.delete_objects(
                    Bucket=bucket, Delete={"Objects": keys[start : start + DELETE_AT_ONCE], "Quiet": True}
                )
                if answer.get("Errors"):
                    raise OSError(f"{len(answer['Errors'])} objects could not be removed")

    def responds(self, url: str) -> bool:
        """Return whether the bucket responds. One that refuses the list does: readers may list it only in part."""
        from botocore.exceptions import BotoCoreError, ClientError

        bucket, key = _split(url)
        try:
            client = self._client(
                connect_timeout=RESPONDS_S, read_timeout=RESPONDS_S, retries={"total_max_attempts": 1}
            )
            client.list_objects_v2(Bucket=bucket, Prefix=key, MaxKeys=1)
        except ClientError as error:
            return bool(error.response["Error"]["Code"] == "AccessDenied")
        except (BotoCoreError, ValueError):  # the latter for an endpoint that is no URL
            return False
        return True


def _split(url: str) -> tuple[str, str]:
    parts = urlsplit(url)
    return parts.netloc, parts.path.lstrip("/")


def _stored(bucket: str, item: dict[str, Any], *, size: int, is_marker: bool) -> StoredObject:
    # A bucket without versioning returns the version id "null", which removal accepts too.
    version = item.get("VersionId") or ""
    return StoredObject(f"s3://{bucket}/{item['Key']}", size, version, bool(item["IsLatest"]), is_marker)
