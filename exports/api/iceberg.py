"""The open tables as Iceberg tables at public URLs, for readers that have only the URL.

There are two ways to the same files: a folder for each table over HTTP, with a version hint, as DuckDB's `iceberg_scan`
reads it; and an Iceberg REST catalogue for clients such as pyiceberg. Those read files over S3's protocol only, so the
tables of the catalogue are in a read-only bucket that this deployment serves itself.
"""

import datetime as dt
import hashlib
import json
from functools import lru_cache
from typing import Any, Final

from django.http import HttpRequest, HttpResponse, JsonResponse
from django.http.response import HttpResponseBase
from django.utils.http import parse_etags, quote_etag
from django.views.decorators.http import require_safe

from common.web import throttles
from common.web.problems import NotFound, Unavailable
from exports import conf
from exports.api.ranges import asked_part
from exports.dataset.tables import OPEN_TABLES, Table
from exports.lake.deployment import Snapshots, deployment_lake, storage
from exports.models import Release
from exports.selectors import announced, seen_by, tables_at
from venues.links import origin

BUCKET: Final = "open-data"
"""The bucket of the REST catalogue's tables: the first part of its URLs."""

HINT: Final = "version-hint.text"
_TABLES: Final = {each.name: each for each in OPEN_TABLES}
OF_THE_NEWEST: Final = "public, no-cache"
FOR_EVER: Final = "public, max-age=31536000, immutable"


def _described(name: str) -> Table:
    found = _TABLES.get(name)
    if found is None:
        raise NotFound
    return found


def _newest() -> Release:
    release = tables_at().release
    if release is None:
        raise NotFound
    return release


def addresses(release: Release, location: str) -> dict[str, str]:
    """Return the public URL of each file of the tables after a release, by its path in the lake."""
    lake, found = storage(), {}
    for day, files in seen_by(release).values_list("day", "manifest__files"):
        for file in files or []:
            table = location.replace("{table}", file["table"])
            found[lake.at(file["path"])] = f"{table}/data/{day.isoformat()}/{file['name']}"
    return found


@lru_cache(maxsize=32)
def _made(name: str, number: int, snapshots: Snapshots, location: str) -> Any:
    """Return the metadata of a table as of a release. It is created once and never changes."""
    from exports.lake.pointer import published_pointer

    release = announced().get(number=number)
    with deployment_lake() as lake:
        return published_pointer(
            lake.table(_described(name)),
            snapshot_id=int(dict(snapshots)[name]),
            number=number,
            location=location.replace("{table}", name),
            addresses=addresses(release, location),
        )


def pointer_of(name: str, release: Release, location: str) -> Any:
    """Return the metadata of a table under `location`; raise `NotFound` if the release has no such table."""
    _described(name)
    if name not in release.snapshots or release.number is None:
        raise NotFound
    try:
        return _made(name, release.number, frozenset(release.snapshots.items()), location)
    except (KeyError, OSError) as error:
        raise Unavailable from error


@require_safe
def metadata(request: HttpRequest, name: str, table: str, file: str) -> HttpResponseBase:
    """Serve a file of a table's metadata over HTTP."""
    throttles.check(request, "address")
    if name != conf.database():
        raise NotFound
    return metadata_file(request, table, file, f"{origin(request)}/api/v1/datasets/{name}/iceberg/{{table}}")


def metadata_file(request: HttpRequest, table: str, file: str, location: str) -> HttpResponseBase:
    """Serve a metadata file; its name begins with the number of a release, except the hint to the newest."""
    digits = file.removeprefix("v").partition("." if file.startswith("v") and file != HINT else "-")[0]
    if file == HINT:
        return _sent(request, pointer_of(table, _newest(), location).files[HINT], "text/plain", OF_THE_NEWEST)
    release = announced().filter(number=int(digits)).first() if digits.isdecimal() and len(digits) < 10 else None
    found = pointer_of(table, release, location).files.get(file) if release else None
    if found is None:
        raise NotFound
    return _sent(request, found, "application/json" if file.endswith(".json") else "application/octet-stream", FOR_EVER)


def _sent(request: HttpRequest, data: bytes, kind: str, kept: str) -> HttpResponse:
    """Return the bytes, or the requested part of them."""
    tag = quote_etag(hashlib.sha256(data).hexdigest())
    headers = {"ETag": tag, "Cache-Control": kept, "Accept-Ranges": "bytes"}
    if tag in parse_etags(request.META.get("HTTP_IF_NONE_MATCH", "")):
        return HttpResponse(status=304, headers=headers)
    part = asked_part(request, size=len(data), tag=tag)
    if part is None:
        return HttpResponse(data, content_type=kind, headers=headers)
    headers["Content-Range"] = f"bytes {part.start}-{part.stop - 1}/{len(data)}"
    return HttpResponse(data[part.start : part.stop], status=206, content_type=kind, headers=headers)


