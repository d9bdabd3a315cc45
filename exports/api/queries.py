"""SQL on the open tables."""

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from typing import Any, Final

from django.http import HttpRequest, HttpResponse, StreamingHttpResponse
from django.http.response import HttpResponseBase
from django.utils.http import parse_etags
from drf_spectacular.types import OpenApiTypes
from drf_spectacular.utils import OpenApiExample, extend_schema
from rest_framework.negotiation import BaseContentNegotiation
from rest_framework.renderers import BaseRenderer
from rest_framework.request import Request
from rest_framework.views import APIView

from common.web import problems
from common.web.etag import ETagMixin
from common.web.renderers import JSONRenderer
from common.web.serializers import read_body, read_query
from common.web.throttles import AddressThrottle
from exports.api import serializers
from exports.api.kinds import ARROW, documented, kind_for
from exports.api.problems import query_problems
from exports.engine.cursor import CursorError
from exports.engine.deployment import file_limits, query_limits
from exports.engine.limits import Limits
from exports.engine.results import FILE_NAMES, MEDIA_TYPES, WRITERS
from exports.engine.run import Answered, answer, csv_of, run_query
from exports.lake.files import PARQUET
from exports.selectors import tables_at

# A URL that names a release always returns the same rows; any other, those of the newest release.
OF_A_RELEASE: Final = "public, max-age=86400"
OF_THE_NEWEST: Final = "public, no-cache"
UNSTEADY: Final = "no-store"

_FORMS: Final[dict[Any, Any]] = {
    (200, "application/json"): serializers.QueryOutput,
    (200, "text/csv"): OpenApiTypes.STR,
} | documented(PARQUET, ARROW)
_EXAMPLES: Final = [
    OpenApiExample(
        "answers by day",
        request_only=True,
        value={
            "sql": 'SELECT scan_date, count_if(symptoms) AS symptoms, count(*) AS scans\nFROM "covid-19".'
            '"aspirevc_crowd_tracing"\nGROUP BY 1 ORDER BY 1'
        },
    ),
    OpenApiExample(
        "two days",
        response_only=True,
        media_type="application/json",
        status_codes=["200"],
        value={
            "columns": [
                {"name": "scan_date", "type": "date"},
                {"name": "symptoms", "type": "bigint"},
                {"name": "scans", "type": "bigint"},
            ],
            "rows": [["2020-10-01", 41, 1204], ["2020-10-02", 38, 1187]],
            "truncated": False,
            "next": None,
            "as_of": "2020-10-20",
            "elapsed_ms": 312,
        },
    ),
    OpenApiExample(
        "a name that is not known",
        response_only=True,
        media_type=problems.CONTENT_TYPE,
        status_codes=["400"],
        value={
            "type": "/problems/invalid",
            "title": "Something in the request is not valid",
            "status": 400,
            "detail": "The list of errors names each field and what is wrong with it.",
            "errors": [{"pointer": "/sql", "detail": "Line 1, column 8: ...", "code": "unknown-name"}],
            "line": 1,
            "column": 8,
            "nearest": ["symptoms"],
        },
    ),
]


class FormatIsAsked(BaseContentNegotiation):
    """Ignore `Accept`: the format of the response is a field of the request."""

    def select_parser(self, request: Request, parsers: Any) -> Any:
        """Return the JSON parser for a JSON body."""
        return next((parser for parser in parsers if parser.media_type == request.content_type.partition(";")[0]), None)

    def select_renderer(self, request: Request, renderers: Any, format_suffix: str | None = None) -> Any:  # noqa: ARG002
        """Return the JSON renderer."""
        renderer: BaseRenderer = renderers[0]
        return renderer, renderer.media_type


class QueryThrottle(AddressThrottle):
    """Limit queries of one address."""

    scope = "query"


