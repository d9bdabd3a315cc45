"""Small views that use every part of the app, under `/api/v1/` in a test's URL configuration."""

import io
import queue
from typing import Any
from urllib.parse import quote

from django.db import OperationalError
from django.http import FileResponse, HttpRequest, HttpResponse
from django.urls import include, path
from django.views.decorators.csrf import csrf_exempt
from drf_spectacular.utils import extend_schema
from rest_framework import generics, serializers
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.views import APIView

from common.models import AuditEntry
from common.time import utc_now
from common.web import throttles
from common.web.authentication import Authenticated, SchemeAuthentication
from common.web.etag import ETagMixin, require_match
from common.web.idempotency import idempotent
from common.web.problems import Conflict, PreconditionFailed, PreconditionRequired
from common.web.serializers import (
    Base64Url,
    Choice,
    Day,
    Flag,
    Number,
    PublicId,
    QuerySerializer,
    StrictModelSerializer,
    StrictSerializer,
    Text,
    UtcTime,
    Whole,
    read_body,
    read_query,
)
from crowdtrace.urls import handler400, handler403, handler404, handler500

__all__ = ["handler400", "handler403", "handler404", "handler500", "urlpatterns"]


LONG_FILE_BYTES = 20 * 1024 * 1024


class ThingAnswersSerializer(StrictSerializer):
    symptoms = Flag()
    share = Number(min_value=0, max_value=1, required=False)


class ThingSerializer(StrictSerializer):
    venue = PublicId("v")
    anchor = Base64Url(length=16)
    answers = ThingAnswersSerializer()
    name = Text(max_length=20, required=False)
    colour = Choice(["red", "green"], required=False)
    count = Whole(min_value=0, max_value=100, required=False)
    at = UtcTime(required=False)
    day = Day(required=False)


class ThingsView(APIView):
    """Accept a thing and return it."""

    @extend_schema(request=ThingSerializer, responses=ThingSerializer, operation_id="things")
    def post(self, request: Request) -> Response:
        return Response(ThingSerializer(read_body(request, ThingSerializer)).data)


class RowSerializer(StrictSerializer):
    verb = Text(max_length=64)


class RowsView(APIView):
    """Write a row once, however often the request is sent."""

    problems = (Conflict,)

    @extend_schema(request=RowSerializer, responses={201: RowSerializer}, operation_id="rows")
    @idempotent
    def post(self, request: Request) -> Response:
        verb = read_body(request, RowSerializer)["verb"]
        AuditEntry.objects.create(at=utc_now(), actor="test", verb=verb, subject="row")
        if verb == "conflict":
            raise Conflict
        if verb == "crash":
            raise RuntimeError(verb)
        return Response({"verb": verb}, status=201, headers={"Location": f"/api/v1/rows/{quote(verb)}"})


class EntrySerializer(StrictModelSerializer):
    class Meta:
        model = AuditEntry
        fields = ("verb", "subject")


class EntriesView(generics.ListAPIView[Any]):
    """A list by cursor."""

    queryset = AuditEntry.objects.all()
    serializer_class = EntrySerializer
    ordering = ("-at", "-id")


class SearchSerializer(QuerySerializer):
    zip = serializers.RegexField(r"^[0-9]{5}$", required=False)
    near = serializers.IntegerField(min_value=1, max_value=9, required=False)


class SearchView(ETagMixin, APIView):
    """Return its query."""

    @extend_schema(parameters=[SearchSerializer], responses=SearchSerializer, operation_id="search")
    def get(self, request: Request) -> Response:
        return Response(read_query(request, SearchSerializer))


class VersionedView(ETagMixin, APIView):
    """A resource that a client can change after reading it."""

    problems = {"PUT": (PreconditionFailed, PreconditionRequired)}
    state = {"verb": "first"}

    @extend_schema(responses=RowSerializer, operation_id="read_versioned")
    def get(self, request: Request) -> Response:
        return Response(self.state)

    @extend_schema(request=RowSerializer, responses=RowSerializer, operation_id="change_versioned")
    def put(self, request: Request) -> Response:
        body = read_body(request, RowSerializer)
        require_match(request, self.state)
        return Response(body)


class TokenAuthentication(SchemeAuthentication):
    scheme = "Device"
    description = "a token of the tests"

    def identify(self, credential: str, request: Request) -> tuple[Any, Any] | None:
        return (None, Token(credential)) if credential.startswith("good") else None


class Token:
    def __init__(self, public_id: str) -> None:
        self.public_id = public_id


class DoorView(APIView):
    """Require a device."""

    authentication_classes = [TokenAuthentication]
    permission_classes = [Authenticated]
    throttle_classes = [throttles.DeviceThrottle]

    @extend_schema(responses=RowSerializer, operation_id="door")
    def get(self, request: Request) -> Response:
        return Response({"verb": "open"})


class CrashView(APIView):
    """Fail in the requested way."""

    @extend_schema(exclude=True)
    def post(self, request: Request) -> Response:
        local: Any = request.data  # a report with local variables would show it
        match local["how"]:
            case "database":
                raise OperationalError(f"cannot reach {local['secret']}")
            case "chain":
                try:
                    raise KeyError(local["secret"])
                except KeyError as error:
                    raise ValueError(f"bad value {local['secret']}") from error
            case _:
                raise RuntimeError(f"Failing row contains ({local['secret']})")


def plain_crash(request: HttpRequest, capability: str) -> HttpResponse:
    secret = request.META["HTTP_AUTHORIZATION"]
    raise RuntimeError(f"{capability} {secret}")


def plain_login(request: HttpRequest) -> HttpResponse:
    throttles.check(request, "login")
    return HttpResponse("welcome")


_held: queue.SimpleQueue[None] = queue.SimpleQueue()


def hold(request: HttpRequest) -> HttpResponse:
    """Keep a thread until `release` frees one."""
    _held.get()
    return HttpResponse("held")


@csrf_exempt
def release(request: HttpRequest) -> HttpResponse:
    """Free as many as the body states, at a URL of doors."""
    for _ in range(int(request.body or b"1")):
        _held.put(None)
    return HttpResponse("released")


def long_file(request: HttpRequest) -> FileResponse:
    return FileResponse(io.BytesIO(b"x" * LONG_FILE_BYTES))


urlpatterns = [
    path("pages/hold", hold),
    path("pages/file", long_file),
    path("api/v1/tickets", release),
    path("api/v1/things", ThingsView.as_view()),
    path("api/v1/rows", RowsView.as_view()),
    path("api/v1/entries", EntriesView.as_view()),
    path("api/v1/search", SearchView.as_view()),
    path("api/v1/versioned", VersionedView.as_view()),
    path("api/v1/door", DoorView.as_view()),
    path("api/v1/crash", CrashView.as_view()),
    path("api/v1/plain/<str:capability>", plain_crash),
    path("pages/plain/<str:capability>", plain_crash),
    path("pages/login", plain_login),
    path("", include("crowdtrace.urls")),
]
