"""Views of the open dataset: its description, releases and files."""

import datetime as dt
import hashlib
from collections.abc import Iterator
from itertools import islice
from typing import Any, BinaryIO, Final

from django.http import HttpRequest, HttpResponse, StreamingHttpResponse
from django.http.response import HttpResponseBase
from django.utils.http import parse_etags, quote_etag
from drf_spectacular.types import OpenApiTypes
from drf_spectacular.utils import OpenApiParameter, extend_schema
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.views import APIView

from common.web import problems
from common.web.etag import ETagMixin
from common.web.pagination import CursorPagination
from common.web.problems import NotFound, Unavailable
from common.web.serializers import QuerySerializer, read_query
from exports import conf
from exports.api import serializers
from exports.api.catalogue import CSV, Dataset
from exports.api.descriptor_schemas import CROISSANT, DATA_PACKAGE
from exports.api.feed import ENTRIES, MEDIA_TYPE, atom
from exports.api.kinds import documented, kind_for
from exports.api.lists import DaysAndStates, days_and_states
from exports.api.problems import RangeNotSatisfiable
from exports.api.queries import FormatIsAsked
from exports.api.ranges import asked_part
from exports.dataset import publication
from exports.dataset.descriptors import croissant, datapackage
from exports.dataset.tables import DAILY
from exports.engine.results import PART_ROWS, csv_parts
from exports.lake.deployment import storage
from exports.lake.files import PARQUET, PART_BYTES, StoredFile
from exports.lake.whole import WHOLE, held_files
from exports.models import Release
from exports.selectors import (
    EVER,
    Ranges,
    TablesAt,
    announced,
    daily_rows,
    tables_at,
    tables_on,
    with_days_of,
    with_rows_of,
)

# Files of a release never change.
FOR_EVER: Final = "public, max-age=31536000, immutable"
# Everything else is revalidated; the response is 304 until the next release.
PUBLIC: Final = "public, no-cache"


class NoParameters(QuerySerializer):
    """A URL without query parameters."""


class DatasetView(ETagMixin, APIView):
    """Base of the views below a dataset."""

    cache_control = PUBLIC
    problems: Any = (problems.Invalid,)

    def dataset(self, request: Request, name: str) -> Dataset:
        """Return the dataset of that name for a request without query parameters; raise `NotFound` for another."""
        dataset = Dataset.of(request._request, name)
        read_query(request, NoParameters)
        return dataset

    def at(self, request: Request) -> TablesAt:
        """Return the tables that the request is about."""
        return tables_on(read_query(request, serializers.AsOfParameters).get("as_of"))


class DatasetsView(DatasetView):
    """The list of datasets."""

    @extend_schema(
        operation_id="datasets", tags=["dataset"], summary="List datasets", responses=serializers.DatasetsOutput
    )
    def get(self, request: Request) -> Response:
        """List the datasets. A deployment has one: the database that queries read."""
        read_query(request, NoParameters)
        entry = Dataset.of(request._request, conf.database()).entry(tables_at())
        return Response(serializers.DatasetsOutput({"results": [entry], "next": None, "previous": None}).data)


class DatasetDetailView(DatasetView):
    """One dataset."""

    @extend_schema(
        operation_id="dataset",
        tags=["dataset"],
        summary="Dictionary, guarantee, licence, coverage and files of a dataset",
        parameters=[serializers.AsOfParameters],
        responses=serializers.DatasetOutput,
    )
    def get(self, request: Request, name: str) -> Response:
        """Return the full description of the dataset, as of the newest release."""
        return Response(serializers.DatasetOutput(Dataset.of(request._request, name).whole(self.at(request))).data)


class ReleasePages(CursorPagination):
    """Releases by day."""

    ordering = "-day"


class ReleasesView(DatasetView):
    """Releases."""

    @extend_schema(
        operation_id="releases",
        tags=["dataset"],
        summary="List releases with manifest and files",
        parameters=[
            DaysAndStates,
            OpenApiParameter("limit", OpenApiTypes.INT, description="results per page, 1 to 200; default 50"),
            OpenApiParameter("cursor", OpenApiTypes.STR, description="where to continue; taken from next or previous"),
        ],
        responses=serializers.ReleasesOutput,
    )
    def get(self, request: Request, name: str) -> Response:
        """List releases, newest day first; `as_of`: up to that day; `geo_values`: only those with rows of a state."""
        dataset = Dataset.of(request._request, name)
        query = read_query(request, DaysAndStates, also=frozenset({"limit", "cursor"}))
        ranges, states = days_and_states(query)
        found = announced().filter(day__lte=query["as_of"]) if "as_of" in query else announced()
        found = with_days_of(found, ranges)
        if states is not None:
            found = found.filter(pk__in=with_rows_of(states))
        pages = ReleasePages()
        rows = pages.paginate_queryset(found, request, self)
        page = pages.get_paginated_response([dataset.release(row) for row in rows])
        return Response(serializers.ReleasesOutput(page.data).data)


