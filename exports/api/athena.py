"""Athena's protocol at `/athena`, for clients that were written for it: point their `endpoint_url` here.

It is Amazon's form, not ours: JSON 1.1, the operation in `X-Amz-Target`, errors as `{__type, Message}`. Signatures are
not looked at, as anyone may ask; any access key will do.
"""

import datetime as dt
import json
from typing import Any, Final

from django.http import HttpRequest, HttpResponse
from django.views.decorators.csrf import csrf_exempt
from django.views.decorators.http import require_POST

from crowdtrace.common import throttles
from crowdtrace.common.parsers import parse_json
from crowdtrace.common.problems import BadRequest, TooMany
from crowdtrace.common.time import utc_now
from exports.athena import CONTENT_TYPE, TARGET, AthenaError, Json
from exports.services.athena import Backend, backend

_OPERATIONS: Final = {
    "StartQueryExecution": "start",
    "GetQueryExecution": "get",
    "GetQueryResults": "results",
    "StopQueryExecution": "stop",
    "GetWorkGroup": "group",
}


@csrf_exempt
@require_POST
def athena(request: HttpRequest) -> HttpResponse:
    """One operation."""
    try:
        throttles.check(request, "address")
        target = request.headers.get("X-Amz-Target", "")
        name = _OPERATIONS.get(target.removeprefix(TARGET)) if target.startswith(TARGET) else None
        if name is None:
            raise AthenaError("This operation is not offered here.", kind="UnknownOperationException")
        if name == "start":
            throttles.check(request, "query")
        body = _answer(backend(), name, _asked(request))
        return _response(body, 200)
    except TooMany as problem:
        error = AthenaError("Rate exceeded", kind="TooManyRequestsException")
        response = _response(error.body(), 400)
        for header, value in problem.headers.items():
            response[header] = value
        return response
    except AthenaError as error:
        return _response(error.body(), 400)


def _answer(chosen: Backend, name: str, asked: Json) -> Json:
    made: Json = getattr(chosen, name)(asked, utc_now())
    return made


def _asked(request: HttpRequest) -> Json:
    try:
        asked = parse_json(request.body)
    except BadRequest as error:
        raise AthenaError("The body is not JSON.", kind="SerializationException") from error
    if not isinstance(asked, dict):
        raise AthenaError("The body is not an object.", kind="SerializationException")
    return asked


def _response(body: Json, status: int) -> HttpResponse:
    headers = {"Cache-Control": "no-store"}
    if status != 200:
        headers["x-amzn-ErrorType"] = body["__type"]
    return HttpResponse(json.dumps(body, default=_moment), status=status, content_type=CONTENT_TYPE, headers=headers)


def _moment(value: Any) -> float:
    """Times as JSON 1.1 writes them: seconds since 1970."""
    if isinstance(value, dt.datetime):
        return value.timestamp()
    raise TypeError(type(value).__name__)
