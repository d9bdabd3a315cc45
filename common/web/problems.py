"""Every error response of the deployment: one family of exceptions, mapped to problem details (RFC 9457) in one place.

An app raises a `Problem`; API views, pages and middleware return it in the same form. Below `/api`, `/.well-known`,
`/healthz` and `/readyz` the response is `application/problem+json` with the members `type`, `title`, `status`, `detail`
and `errors`; elsewhere it is a page.

`type` is `/problems/<slug>`, a URL of this deployment that explains the type. `errors` is a list of
`{pointer, detail, code}`; the pointer names the part of the request:

* `""` the whole body, `/answers/symptoms` or `/scans/3/type` a location in the body (JSON pointer, RFC 6901),
* `?limit` a query parameter,
* `:venue` a part of the path,
* `Idempotency-Key:` a header.

No text here repeats a value of the request, except names of fields.
"""

import errno
import json
import logging
import math
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from http import HTTPStatus
from typing import Any, ClassVar, Final

from django.conf import settings
from django.core import exceptions as core
from django.core.signals import got_request_exception
from django.db import InterfaceError, OperationalError
from django.db import InternalError as DatabaseInternalError
from django.http import Http404, HttpRequest, HttpResponse, UnreadablePostError
from django.shortcuts import render
from django.utils.cache import patch_vary_headers
from django.utils.log import log_response
from django.utils.module_loading import import_string
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy
from redis import RedisError
from rest_framework import exceptions as drf
from rest_framework.settings import api_settings

from common.away import AwayError

CONTENT_TYPE: Final = "application/problem+json"
API_PREFIXES: Final = ("/api/", "/.well-known/", "/healthz", "/readyz")
RETRY_AFTER_OUTAGE_SECONDS: Final = 5
DISK_FULL: Final = (errno.ENOSPC, errno.EDQUOT)
READ_ONLY: Final = "25006"  # SQLSTATE of a server that stopped being the primary one
MAX_ERRORS: Final = 100  # per response; a batch of a thousand wrong items does not need a thousand errors

log = logging.getLogger(__name__)


@dataclass(frozen=True)
class FieldError:
    """One error in one part of the request; see the module for the format of `pointer`."""

    pointer: str
    detail: str
    code: str = "invalid"

    def as_dict(self) -> dict[str, str]:
        """Return the member of `errors[]`."""
        return {"pointer": self.pointer, "detail": str(self.detail), "code": self.code}


class Problem(Exception):
    """An error response. A subclass defines status and type; an instance may add details."""

    status: ClassVar[HTTPStatus] = HTTPStatus.BAD_REQUEST
    slug: ClassVar[str] = "bad-request"
    title: ClassVar[Any] = gettext_lazy("The request cannot be understood")
    help: ClassVar[Any] = gettext_lazy("Check the address and what was sent, then try again.")

    def __init__(
        self, detail: Any = None, *, errors: Sequence[FieldError] = (), headers: Mapping[str, str] | None = None
    ) -> None:
        super().__init__(self.slug)
        self.detail: Any = detail if detail is not None else self.help
        self.errors: list[FieldError] = list(errors)
        self.headers: dict[str, str] = dict(headers or {})

    def body(self) -> dict[str, Any]:
        """Return the members of the problem, in the active language."""
        return {
            "type": f"/problems/{self.slug}",
            "title": str(self.title),
            "status": int(self.status),
            "detail": str(self.detail),
            "errors": [error.as_dict() for error in self.errors[:MAX_ERRORS]],
        }


class BadRequest(Problem):
    """The request is malformed and cannot be parsed."""


class Invalid(Problem):
    """The request was parsed, but parts of it are invalid; `errors` names them."""

    slug = "invalid"
    title = gettext_lazy("Something in the request is not valid")
    help = gettext_lazy("The list of errors names each field and what is wrong with it.")

    @classmethod
    def field(cls, pointer: str, detail: Any, code: str = "invalid") -> "Invalid":
        """Return the problem for a single field."""
        return cls(errors=[FieldError(pointer, detail, code)])


