"""The schema of the API, a page to try it, and a page for each type of problem."""

import threading
from functools import lru_cache
from typing import Any, Final

from django.conf import settings
from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from drf_spectacular.generators import SchemaGenerator
from drf_spectacular.renderers import (
    OpenApiJsonRenderer,
    OpenApiJsonRenderer2,
    OpenApiYamlRenderer,
    OpenApiYamlRenderer2,
)
from drf_spectacular.utils import extend_schema
from drf_spectacular.views import SpectacularSwaggerSplitView
from rest_framework.negotiation import DefaultContentNegotiation
from rest_framework.renderers import BaseRenderer
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.views import APIView

from common.web.etag import ETagMixin
from common.web.problems import KINDS, Invalid, NotFound

FORMATS: Final = ("json", "yaml")


_making = threading.Lock()
"""The schema generator keeps state in module variables, so two threads at once would corrupt each other's schema."""


def schema() -> dict[str, Any]:
    """Return the OpenAPI document. It is the same for everybody, so each process generates it once."""
    with _making:
        return _schema()


@lru_cache(maxsize=1)
def _schema() -> dict[str, Any]:
    document: dict[str, Any] = SchemaGenerator().get_schema(request=None, public=True)  # type: ignore[no-untyped-call]
    return document


class _FormatNegotiation(DefaultContentNegotiation):
    """Negotiate by `Accept`, or by `?format=json` and `?format=yaml` for people with a browser."""

    def select_renderer(
        self, request: Request, renderers: Any, format_suffix: str | None = None
    ) -> tuple[BaseRenderer, str]:
        """Return the renderer and its media type."""
        wanted = request.query_params.get("format")
        if wanted is None:
            chosen: tuple[BaseRenderer, str] = super().select_renderer(request, renderers, format_suffix)
            return chosen
        if wanted not in FORMATS:
            raise Invalid.field("?format", f"One of {', '.join(FORMATS)}.", "invalid_choice")
        renderer = OpenApiJsonRenderer2() if wanted == "json" else OpenApiYamlRenderer2()
        return renderer, str(renderer.media_type)


class SchemaView(ETagMixin, APIView):
    """OpenAPI 3.1, as JSON or YAML."""

    renderer_classes = [OpenApiJsonRenderer2, OpenApiJsonRenderer, OpenApiYamlRenderer2, OpenApiYamlRenderer]
    content_negotiation_class = _FormatNegotiation
    cache_control = "public, no-cache"

    @extend_schema(exclude=True)
    def get(self, request: Request) -> Response:  # noqa: ARG002
        """Return the document."""
        if settings.DEBUG:
            _schema.cache_clear()
        return Response(schema())


class DocsView(SpectacularSwaggerSplitView):
    """Swagger UI, served by us; its start script is a file because the Content-Security-Policy requires that."""

    url_name = "schema"
    template_name = "site/docs.html"
    authentication_classes: list[Any] = []
    permission_classes: list[Any] = []


def problem_kind(request: HttpRequest, slug: str) -> HttpResponse:
    """Show what a `type` of problem details means."""
    kind = next((kind for kind in KINDS if kind.slug == slug), None)
    if kind is None:
        raise NotFound
    return render(request, "common/problem.html", {"kind": kind, "kinds": KINDS})
