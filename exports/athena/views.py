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

from common.time import utc_now
from common.web import throttles
from common.web.clients import client_network
from common.web.parsers import parse_json
from common.web.problems import BadRequest, MethodNotAllowed, Problem, TooMany
from exports.athena.service import Backend, backend
from exports.athena.wire import CONTENT_TYPE, TARGET, THROTTLED, AthenaError, Json

_OPERATIONS: Final = {
    "StartQueryExecution": "start",
    "GetQueryExecution": "get",
    "GetQueryResults": "results",
    "StopQueryExecution": "stop",
    "GetWorkGroup": "group",
}


_OFFERED: Final = f"These operations are offered here: {', '.join(_OPERATIONS)}."


@csrf_exempt
def athena(request: HttpRequest) -> HttpResponse:
    """One operation."""
    if request.method != "POST":
        raise MethodNotAllowed(["POST"])
    throttles.check(request, "address")
    try:
        target = request.headers.get("X-Amz-Target", "")
        name = _OPERATIONS.get(target.removeprefix(TARGET)) if target.startswith(TARGET) else None
        if name is None:
            raise AthenaError(_OFFERED, kind="UnknownOperationException")
        if name == "start":
            throttles.check(request, "query")
        return _response(_answer(backend(client_network(request)), name, _asked(request)), 200)
    except AthenaError as error:
        return _response(error.body(), 400)


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
        raise AthenaError("The body is a JSON object.", kind="SerializationException")
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
