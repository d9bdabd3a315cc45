"""The OpenAPI schema. Problems and rate limits of every operation are derived, so views do not have to list them."""

from collections.abc import Iterable
from typing import Any, Final

from django.utils.translation import gettext_lazy as _
from drf_spectacular.extensions import OpenApiAuthenticationExtension, OpenApiSerializerFieldExtension
from drf_spectacular.openapi import AutoSchema
from rest_framework import serializers
from rest_framework.permissions import AllowAny

from common.web import idempotency, problems
from common.web.authentication import SchemeAuthentication
from common.web.etag import ETagMixin
from common.web.problems import Problem
from common.web.serializers import Base64Url, PublicId, StrictSerializer, Text

JSON_PROBLEM: Final = problems.CONTENT_TYPE
WITH_BODY: Final = ("POST", "PUT", "PATCH", "DELETE")


class FieldErrorSerializer(serializers.Serializer[Any]):
    """One error in one part of the request."""

    pointer = serializers.CharField(
        allow_blank=True,
        help_text="`/a/0` a location in the body (RFC 6901), empty the whole body, `?a` a query parameter, `:a` a part "
        "of the path, `a:` a header",
    )
    detail = serializers.CharField(help_text="explanation for people")
    code = serializers.CharField(help_text="code for programs")


class ProblemSerializer(serializers.Serializer[Any]):
    """Problem details (RFC 9457)."""

    type = serializers.CharField(help_text="URL that explains this type of problem, relative to the deployment")
    title = serializers.CharField()
    status = serializers.IntegerField()
    detail = serializers.CharField(help_text="what to do about it")
    errors = FieldErrorSerializer(many=True)  # type: ignore[assignment]


def _header(description: str, kind: str = "string", *, required: bool = False) -> dict[str, Any]:
    return {"description": description, "schema": {"type": kind}, "required": required}


RATE_LIMIT_HEADERS: Final = {
    "RateLimit-Policy": _header("applicable limits: `q` requests in `w` seconds"),
    "RateLimit": _header("remaining: `r` requests, more in `t` seconds"),
}
RETRY_AFTER: Final = {"Retry-After": _header("seconds to wait", "integer", required=True)}