class ReleaseView(DatasetView):
    """One release."""

    @extend_schema(operation_id="release", tags=["dataset"], summary="One release", responses=serializers.ReleaseOutput)
    def get(self, request: Request, name: str, day: dt.date) -> Response:
        """Return manifest and files of the release of a day."""
        return Response(serializers.ReleaseOutput(self.dataset(request, name).release(_release(day))).data)


class ProfileView(DatasetView):
    """Statistics of a release."""

    @extend_schema(
        operation_id="release_profile",
        tags=["dataset"],
        summary="Nulls, ranges, quantiles, correlations and drift of a release",
        responses=serializers.ProfileOutput,
    )
    def get(self, request: Request, name: str, day: dt.date) -> Response:
        """Return statistics made from the drawn counts alone, which cost no budget and reveal nothing more."""
        self.dataset(request, name)
        return Response(serializers.ProfileOutput(_release(day).profile | {"day": day}).data)


class FileView(DatasetView):
    """Files of releases."""

    content_negotiation_class = FormatIsAsked
    problems = (problems.Invalid, RangeNotSatisfiable)

    @extend_schema(
        operation_id="release_file",
        tags=["dataset"],
        summary="Download a file of a release",
        parameters=[
            OpenApiParameter("Range", OpenApiTypes.STR, OpenApiParameter.HEADER, description="one part, `bytes=0-1023`")
        ],
        responses=documented(PARQUET) | documented(PARQUET, status=206),
    )
    def get(self, request: Request, name: str, day: dt.date, file: str) -> HttpResponseBase:
        """Return the bytes of a file as stored in the lake, or a part of them; 404 for a name that is not listed."""
        self.dataset(request, name)
        release = _release(day)
        listed = {each["name"]: each for each in release.manifest.get("files", [])}
        if file not in listed and file.endswith(WHOLE):
            listed = {file["name"]: dict(file) for file in _whole(release)}
        if file not in listed:
            raise NotFound
        found = listed[file]
        size, tag = found["bytes"], quote_etag(found["sha256"])
        headers = {"ETag": tag, "Cache-Control": FOR_EVER, "Accept-Ranges": "bytes", "Vary": "Accept"}
        if tag in parse_etags(request.META.get("HTTP_IF_NONE_MATCH", "")):
            return HttpResponse(status=304, headers=headers)
        asked = asked_part(request._request, size=size, tag=tag)
        part = asked or range(size)
        try:
            stream = storage().open(found["path"])
            stream.seek(part.start)
        except OSError as error:
            raise Unavailable from error
        headers |= {
            "Content-Length": str(len(part)),
            "Content-Disposition": f'attachment; filename="{found["name"]}"',
        }
        if asked:
            headers["Content-Range"] = f"bytes {part.start}-{part.stop - 1}/{size}"
        return StreamingHttpResponse(
            _parts(stream, len(part)),
            status=206 if asked else 200,
            content_type=kind_for(request._request, found["media_type"]),
            headers=headers,
        )


def _parts(stream: BinaryIO, left: int) -> Iterator[bytes]:
    with stream:
        while left and (part := stream.read(min(left, PART_BYTES))):
            left -= len(part)
            yield part


def _release(day: dt.date) -> Release:
    release = announced().filter(day=day).first()
    if release is None:
        raise NotFound
    return release


def _whole(release: Release) -> list[StoredFile]:
    try:
        return held_files(storage(), release.number or 0)
    except OSError as error:
        raise Unavailable from error


class DescriptorView(DatasetView):
    """Base of descriptions for catalogues and tools: the whole tables as of a release, one file each."""

    content_negotiation_class = FormatIsAsked

    def described(self, request: Request, name: str) -> tuple[Any, Any]:
        """Return what is published, and its files; raise `NotFound` before the first release."""
        dataset, at = Dataset.of(request._request, name), self.at(request)
        if at.release is None:
            raise NotFound
        digest, size = hashlib.sha256(), 0
        for part in daily_csv(at):
            digest.update(part)
            size += len(part)
        files = dataset.data_files(at.release, size, digest.hexdigest())
        return dataset.publication(at.release), files


class DataPackageView(DescriptorView):
    """Frictionless."""

    @extend_schema(
        operation_id="datapackage",
        tags=["dataset"],
        summary="Frictionless datapackage.json of a release",
        parameters=[serializers.AsOfParameters],
        responses={(200, "application/json"): DATA_PACKAGE},
    )
    def get(self, request: Request, name: str) -> Response:
        """Return the description as Data Package 2.0."""
        return Response(datapackage(*self.described(request, name)))


