"""Translate between ASGI, which the server uses, and WSGI, which the application uses.

A header whose name contains an underscore is dropped: WSGI maps `X_Forwarded_For` and `X-Forwarded-For` to the same
variable, and a proxy that replaces the one lets the other pass.
"""

import secrets
import sys
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from http import HTTPStatus
from io import BytesIO
from typing import Any, Final
from urllib.parse import unquote_to_bytes

from django.db import close_old_connections
from django.http.response import HttpResponseBase

from common.logs import REQUEST_ID

Environ = dict[str, Any]
Application = Callable[[Environ, Callable[..., Any]], HttpResponseBase]
"""Django's WSGI application, which returns a Django response."""

WHOLE_BYTES: Final = 256 * 1024
"""Length in bytes up to which a file leaves its thread in one piece."""
_UNPREFIXED: Final = {"content-type": "CONTENT_TYPE", "content-length": "CONTENT_LENGTH"}


@dataclass(frozen=True, slots=True)
class Answer:
    """A response to send: the part of its body that has been read, and the parts of a file still to be read."""

    status: int
    headers: list[tuple[bytes, bytes]]
    body: bytes
    rest: "Rest | None" = None
    moment_part: float | None = None
    """What `common.web.moments.spread_by` gave it."""


@dataclass(frozen=True, slots=True)
class Rest:
    """The parts of a file that are still to be read, each in some thread."""

    parts: Iterator[bytes]
    response: HttpResponseBase

    def read(self) -> bytes:
        """Return the next part, which joins several small ones; empty at the end."""
        return gather(self.parts)


def environ_of(scope: Mapping[str, Any]) -> Environ:
    """Return the WSGI environment of a request without its body."""
    host, port = scope.get("server") or ("localhost", 0)
    environ: Environ = {
        "REQUEST_METHOD": scope["method"],
        "SCRIPT_NAME": "",
        # Bytes that are not UTF-8 must reach Django unchanged, so the server's decoded path is not used.
        "PATH_INFO": unquote_to_bytes(scope["raw_path"]).decode("latin-1"),
        "QUERY_STRING": scope["query_string"].decode("latin-1"),
        "SERVER_NAME": str(host),
        "SERVER_PORT": str(port),
        "SERVER_PROTOCOL": f"HTTP/{scope['http_version']}",
        "wsgi.version": (1, 0),
        "wsgi.url_scheme": scope.get("scheme", "http"),
        "wsgi.input": BytesIO(),
        "wsgi.errors": sys.stderr,
        "wsgi.multithread": True,
        "wsgi.multiprocess": True,
        "wsgi.run_once": False,
    }
    if client := scope.get("client"):
        environ["REMOTE_ADDR"] = str(client[0])
    for raw, raw_value in scope["headers"]:
        name, value = raw.decode("latin-1"), raw_value.decode("latin-1")
        if "_" in name:
            continue
        key = _UNPREFIXED.get(name) or f"HTTP_{name.upper().replace('-', '_')}"
        separator = "; " if key == "HTTP_COOKIE" else ","
        environ[key] = f"{environ[key]}{separator}{value}" if key in environ else value
    return environ


def set_body(environ: Environ, body: bytes) -> None:
    """Attach the complete body to the request, however it was transferred."""
    environ["wsgi.input"] = BytesIO(body)
    environ["CONTENT_LENGTH"] = str(len(body)) if body else ""
    environ.pop("HTTP_TRANSFER_ENCODING", None)


def call(application: Application, environ: Environ) -> Answer:
    """Ask the application, in this thread, under a request id of its own."""
    request_id = secrets.token_hex(8)
    token = REQUEST_ID.set(request_id)
    try:
        response = application(environ, _ignore)
    finally:
        REQUEST_ID.reset(token)
    if response.status_code >= HTTPStatus.INTERNAL_SERVER_ERROR:
        response.headers["X-Request-Id"] = request_id
    has_rest = False
    try:
        if environ["REQUEST_METHOD"] == "HEAD":
            return as_answer(response, b"")
        if not response.streaming:
            return as_answer(response, b"".join(response))
        parts = iter(response)
        body = gather(parts)
        if len(body) < WHOLE_BYTES:
            return as_answer(response, body)
        # Other threads continue reading. Only this one can return its database connection.
        close_old_connections()
        has_rest = True
        return as_answer(response, body, Rest(parts, response))
    finally:
        if not has_rest:
            response.close()


def gather(parts: Iterator[bytes]) -> bytes:
    """Return parts up to `WHOLE_BYTES`, or slightly more if they are large."""
    body = bytearray()
    for part in parts:
        body += part
        if len(body) >= WHOLE_BYTES:
            break
    return bytes(body)


def as_answer(response: HttpResponseBase, body: bytes, rest: Rest | None = None) -> Answer:
    """Convert a Django response to the terms of ASGI."""
    headers = [(name.lower().encode("ascii"), value.encode("latin-1")) for name, value in response.items()]
    headers += [(b"set-cookie", cookie.OutputString().encode("latin-1")) for cookie in response.cookies.values()]
    return Answer(response.status_code, headers, body, rest, getattr(response, "moment_part", None))


def _ignore(*_: Any) -> None:
    """Ignore status and headers, which the Django response holds as well."""