class Unauthorized(Problem):
    """The client is not authenticated, or unknown. `scheme` is the authentication scheme to use."""

    status = HTTPStatus.UNAUTHORIZED
    slug = "unauthorized"
    title = gettext_lazy("This needs a valid credential")
    help = gettext_lazy("Send the header Authorization as the documentation says.")

    def __init__(self, detail: Any = None, *, scheme: str = "", headers: Mapping[str, str] | None = None) -> None:
        challenge = {"WWW-Authenticate": f'{scheme} realm="crowdtrace"'} if scheme else {}
        super().__init__(detail, headers=challenge | dict(headers or {}))


class Outdated(Unauthorized):
    """The client authenticates like a former version of the app."""

    slug = "outdated"
    title = gettext_lazy("This page is older than the server")
    help = gettext_lazy("Reload the page, then try again. Nothing was lost.")


class Forbidden(Problem):
    """The client is known, but not allowed to do this."""

    status = HTTPStatus.FORBIDDEN
    slug = "forbidden"
    title = gettext_lazy("This is not allowed")
    help = gettext_lazy("Ask the people who run the place for the right to do this.")


class StaleForm(Forbidden):
    """A request of a session without the token that proves that it comes from our page (CSRF)."""

    slug = "stale-form"
    title = gettext_lazy("This page was open too long")
    help = gettext_lazy("Go back, load the page again and send it once more. Cookies must be allowed.")


class NotFound(Problem):
    """Nothing exists here, or nothing that the client may know of."""

    status = HTTPStatus.NOT_FOUND
    slug = "not-found"
    title = gettext_lazy("There is nothing at this address")
    help = gettext_lazy("Check the address. What was here may have been closed or removed.")


class MethodNotAllowed(Problem):
    """The URL exists, but not for this method; `Allow` lists the supported methods."""

    status = HTTPStatus.METHOD_NOT_ALLOWED
    slug = "method-not-allowed"
    title = gettext_lazy("This method is not offered here")
    help = gettext_lazy("The header Allow lists the methods of this address.")

    def __init__(self, allowed: Iterable[str] = ()) -> None:
        methods = ", ".join(allowed)
        super().__init__(headers={"Allow": methods} if methods else {})


class NotAcceptable(Problem):
    """No representation of the response is acceptable to the client."""

    status = HTTPStatus.NOT_ACCEPTABLE
    slug = "not-acceptable"
    title = gettext_lazy("The answer does not exist in the wanted form")
    help = gettext_lazy("Change the header Accept, or leave it out.")


class TookTooLong(Problem):
    """The body did not arrive in time."""

    status = HTTPStatus.REQUEST_TIMEOUT
    slug = "took-too-long"
    title = gettext_lazy("The request took too long to arrive")
    help = gettext_lazy("Send it again, all at once, over a faster connection.")


class Conflict(Problem):
    """The request conflicts with stored data."""

    status = HTTPStatus.CONFLICT
    slug = "conflict"
    title = gettext_lazy("This conflicts with what is already there")
    help = gettext_lazy("Read the current state, then decide again.")


class InProgress(Conflict):
    """The same request is already in progress."""

    slug = "in-progress"
    title = gettext_lazy("The same request is being worked on")
    help = gettext_lazy("Wait as long as Retry-After says, then send it again.")

    def __init__(self, *, retry_after: int = 1) -> None:
        super().__init__(headers={"Retry-After": str(retry_after)})


class Gone(Problem):
    """The resource existed and will not come back."""

    status = HTTPStatus.GONE
    slug = "gone"
    title = gettext_lazy("This is over")
    help = gettext_lazy("What was here has ended or was used up; ask for a new one.")


class PreconditionFailed(Problem):
    """`If-Match` names another version than the present one."""

    status = HTTPStatus.PRECONDITION_FAILED
    slug = "precondition-failed"
    title = gettext_lazy("Somebody changed this in the meantime")
    help = gettext_lazy("Read it again, then repeat the change with the new ETag in If-Match.")