class CroissantView(DescriptorView):
    """Croissant."""

    @extend_schema(
        operation_id="croissant",
        tags=["dataset"],
        summary="Croissant JSON-LD of a release",
        parameters=[serializers.AsOfParameters],
        responses={(200, "application/ld+json"): CROISSANT},
    )
    def get(self, request: Request, name: str) -> Response:
        """Return the description as Croissant 1.0 (MLCommons)."""
        return Response(croissant(*self.described(request, name)), content_type="application/ld+json")


def daily_csv(at: TablesAt, ranges: Ranges = EVER, states: frozenset[str] | None = None) -> Iterator[bytes]:
    """Yield the table `daily_by_state` as CSV in parts: of draws with a day in these ranges, rows of these states."""
    asked = (row for row in daily_rows(at, ranges) if states is None or row[1] in states)
    parts = iter(lambda: list(islice(asked, PART_ROWS)), [])
    return csv_parts(DAILY.names, map(_batch, parts))


def _batch(rows: list[list[Any]]) -> Any:
    """Return stored rows as an Arrow batch."""
    import pyarrow as pa

    from exports.dataset.engines import arrow_schema

    schema = arrow_schema(DAILY)
    # Rows of releases made before the last column was added are shorter.
    whole = ([dt.date.fromisoformat(row[0]), *row[1:], *[None] * (len(schema) - len(row))] for row in rows)
    columns = zip(*whole, strict=True)
    made = [pa.array(column, field.type) for column, field in zip(columns, schema, strict=True)]
    return pa.RecordBatch.from_arrays(made, schema=schema)


class DailyView(DatasetView):
    """Counts by day and state."""

    content_negotiation_class = FormatIsAsked

    @extend_schema(
        operation_id="daily_counts",
        tags=["dataset"],
        summary="Counts by day and state, as CSV",
        parameters=[DaysAndStates],
        responses={(200, CSV): OpenApiTypes.STR},
    )
    def get(self, request: Request, name: str) -> HttpResponseBase:
        """Return days up to the release, oldest first; rows without a known ZIP have no state."""
        Dataset.of(request._request, name)
        query = read_query(request, DaysAndStates)
        at = tables_on(query.get("as_of"))
        data = daily_csv(at, *days_and_states(query))
        return streamed_csv(request._request, at, data, "daily_by_state.csv")


class FeedView(DatasetView):
    """News of releases."""

    content_negotiation_class = FormatIsAsked

    @extend_schema(
        operation_id="release_feed",
        tags=["dataset"],
        summary="Atom feed of releases",
        responses=documented(MEDIA_TYPE),
    )
    def get(self, request: Request, name: str) -> HttpResponse:
        """Return the latest fifty announcements."""
        dataset, at = self.dataset(request, name), tables_at()
        feed = atom(base=dataset.base, releases=announced().order_by("-number")[:ENTRIES])
        kind = kind_for(request._request, MEDIA_TYPE)
        return _tagged(request._request, at, feed.encode(), f"{kind}; charset=utf-8")


class LicenceView(DatasetView):
    """The terms."""

    content_negotiation_class = FormatIsAsked

    @extend_schema(
        operation_id="dataset_licence",
        tags=["dataset"],
        summary="Terms of the data",
        responses={(200, "text/markdown"): OpenApiTypes.STR},
    )
    def get(self, request: Request, name: str) -> HttpResponse:
        """Return the terms in Markdown."""
        self.dataset(request, name)
        return HttpResponse(publication.licence_text(), content_type="text/markdown; charset=utf-8")


def streamed_csv(request: HttpRequest, at: TablesAt, parts: Iterator[bytes], saved_as: str) -> HttpResponseBase:
    """Return CSV part by part, or 304 to a client that has it: tables and URL determine the rows."""
    headers = {"ETag": at.tag(request.get_full_path()), "Cache-Control": PUBLIC}
    if headers["ETag"] in parse_etags(request.META.get("HTTP_IF_NONE_MATCH", "")):
        return HttpResponse(status=304, headers=headers)
    headers["Content-Disposition"] = f'attachment; filename="{saved_as}"'
    return StreamingHttpResponse(parts, content_type=f"{CSV}; charset=utf-8", headers=headers)


def _tagged(request: HttpRequest, at: TablesAt, data: bytes, kind: str) -> HttpResponse:
    """Return the bytes, or 304 to a client that has them."""
    tag = at.tag(request.path, hashlib.sha256(data).hexdigest())
    headers = {"ETag": tag, "Cache-Control": PUBLIC, "Vary": "Accept"}
    if tag in parse_etags(request.META.get("HTTP_IF_NONE_MATCH", "")):
        return HttpResponse(status=304, headers=headers)
    return HttpResponse(data, content_type=kind, headers=headers)
