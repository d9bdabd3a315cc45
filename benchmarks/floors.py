"""Measure requests through the whole web stack of this process, compared with a floor: only their SQL statements.

The floor of a request is a plain DRF view that sends the statements recorded for the request, fetches all rows and
returns the same bytes. Request and floor alternate, so that both see the same machine. CPU is that of this process,
without PostgreSQL's.
"""

from __future__ import annotations

import json
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np
from django.db import connection
from django.http import HttpResponse
from django.http.response import HttpResponseBase
from django.test import Client, override_settings
from django.urls import include, path
from rest_framework.request import Request
from rest_framework.views import APIView


@dataclass
class Seen:
    """Statements of one request, and its response."""

    statements: list[tuple[str, Any]] = field(default_factory=list)
    content: bytes = b""

    def __call__(self, execute: Callable[..., Any], sql: str, params: Any, many: bool, context: Any) -> Any:
        """Record a statement and run it."""
        self.statements.append((sql, params))
        return execute(sql, params, many, context)


@dataclass(frozen=True)
class TimedRequest:
    """One request: method, path, body."""

    method: str
    path: str
    body: dict[str, Any] | None = None

    def send(self, client: Client, at: str | None = None) -> HttpResponseBase:
        """Send the request."""
        text = "" if self.body is None else json.dumps(self.body)
        return client.generic(self.method, at or self.path, text, content_type="application/json")


_seen = Seen()


class FloorView(APIView):
    """The statements recorded last, and their response."""

    def _answer(self, request: Request) -> HttpResponse:
        _ = request.data if request.method == "POST" else None
        for sql, params in _seen.statements:
            with connection.cursor() as cursor:
                cursor.execute(sql, params)
                if cursor.description is not None:
                    cursor.fetchall()
        return HttpResponse(_seen.content, content_type="application/json")

    def get(self, request: Request) -> HttpResponse:
        """Respond like a search."""
        return self._answer(request)

    def post(self, request: Request) -> HttpResponse:
        """Respond like a shield."""
        return self._answer(request)


urlpatterns = [path("floor", FloorView.as_view()), path("", include("crowdtrace.urls"))]


def measure(requests: Sequence[TimedRequest], *, warm: int = 5) -> dict[str, float]:
    """Return milliseconds of the requests and of their floors; the first few only warm up."""
    global _seen  # noqa: PLW0603 - the one view of the floor reads it
    wall: list[tuple[float, float]] = []
    cpu: list[tuple[float, float]] = []
    statements: set[int] = set()
    with override_settings(ROOT_URLCONF="benchmarks.floors"):
        client = Client(headers={"host": "localhost"})
        for asked in requests:
            _seen = Seen()
            with connection.execute_wrapper(_seen):
                _seen.content = _answered(asked.send(client))
            statements.add(len(_seen.statements))
            times = [_timed(client, asked), _timed(client, asked, "/floor")]
            wall.append((times[0][0], times[1][0]))
            cpu.append((times[0][1], times[1][1]))
    ours, floor = np.array(wall[warm:]).T
    own_cpu, floor_cpu = np.array(cpu[warm:]).mean(axis=0)
    return {
        "p50_ms": round(float(np.percentile(ours, 50)), 1),
        "p99_ms": round(float(np.percentile(ours, 99)), 1),
        "cpu_ms": round(float(own_cpu), 1),
        "floor_p50_ms": round(float(np.percentile(floor, 50)), 1),
        "floor_p99_ms": round(float(np.percentile(floor, 99)), 1),
        "floor_cpu_ms": round(float(floor_cpu), 1),
        "most_statements": max(statements),
        "least_statements": min(statements),
    }


def _answered(response: HttpResponseBase) -> bytes:
    content: bytes = response.getvalue()
    if response.status_code != 200:
        raise SystemExit(f"{response.status_code}: {content[:300]!r}")
    return content


def _timed(client: Client, asked: TimedRequest, at: str | None = None) -> tuple[float, float]:
    began, cpu = time.perf_counter(), time.process_time()
    _answered(asked.send(client, at))
    return (time.perf_counter() - began) * 1e3, (time.process_time() - cpu) * 1e3
