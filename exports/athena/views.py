"""Athena's protocol at `/athena`: clients of Athena set their `endpoint_url` to it.

The format is Amazon's: JSON 1.1, the operation in `X-Amz-Target`, errors as `{__type, Message}`. Signatures are not
checked, since anyone may query; any access key works.
"""

import datetime as dt
import json
from http import HTTPStatus
from typing import Any, Final

from django.http import HttpRequest, HttpResponse
from django.views.decorators.csrf import csrf_exempt
from django.views.decorators.http import require_safe

from common.time import utc_now
from common.web import throttles
from common.web.clients import client_network
from common.web.parsers import parse_json
from common.web.problems import BadRequest, MethodNotAllowed, NotFound, Problem, TooMany
from exports.athena import results
from exports.athena.service import Backend, backend, metadata
from exports.athena.signed import query_of
from exports.athena.wire import CONTENT_TYPE, TARGET, THROTTLED, AthenaError, Json
from exports.models import AthenaQuery
from venues.links import origin

_OPERATIONS: Final = {
    "StartQueryExecution": "start",
    "GetQueryExecution": "get",
    "BatchGetQueryExecution": "batch",
    "ListQueryExecutions": "executions",
    "GetQueryResults": "results",
    "StopQueryExecution": "stop",
    "GetWorkGroup": "group",
}
# Operations that return metadata; `Metadata` handles them.
_DESCRIBING: Final = {
    "ListDataCatalogs": "catalogues",
    "GetDataCatalog": "catalogue",
    "ListDatabases": "databases",
    "GetDatabase": "database_of",
    "ListTableMetadata": "tables",
    "GetTableMetadata": "table",
    "ListWorkGroups": "groups",
    "ListEngineVersions": "engines",
}


# awswrangler's request to Glue after a refused CREATE TABLE AS. Without a response it would hide the refusal.
CLEANING_UP: Final = "AWSGlue.DeleteTable"
_OFFERED: Final = f"These operations are offered here: {', '.join([*_OPERATIONS, *_DESCRIBING])}."


@csrf_exempt
def athena(request: HttpRequest) -> HttpResponse:
    """Answer one operation."""
    if request.method != "POST":
        raise MethodNotAllowed(["POST"])
    throttles.check(request, "address")
    try:
        target = request.headers.get("X-Amz-Target", "")
        if target == CLEANING_UP:
            raise AthenaError("There is no such table to delete.", kind="EntityNotFoundException")
        name = target.removeprefix(TARGET) if target.startswith(TARGET) else ""
        if name not in _OPERATIONS and name not in _DESCRIBING:
            raise AthenaError(_OFFERED, kind="UnknownOperationException")
        if name == "StartQueryExecution":
            throttles.check(request, "query")
        chosen = backend(client_network(request), origin(request))
        asked = _asked(request)
        if name in _DESCRIBING:
            description: Json = getattr(metadata(), _DESCRIBING[name])(asked)
            return _response(description, 200)
        return _response(_answer(chosen, _OPERATIONS[name], asked), 200)
    except AthenaError as error:
        return _response(error.body(), 400)


@require_safe
def result(request: HttpRequest, signed: str) -> HttpResponse:
    """Return the rows of a query as CSV to a client that has its signed URL."""
    throttles.check(request, "address")
    pk = query_of(signed)
    row = AthenaQuery.objects.filter(pk=pk, state=AthenaQuery.State.SUCCEEDED).first() if pk else None
    if row is None:
        raise NotFound
    try:
        data = results.read_csv(row)
    except AthenaError as error:
        raise NotFound(str(error)) from error
    headers = {"Cache-Control": "private, no-store", "Content-Disposition": f'attachment; filename="{row.pk}.csv"'}
    return HttpResponse(data, content_type="text/csv; charset=utf-8", headers=headers)


def refusal(problem: Problem) -> HttpResponse:
    """Return the deployment's own refusals in the format that Athena's clients read.

    Clients retry server errors (5xx) and throttled requests.
    """
    kind, status = "InvalidRequestException", 400
    if isinstance(problem, TooMany):
        kind = THROTTLED
    elif isinstance(problem, MethodNotAllowed):
        status = problem.status
    elif problem.status >= HTTPStatus.INTERNAL_SERVER_ERROR:
        kind, status = "InternalServerException", problem.status
    response = _response(AthenaError(_words(problem), kind=kind).body(), status)
    for header, value in problem.headers.items():
        response[header] = value
    return response


def _words(problem: Problem) -> str:
    if isinstance(problem, MethodNotAllowed):
        return f"This address speaks Amazon Athena's protocol: POST with the header X-Amz-Target. {_OFFERED}"
    return f"{problem.title}. {problem.detail}"


def _answer(chosen: Backend, name: str, asked: Json) -> Json:
    made: Json = getattr(chosen, name)(asked, utc_now())
    return made


def _asked(request: HttpRequest) -> Json:
    try:
        asked = parse_json(request.body)
    except BadRequest as error:
        detail = "; ".join(f"{flaw.pointer} {flaw.detail}".strip() for flaw in error.errors)
        raise AthenaError(f"The body cannot be read: {detail}", kind="SerializationException") from error
    if not isinstance(asked, dict):
        raise AthenaError("The body must be a JSON object.", kind="SerializationException")
    return asked


def _response(body: Json, status: int) -> HttpResponse:
    headers = {"Cache-Control": "no-store"}
    if status != 200:
        headers["x-amzn-ErrorType"] = body["__type"]
    return HttpResponse(json.dumps(body, default=_moment), status=status, content_type=CONTENT_TYPE, headers=headers)


def _moment(value: Any) -> float:
    """Return a time as JSON 1.1 writes it: seconds since 1970."""
    if isinstance(value, dt.datetime):
        return value.timestamp()
    raise TypeError(type(value).__name__)