@require_safe
def data(request: HttpRequest, name: str, table: str, day: dt.date, file: str) -> HttpResponseBase:
    """Serve a data file of a table over HTTP."""
    from exports.api.datasets import FileView

    _described(table)
    return FileView.as_view()(request, name=name, day=day, file=file)


# The REST catalogue (Apache Iceberg REST catalogue specification) ----------------------------------------------------
def _answered(request: HttpRequest, name: str, body: dict[str, Any]) -> JsonResponse:
    throttles.check(request, "address")
    if name != conf.database():
        raise NotFound
    return JsonResponse(body, headers={"Cache-Control": OF_THE_NEWEST})


def _missing(kind: str, said: str) -> JsonResponse:
    return JsonResponse({"error": {"message": said, "type": kind, "code": 404}}, status=404)


def reading(request: HttpRequest) -> dict[str, str]:
    """Return how clients read files of the bucket: without keys, from this deployment."""
    return {
        "s3.endpoint": origin(request),
        "s3.anonymous": "true",
        "s3.region": "us-east-1",
        "s3.path-style-access": "true",
        "s3.force-virtual-addressing": "false",
    }


@require_safe
def index(request: HttpRequest, name: str) -> HttpResponse:
    """List the ways to open the tables: the URLs of the catalogue and of each table's folder."""
    base = f"{origin(request)}/api/v1/datasets/{name}/iceberg"
    release = tables_at().release
    held = {each: f"{base}/{each}" for each in sorted(_TABLES) if release and each in release.snapshots}
    return _answered(request, name, {"catalogue": base, "tables": held})


@require_safe
def config(request: HttpRequest, name: str) -> HttpResponse:
    """Return the configuration of the catalogue."""
    offered = [
        "GET /v1/{prefix}/namespaces",
        "GET /v1/{prefix}/namespaces/{namespace}",
        "HEAD /v1/{prefix}/namespaces/{namespace}",
        "GET /v1/{prefix}/namespaces/{namespace}/tables",
        "GET /v1/{prefix}/namespaces/{namespace}/tables/{table}",
        "HEAD /v1/{prefix}/namespaces/{namespace}/tables/{table}",
    ]
    return _answered(request, name, {"defaults": {}, "overrides": reading(request), "endpoints": offered})


@require_safe
def namespaces(request: HttpRequest, name: str) -> HttpResponse:
    """List the namespaces, of which there is one."""
    listed = [] if request.GET.get("parent") else [[conf.database()]]
    return _answered(request, name, {"namespaces": listed})


@require_safe
def namespace(request: HttpRequest, name: str, space: str) -> HttpResponse:
    """Return the namespace."""
    if space != conf.database():
        return _missing("NoSuchNamespaceException", f"There is one namespace, {conf.database()}")
    return _answered(request, name, {"namespace": [conf.database()], "properties": {}})


@require_safe
def listed(request: HttpRequest, name: str, space: str) -> HttpResponse:
    """List the tables of the namespace."""
    if space != conf.database():
        return _missing("NoSuchNamespaceException", f"There is one namespace, {conf.database()}")
    held = _newest().snapshots
    names = [{"namespace": [conf.database()], "name": each} for each in sorted(_TABLES) if each in held]
    return _answered(request, name, {"identifiers": names})


@require_safe
def loaded(request: HttpRequest, name: str, space: str, table: str) -> HttpResponse:
    """Load a table as of the newest release."""
    release = tables_at().release
    if space != conf.database() or table not in _TABLES or release is None or table not in release.snapshots:
        return _missing("NoSuchTableException", f"There is no table {table[:100]}")
    found = pointer_of(table, release, f"s3://{BUCKET}/{{table}}")
    where = f"s3://{BUCKET}/{table}/metadata/v{release.number}.metadata.json"
    body = {"metadata-location": where, "metadata": json.loads(found.document), "config": reading(request)}
    return _answered(request, name, body)


# The bucket -----------------------------------------------------------------------------------------------------------
@require_safe
def bucket_metadata(request: HttpRequest, table: str, file: str) -> HttpResponseBase:
    """Serve a file of a table's metadata as an object of the bucket."""
    throttles.check(request, "address")
    return metadata_file(request, table, file, f"s3://{BUCKET}/{{table}}")


@require_safe
def bucket_data(request: HttpRequest, table: str, day: dt.date, file: str) -> HttpResponseBase:
    """Serve a data file of a table as an object of the bucket."""
    return data(request, conf.database(), table, day, file)
