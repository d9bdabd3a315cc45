"""Logs and error reports without personal data.

Handlers write what our own code says, and of everything else only the constant part. A record loses its request, the
arguments that are text (but for a few harmless ones), its stack and its exception's message; an exception is written
as its type and the lines of our code it passed. An address, an agent, a query, a body, a secret, a pass or a local
variable can therefore not get into a line, also under DEBUG, in mail to administrators or in a worker.

Lines of one request share a random id. The response has it only where the server failed (`X-Request-Id`), so that
somebody can name the error; what a client sends as an id is not read.
"""

import datetime as dt
import json
import logging
import re
import sys
import traceback
from collections.abc import Iterator, Mapping
from contextvars import ContextVar
from pathlib import Path
from types import TracebackType
from typing import Any, Final

from django.http import HttpRequest
from django.utils.html import format_html
from django.utils.safestring import SafeString, mark_safe
from django.views.debug import ExceptionReporter

ROOT: Final = Path(__file__).resolve().parents[1]
OURS: Final = ("crowdtrace", "venues", "passes", "risk", "exports")
HIDDEN: Final = "…"
REQUEST_ID: Final[ContextVar[str]] = ContextVar("request_id", default="")
"""The request that this thread answers; empty outside one."""
REFUSALS: Final = ("django.request", "django.security")
MAX_FRAMES: Final = 8
# Values in a worker's messages that identify the task, not its data.
HARMLESS: Final = frozenset({"name", "id", "runtime", "description", "queue", "hostname", "version", "pid", "exitcode"})

# Data that may remain in a constant part if a message was built by concatenation.
_SUSPECT: Final = re.compile(
    r"""
      GO1:\S+                                                  # passes
    | \b(?:Visitor|Device|Owner|Bearer|Basic)\s+\S+             # credentials
    | \b[\w.+-]+@[\w-]+\.[\w.-]+                                # mail addresses
    | (?<![\w.])\d{1,3}(?:\.\d{1,3}){3}(?::\d+)?(?![\w.])       # IPv4
    | (?<![\w:])(?:(?:[0-9A-Fa-f]{1,4}:){7}[0-9A-Fa-f]{1,4}   # IPv6
      | (?:[0-9A-Fa-f]{1,4}(?::[0-9A-Fa-f]{1,4})*)?::(?:[0-9A-Fa-f]{1,4}(?::[0-9A-Fa-f]{1,4})*)?)(?![\w:])
    | (?<=\?)[^\s"']+                                           # query strings
    | (?<![\w/.-])(?=[\w-]*\d)(?=[\w-]*[A-Za-z])[\w-]{20,}(?![\w/.])  # secrets in base64url or hex
    | '[^']*' | "[^"]*" | \([^()]*=[^()]*\) | (?<=\)=)\([^()]*\)  # quoted values, rows in database messages
    """,
    re.VERBOSE,
)


class PrivateFilter(logging.Filter):
    """Strip everything that may hold data from a record, in place, so that no later handler sees it either."""

    def filter(self, record: logging.LogRecord) -> bool:
        """Return whether to write the record."""
        if getattr(record, "private", False):
            return True
        request = getattr(record, "request", None)
        status = getattr(record, "status_code", None)
        if record.name.startswith(REFUSALS) and isinstance(status, int) and status < 500:
            return False  # otherwise strangers could fill the log and the administrators' mail
        record.msg, record.args = _message(record, request), None
        record.exc_text = describe(record.exc_info[1]) if record.exc_info else None
        record.exc_info = None
        record.stack_info = None
        for name in set(record.__dict__) - _PLAIN_ATTRIBUTES:
            del record.__dict__[name]
        record.private = True
        return True


_PLAIN_ATTRIBUTES: Final = frozenset(logging.LogRecord("", 0, "", 0, "", None, None).__dict__) | {"message", "asctime"}


class PrivateFormatter(logging.Formatter):
    """One line a record: time in UTC, level, logger, words, exception, request."""

    def format(self, record: logging.LogRecord) -> str:
        """Return the line; a record that no filter has seen is stripped first."""
        parts = _parts(record)
        line = f"{parts['time']} {parts['level']} {parts['logger']}: {parts['message']}"
        if "error" in parts:
            line = f"{line} [{parts['error']}]"
        return f"{line} request={parts['request']}" if "request" in parts else line


class JsonFormatter(logging.Formatter):
    """One JSON object a line, with the same parts."""

    def format(self, record: logging.LogRecord) -> str:
        """Return the line; a record that no filter has seen is stripped first."""
        return json.dumps(_parts(record), ensure_ascii=False)


def _parts(record: logging.LogRecord) -> dict[str, str]:
    PrivateFilter().filter(record)
    moment = dt.datetime.fromtimestamp(record.created, dt.UTC).strftime("%Y-%m-%dT%H:%M:%S.%f")[:-3] + "Z"
    parts = {"time": moment, "level": record.levelname, "logger": record.name, "message": str(record.msg)}
    if record.exc_text:
        parts["error"] = record.exc_text
    if request_id := REQUEST_ID.get():
        parts["request"] = request_id
    return parts