class PreconditionRequired(Problem):
    """An update that would overwrite unseen changes, because `If-Match` is missing."""

    status = HTTPStatus.PRECONDITION_REQUIRED
    slug = "precondition-required"
    title = gettext_lazy("Say which version you are changing")
    help = gettext_lazy("Send the ETag of what you read in the header If-Match.")


class TooLarge(Problem):
    """The body is larger than the URL accepts."""

    status = HTTPStatus.REQUEST_ENTITY_TOO_LARGE
    slug = "too-large"
    title = gettext_lazy("The request is too large")
    help = gettext_lazy("Send less at once.")


class UnsupportedMediaType(Problem):
    """The body has a media type that is not supported here."""

    status = HTTPStatus.UNSUPPORTED_MEDIA_TYPE
    slug = "unsupported-media-type"
    title = gettext_lazy("This type of content is not read here")
    help = gettext_lazy("Send JSON with the header Content-Type: application/json.")


class KeyReused(Problem):
    """An Idempotency-Key was reused with another body."""

    status = HTTPStatus.UNPROCESSABLE_ENTITY
    slug = "key-reused"
    title = gettext_lazy("This Idempotency-Key belongs to another request")
    help = gettext_lazy("Make a new key for each new request.")


class TooMany(Problem):
    """A rate limit was exceeded; `retry_after` is in whole seconds."""

    status = HTTPStatus.TOO_MANY_REQUESTS
    slug = "too-many"
    title = gettext_lazy("Too many requests")
    help = gettext_lazy("Wait as long as Retry-After says, then go on more slowly.")

    def __init__(self, detail: Any = None, *, retry_after: float | None = None) -> None:
        headers = {} if retry_after is None else {"Retry-After": str(max(1, math.ceil(retry_after)))}
        super().__init__(detail, headers=headers)


class ServerError(Problem):
    """An internal error. The response does not contain the cause; the log does."""

    status = HTTPStatus.INTERNAL_SERVER_ERROR
    slug = "server-error"
    title = gettext_lazy("Something went wrong on our side")
    help = gettext_lazy("The error was logged. Try again later.")


class NotOffered(Problem):
    """The operator has not configured what this requires."""

    status = HTTPStatus.NOT_IMPLEMENTED
    slug = "not-offered"
    title = gettext_lazy("This deployment does not offer that")
    help = gettext_lazy("Choose another form, or ask the operator.")


class Unavailable(Problem):
    """A required store is temporarily unavailable."""

    status = HTTPStatus.SERVICE_UNAVAILABLE
    slug = "unavailable"
    title = gettext_lazy("Not available at the moment")
    help = gettext_lazy("Try again in a few seconds.")

    def __init__(self, detail: Any = None, *, retry_after: int = RETRY_AFTER_OUTAGE_SECONDS) -> None:
        super().__init__(detail, headers={"Retry-After": str(retry_after)})


class Busy(Unavailable):
    """The deployment has no capacity for the request; this is not an internal error, so it is not logged."""

    slug = "busy"
    title = gettext_lazy("Too busy at the moment")
    help = gettext_lazy("Wait as long as Retry-After says, then try again.")


KINDS: Final[tuple[type[Problem], ...]] = (
    BadRequest,
    Invalid,
    Unauthorized,
    Outdated,
    Forbidden,
    StaleForm,
    NotFound,
    MethodNotAllowed,
    NotAcceptable,
    TookTooLong,
    Conflict,
    InProgress,
    Gone,
    PreconditionFailed,
    PreconditionRequired,
    TooLarge,
    UnsupportedMediaType,
    KeyReused,
    TooMany,
    ServerError,
    NotOffered,
    Unavailable,
    Busy,
)
"""Every type, in the order of statuses; `/problems/<slug>` explains each."""


# Pointers -------------------------------------------------------------------------------------------------------------
def pointer(*parts: str | int) -> str:
    """Return the JSON pointer to a location in the body (RFC 6901 section 3)."""
    return "".join("/" + str(part).replace("~", "~0").replace("/", "~1") for part in parts)