class QueriesView(ETagMixin, APIView):
    """Run queries, in the body of a POST or in a URL that can be cited and cached."""

    throttle_classes = (AddressThrottle, QueryThrottle)
    content_negotiation_class = FormatIsAsked
    problems = (problems.Invalid, problems.NotFound)

    @extend_schema(
        operation_id="query",
        tags=["dataset"],
        summary="Run SQL on the open tables",
        request=serializers.QueryInput,
        responses=_FORMS,
        examples=_EXAMPLES,
    )
    def post(self, request: Request) -> HttpResponseBase:
        """Run a query within limits of time, memory, rows and output; nothing is stored.

        The response to a query that is wrong or exceeds a limit is 400 with the position in its text. JSON has at most
        10,000 rows and files 100,000; `truncated` is true if there are more, and `next` is the cursor of the rest (in
        files the headers Dataset-Truncated and Dataset-Next, and in CSV a last line as well).
        """
        body = read_body(request, serializers.QueryInput)
        with query_problems("/sql"), _cursor_problems("/cursor"):
            answered = run_query(
                sql=body["sql"],
                dialect=body["dialect"],
                as_of=body.get("as_of"),
                cursor=body.get("cursor", ""),
                limits=_limits(body["format"]),
            )
            return _response(request._request, answered, body["format"], {})

    @extend_schema(
        operation_id="query_permalink",
        tags=["dataset"],
        summary="Run SQL from a URL",
        parameters=[serializers.QueryParameters],
        responses=_FORMS,
        examples=_EXAMPLES[1:],
    )
    def get(self, request: Request) -> HttpResponseBase:
        """Run a query like POST. The ETag changes with the tables; while it is valid, the query is not run again.

        Add `as_of` for rows that never change. A query whose value changes by itself, such as one with the present
        time, a sample or live rows, has no ETag.
        """
        query = read_query(request, serializers.QueryParameters)
        sql, dialect, form, cursor = query["sql"], query["dialect"], query["format"], query.get("cursor", "")
        with query_problems("?sql"), _cursor_problems("?cursor"):
            at = tables_at(query.get("as_of"))
            # Only queries whose rows depend on text and tables alone get a tag, so it can be compared without parsing.
            of_these = {
                "Cache-Control": OF_A_RELEASE if "as_of" in query else OF_THE_NEWEST,
                "ETag": at.tag(sql, dialect, form, cursor),
            }
            if of_these["ETag"] in parse_etags(request.META.get("HTTP_IF_NONE_MATCH", "")):
                return HttpResponse(status=304, headers=of_these)
            answered = run_query(
                sql=sql, dialect=dialect, at=at, as_of=query.get("as_of"), cursor=cursor, limits=_limits(form)
            )
            headers = of_these if answered.steady else {"Cache-Control": UNSTEADY}
            return _response(request._request, answered, form, headers)


@contextmanager
def _cursor_problems(pointer: str) -> Iterator[None]:
    try:
        yield
    except CursorError as error:
        raise problems.Invalid(errors=[problems.FieldError(pointer, str(error), "invalid-cursor")]) from error


def _limits(form: str) -> Limits:
    return query_limits() if form == "json" else file_limits()


def _response(request: HttpRequest, answered: Answered, form: str, headers: Mapping[str, str]) -> HttpResponseBase:
    if form == "json":
        return HttpResponse(JSONRenderer().render(answer(answered)), content_type="application/json", headers=headers)
    said = {
        "Content-Disposition": f'attachment; filename="{FILE_NAMES[form]}"',
        "Dataset-Truncated": str(answered.result.truncated).lower(),
        "Dataset-As-Of": answered.as_of.isoformat() if answered.as_of else "",
    }
    if answered.result.truncated:
        said["Dataset-Next"] = answered.next
    said |= headers
    if form == "csv":
        return StreamingHttpResponse(csv_of(answered), content_type=MEDIA_TYPES[form], headers=said)
    kind = kind_for(request, MEDIA_TYPES[form])
    data = WRITERS[form](answered.result.table)
    return HttpResponse(data, content_type=kind, headers=said | {"Vary": "Accept"})