def _message(record: logging.LogRecord, request: object) -> str:
    if isinstance(request, HttpRequest) or record.name in ("django.request", "django.server"):
        return _request_line(record, request)
    if record.name == "celery.redirected":
        return HIDDEN  # output of a library inside a worker, whose constant part is unknown
    template = record.msg if isinstance(record.msg, str) else type(record.msg).__name__
    own = record.name.split(".")[0] in OURS
    try:
        text = template % _harmless(record.args, own=own) if record.args else template
    except (TypeError, ValueError, KeyError):
        text = template
    return scrub(text)


def _request_line(record: logging.LogRecord, request: object) -> str:
    """Return the route with its placeholders, never the path, which may hold a capability."""
    route = "unknown address"
    method = ""
    if isinstance(request, HttpRequest):
        method = request.method if request.method in _METHODS else "other method"
        match = request.resolver_match
        route = f"/{match.route}" if match is not None else route
    status = getattr(record, "status_code", "")
    return " ".join(str(part) for part in (method, route, status) if part)


_METHODS: Final = ("GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS")


def _harmless(args: Any, *, own: bool) -> Any:
    if isinstance(args, Mapping):
        return {key: value if own or key in HARMLESS else _plain(value) for key, value in args.items()}
    if isinstance(args, tuple):
        return tuple(_own_value(value) if own else _plain(value) for value in args)
    return _plain(args)


def _plain(value: object) -> object:
    return value if isinstance(value, bool | int | float) or value is None else HIDDEN


def _own_value(value: object) -> object:
    if isinstance(value, BaseException):
        return type(value).__name__
    if isinstance(value, str | bool | int | float | dt.date | dt.timedelta) or value is None:
        return value
    return HIDDEN


def scrub(text: str) -> str:
    """Return the text on one line, without anything that looks like data."""
    return _SUSPECT.sub(HIDDEN, " ".join(text.split()))


# Exceptions -----------------------------------------------------------------------------------------------------------
def describe(error: BaseException | None) -> str:
    """Describe an exception and its causes: types, codes of the system or the database, and lines of our code."""
    return " from ".join(_describe_one(each) for each in _chain(error))


def _chain(error: BaseException | None) -> Iterator[BaseException]:
    seen: set[int] = set()
    while error is not None and id(error) not in seen:
        seen.add(id(error))
        yield error
        error = error.__cause__ or (None if error.__suppress_context__ else error.__context__)


def _describe_one(error: BaseException) -> str:
    frames = _frames(error.__traceback__)
    return kind_of(error) + (f" at {' < '.join(frames)}" if frames else "")


def kind_of(error: BaseException) -> str:
    """Return an exception's type and codes of the system or the database, safe to store and to show to the operator."""
    kind = type(error)
    words = [kind.__qualname__ if kind.__module__ == "builtins" else f"{kind.__module__}.{kind.__qualname__}"]
    if isinstance(error, OSError) and isinstance(error.errno, int):
        words.append(f"errno {error.errno}")
    return " ".join([*words, *_database_codes(error)])


def _database_codes(error: BaseException) -> Iterator[str]:
    """Yield SQLSTATE and the name of the constraint, which are parts of the schema and not of the data."""
    if isinstance(state := getattr(error, "sqlstate", None), str):
        yield f"SQLSTATE {state}"
        if isinstance(name := getattr(getattr(error, "diag", None), "constraint_name", None), str):
            yield name


def _frames(trace: TracebackType | None) -> list[str]:
    """Return the lines of a traceback, innermost first; of libraries only the innermost line."""
    frames = []
    for at, (frame, line) in enumerate(reversed(list(traceback.walk_tb(trace)))):
        path = Path(frame.f_code.co_filename)
        inside = path.is_relative_to(ROOT) and not {".venv", "site-packages"} & set(path.parts)
        if inside or at == 0:
            where = path.relative_to(ROOT) if inside else Path(*path.parts[-2:])
            frames.append(f"{where}:{line} {frame.f_code.co_name}")
    return frames[:MAX_FRAMES]


class PrivateReporter(ExceptionReporter):
    """Django's error report (the page under DEBUG, mail to administrators) with the content of a log line."""

    def get_traceback_data(self) -> dict[str, Any]:
        """Return only the description."""
        return {"description": self._description()}

    def get_traceback_text(self) -> SafeString:
        """Return the report as text."""
        return mark_safe(self._description() + "\n")  # noqa: S308 (plain text)

    def get_traceback_html(self) -> SafeString:
        """Return the report as a page."""
        return format_html("<!doctype html><html lang=en><title>500</title><pre>{}</pre></html>", self._description())

    def _description(self) -> str:
        error = self.exc_value if isinstance(self.exc_value, BaseException) else sys.exc_info()[1]
        route = _request_line(logging.LogRecord("", 0, "", 0, "", None, None), self.request) if self.request else ""
        return "\n".join(part for part in (route, describe(error)) if part)