class ProblemAutoSchema(AutoSchema):
    """Add to each operation the problems that it may respond with.

    They are derived from the view: its authentication, permissions, throttles, path, body, `@idempotent` and
    `ETagMixin`. A view lists others in `problems`, a sequence of `Problem` classes, or a mapping from method to such a
    sequence.
    """

    def problem_kinds(self) -> list[type[Problem]]:
        """Return the problem classes that the operation may respond with."""
        view = self.view
        kinds: list[type[Problem]] = [problems.BadRequest, problems.MethodNotAllowed, problems.NotAcceptable]
        kinds += [problems.ServerError, problems.Unavailable]
        if view.get_authenticators():
            kinds.append(problems.Unauthorized)
        if any(not isinstance(permission, AllowAny) for permission in view.get_permissions()):
            kinds.append(problems.Forbidden)
        if view.get_throttles():
            kinds.append(problems.TooMany)
        if "{" in self.path:
            kinds.append(problems.NotFound)
        if self.method in WITH_BODY:
            kinds += [problems.TooLarge, problems.UnsupportedMediaType]
        if self._is_idempotent():
            kinds += [problems.Conflict, problems.KeyReused]
        declared: Any = getattr(view, "problems", ())
        kinds += declared.get(self.method, ()) if isinstance(declared, dict) else declared
        return sorted(set(kinds), key=lambda kind: (kind.status, kind.slug))

    def _is_idempotent(self) -> bool:
        handler = getattr(self.view, (self.method or "").lower(), None)
        return bool(getattr(handler, "is_idempotent", False))

    def _has_etag(self) -> bool:
        return isinstance(self.view, ETagMixin) and self.method == "GET"

    def _get_response_bodies(self, direction: Any = "response") -> dict[str, Any]:
        bodies: dict[str, Any] = super()._get_response_bodies(direction)
        limited = bool(self.view.get_throttles())
        if self._has_etag():
            bodies.get("200", {}).setdefault("headers", {})["ETag"] = _header("version of this answer")
            bodies["304"] = {"description": str(_("Not modified"))}
        by_status: dict[int, list[type[Problem]]] = {}
        for kind in self.problem_kinds():
            by_status.setdefault(int(kind.status), []).append(kind)
        for status, kinds in by_status.items():
            bodies.setdefault(str(status), self._problem_response(status, kinds))
        if limited:
            for body in bodies.values():
                body["headers"] = body.get("headers", {}) | RATE_LIMIT_HEADERS
        return {status: bodies[status] for status in sorted(bodies)}

    def _map_serializer(self, serializer: Any, direction: Any, bypass_extensions: bool = False) -> dict[str, Any]:
        schema: dict[str, Any] = super()._map_serializer(serializer, direction, bypass_extensions)  # type: ignore[no-untyped-call]
        if direction == "request" and isinstance(serializer, StrictSerializer) and schema.get("type") == "object":
            schema["additionalProperties"] = False
        return schema

    def _problem_response(self, status: int, kinds: Iterable[type[Problem]]) -> dict[str, Any]:
        component = self.resolve_serializer(ProblemSerializer, "response")
        response: dict[str, Any] = {
            "description": "; ".join(str(kind.title) for kind in kinds),
            "content": {JSON_PROBLEM: {"schema": component.ref}},
        }
        if status in (429, 503):
            response["headers"] = dict(RETRY_AFTER)
        if status == 401:
            response["headers"] = {"WWW-Authenticate": _header("the scheme to use", required=True)}
        return response

    def _get_parameters(self) -> list[dict[str, Any]]:
        parameters: list[dict[str, Any]] = super()._get_parameters()
        if self._is_idempotent():
            parameters.append(
                {
                    "name": idempotency.HEADER,
                    "in": "header",
                    "description": "makes the request safe to retry: 16 to 128 characters, best a random UUID",
                    "schema": {"type": "string", "pattern": idempotency.KEY_PATTERN},
                }
            )
        if self.method in WITH_BODY and problems.PreconditionRequired in self.problem_kinds():
            parameters.append(
                {
                    "name": "If-Match",
                    "in": "header",
                    "required": True,
                    "description": "ETag of the version to change",
                    "schema": {"type": "string"},
                }
            )
        if self._has_etag():
            parameters.append(
                {
                    "name": "If-None-Match",
                    "in": "header",
                    "description": "an ETag; the response is 304 while it is current",
                    "schema": {"type": "string"},
                }
            )
        return parameters


class SchemeExtension(OpenApiAuthenticationExtension):  # type: ignore[no-untyped-call]
    """Document every `SchemeAuthentication`."""

    target_class = SchemeAuthentication
    match_subclasses = True

    @property
    def name(self) -> str:  # type: ignore[override]
        """Return the name of the scheme."""
        return str(self.target.scheme)

    def get_security_definition(self, auto_schema: Any) -> dict[str, Any]:  # noqa: ARG002
        """Return a header parameter, because OpenAPI cannot express custom schemes."""
        description = self.target.description or f"`Authorization: {self.name} <credential>`"
        return {"type": "apiKey", "in": "header", "name": "Authorization", "description": description}


class _SelfDescribing(OpenApiSerializerFieldExtension):  # type: ignore[no-untyped-call]
    def map_serializer_field(self, auto_schema: Any, direction: Any) -> dict[str, Any]:  # noqa: ARG002
        """Return the schema that the field provides."""
        schema: dict[str, Any] = self.target.json_schema()
        return schema


class Base64UrlExtension(_SelfDescribing):  # type: ignore[no-untyped-call]
    """Document `Base64Url`."""

    target_class = Base64Url


class PublicIdExtension(_SelfDescribing):  # type: ignore[no-untyped-call]
    """Document `PublicId`."""

    target_class = PublicId


class TextExtension(_SelfDescribing):  # type: ignore[no-untyped-call]
    """Document `Text`."""

    target_class = Text


class UtcTimeExtension(OpenApiSerializerFieldExtension):  # type: ignore[no-untyped-call]
    """Document `UtcTime`."""

    target_class = "common.web.serializers.UtcTime"

    def map_serializer_field(self, auto_schema: Any, direction: Any) -> dict[str, Any]:  # noqa: ARG002
        """Return the schema of an RFC 3339 time."""
        return {"type": "string", "format": "date-time"}