def field_errors(detail: Any, *, prefix: str = "") -> list[FieldError]:
    """Return the errors of a serializer, flattened; `detail` is nested dicts and lists of `ErrorDetail`."""
    if isinstance(detail, Mapping):
        found = []
        for key, value in detail.items():
            below = prefix if key == api_settings.NON_FIELD_ERRORS_KEY else prefix + pointer(key)
            found += field_errors(value, prefix=below)
        return found
    if isinstance(detail, list | tuple):
        if any(isinstance(item, Mapping | list) for item in detail):
            return [
                error for at, item in enumerate(detail) for error in field_errors(item, prefix=prefix + pointer(at))
            ]
        return [error for item in detail for error in field_errors(item, prefix=prefix)]
    return [FieldError(prefix, str(detail), str(getattr(detail, "code", None) or "invalid"))]


def from_validation_error(error: core.ValidationError, *, at: str = "") -> Invalid:
    """Convert the error of a Django model, form or value to a problem; `at` is the JSON pointer to it."""
    by_field: Mapping[str, Sequence[core.ValidationError]]
    by_field = error.error_dict if hasattr(error, "error_dict") else {core.NON_FIELD_ERRORS: error.error_list}
    return Invalid(
        errors=[
            FieldError(at if name == core.NON_FIELD_ERRORS else at + pointer(name), message, single.code or "invalid")
            for name, singles in by_field.items()
            for single in singles
            for message in single.messages
        ]
    )


# Mapping of exceptions ------------------------------------------------------------------------------------------------
def from_exception(exc: BaseException) -> Problem | None:
    """Return the problem for an exception; `None` for an internal error."""
    problem: Problem | None = None
    match exc:
        case Problem():
            problem = exc
        case core.ValidationError():
            problem = from_validation_error(exc)
        case drf.ValidationError():
            problem = Invalid(errors=field_errors(exc.detail))
        case drf.NotAuthenticated() | drf.AuthenticationFailed():
            header = getattr(exc, "auth_header", None)
            problem = Unauthorized(headers={"WWW-Authenticate": header} if header else {})
        case drf.PermissionDenied():
            problem = StaleForm() if str(exc.detail).startswith("CSRF Failed") else Forbidden()
        case OSError() if exc.errno in DISK_FULL:
            problem = Unavailable()
        case DatabaseInternalError() if getattr(exc.__cause__, "sqlstate", None) == READ_ONLY:
            problem = Unavailable()
        case drf.Throttled():
            problem = TooMany(retry_after=getattr(exc, "wait", None))
        case _:
            problem = next((kind() for classes, kind in _PLAIN if isinstance(exc, classes)), None)
    return problem


_PLAIN: Final[tuple[tuple[type[BaseException] | tuple[type[BaseException], ...], Callable[[], Problem]], ...]] = (
    ((Http404, drf.NotFound), NotFound),
    (core.PermissionDenied, Forbidden),
    (core.RequestDataTooBig, TooLarge),
    ((core.SuspiciousOperation, core.BadRequest, UnreadablePostError, drf.ParseError), BadRequest),
    (drf.MethodNotAllowed, MethodNotAllowed),
    (drf.NotAcceptable, NotAcceptable),
    (drf.UnsupportedMediaType, UnsupportedMediaType),
    ((OperationalError, InterfaceError, RedisError, AwayError), Unavailable),
)


def exception_handler(exc: Exception, context: Mapping[str, Any]) -> HttpResponse:
    """Return the response to an exception in an API view; log internal errors and return them without their cause."""
    problem = from_exception(exc)
    if isinstance(problem, Unauthorized) and "WWW-Authenticate" not in problem.headers:
        challenge = context["view"].get_authenticate_header(context["request"])
        problem.headers["WWW-Authenticate"] = challenge or 'Session realm="crowdtrace"'
    return answer_exception(exc, problem, context["request"]._request)


