"""Requests of tests to the real URLs with Django's test client, at a given time."""

import datetime as dt
import json
from typing import Any, Final

import time_machine
from django.http import HttpRequest
from django.http.response import HttpResponseBase
from django.test import Client
from django.test.client import ClientHandler

from common.web.short_ways import Shortly


class _Handler(ClientHandler):
    """Django's handler with the short ways of a deployment."""

    def get_response(self, request: HttpRequest) -> HttpResponseBase:
        return Shortly().respond(request) or super().get_response(request)


# Loaded once: a separate client would load the middleware again, which takes ten times as long as a request.
_HANDLER: Final = _Handler(enforce_csrf_checks=False)


def send(method: str, path: str, body: Any = None, *, now: dt.datetime, headers: dict[str, str] | None = None) -> Any:
    """Send one request with JSON at a given time."""
    data = b"" if body is None else json.dumps(body).encode()
    return send_bytes(path, data, now=now, headers=headers, method=method)


def send_bytes(
    path: str, data: bytes, *, now: dt.datetime, headers: dict[str, str] | None = None, method: str = "POST"
) -> Any:
    """Send one request with any bytes at a given time."""
    client = Client(raise_request_exception=False)
    client.handler = _HANDLER
    with time_machine.travel(now, tick=False):
        return client.generic(method, path, data, content_type="application/json", headers=headers or {})