def answer_exception(exc: Exception, problem: Problem | None, request: HttpRequest) -> HttpResponse:
    """Return the response to a program for an exception and its problem; log it if it is an internal error."""
    if problem is None:
        # What Django does for its own views; that would show a technical page under DEBUG.
        got_request_exception.send(sender=None, request=request)
        problem = ServerError()
    response = problem_json(problem)
    note_fault(exc, problem, request, response)
    return response


def note_fault(exc: BaseException, problem: Problem, request: HttpRequest, response: HttpResponse) -> None:
    """Log an internal error once. Refusals are not logged, because strangers could fill the log with them."""
    if problem.status >= HTTPStatus.INTERNAL_SERVER_ERROR and not isinstance(problem, NotOffered | Busy):
        log_response("%s", problem.slug, response=response, request=request, exception=exc)
    else:
        mark_as_logged(response)


def mark_as_logged(response: HttpResponse) -> None:
    """Keep Django from logging this response."""
    response._has_been_logged = True  # type: ignore[attr-defined]


# Answers --------------------------------------------------------------------------------------------------------------
def problem_json(problem: Problem) -> HttpResponse:
    """Return the response to a program."""
    body = json.dumps(problem.body(), ensure_ascii=False, separators=(",", ":")).encode("utf-8", "backslashreplace")
    return HttpResponse(body, status=problem.status, content_type=CONTENT_TYPE, headers=problem.headers)


def problem_page(request: HttpRequest, problem: Problem) -> HttpResponse:
    """Return the answer to a person: a page of the site (`PROBLEM_PAGE`), or a plain one where the fault is ours."""
    if settings.PROBLEM_PAGE and problem.status < HTTPStatus.INTERNAL_SERVER_ERROR:
        response: HttpResponse = import_string(settings.PROBLEM_PAGE)(request, problem)
    else:
        response = render(request, "common/error.html", {"problem": problem}, status=problem.status)
    for name, value in problem.headers.items():
        response[name] = value
    patch_vary_headers(response, ["Accept-Language"])
    return response


def is_for_programs(request: HttpRequest) -> bool:
    """Return whether the URL belongs to the API."""
    return request.path_info == "/api" or request.path_info.startswith(API_PREFIXES)


def answer(request: HttpRequest, problem: Problem) -> HttpResponse:
    """Return the response in the format of the URL; `PROBLEM_FORMS` lists URLs with a protocol of their own."""
    if form := settings.PROBLEM_FORMS.get(request.path_info):
        response: HttpResponse = import_string(form)(problem)
        return response
    return problem_json(problem) if is_for_programs(request) else problem_page(request, problem)


# Handlers that crowdtrace/urls.py names -------------------------------------------------------------------------------
def bad_request(request: HttpRequest, exception: Exception) -> HttpResponse:
    """Respond with 400."""
    return answer(request, from_exception(exception) or BadRequest())


def forbidden(request: HttpRequest, exception: Exception) -> HttpResponse:  # noqa: ARG001
    """Respond with 403."""
    return answer(request, Forbidden())


def csrf_failure(request: HttpRequest, reason: str = "") -> HttpResponse:  # noqa: ARG001
    """Respond with 403 to a form whose token is missing or expired."""
    return answer(request, StaleForm())


def not_found(request: HttpRequest, exception: Exception) -> HttpResponse:  # noqa: ARG001
    """Respond with 404."""
    return answer(request, NotFound())


def server_error(request: HttpRequest) -> HttpResponse:
    """Respond with 500. This page must not fail itself, so plain text replaces a failing template."""
    try:
        return answer(request, ServerError())
    except Exception:
        if settings.DEBUG:
            raise
        log.exception("the error page failed")
        return HttpResponse(_("Something went wrong on our side"), status=500, content_type="text/plain; charset=utf-8")


def unknown_address(request: HttpRequest) -> HttpResponse:
    """Respond with 404 below `/api` and `/.well-known`, also under DEBUG, where Django would list all URLs in HTML."""
    return answer(request, NotFound())
