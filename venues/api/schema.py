"""Parts of the OpenAPI schema that cannot be derived automatically."""

from typing import Any

from drf_spectacular.extensions import OpenApiAuthenticationExtension, OpenApiSerializerFieldExtension


class OwnerSessionExtension(OpenApiAuthenticationExtension):  # type: ignore[no-untyped-call]
    """The cookie of a session."""

    target_class = "venues.authentication.OwnerSessionAuthentication"
    name = "Session"

    def get_security_definition(self, auto_schema: Any) -> dict[str, Any]:  # noqa: ARG002
        """Return the cookie."""
        return {
            "type": "apiKey",
            "in": "cookie",
            "name": "sessionid",
            "description": "The session of a log-in. Requests that change something must also repeat the cookie "
            "`csrftoken` in the header `X-CSRFToken`.",
        }


class ZipExtension(OpenApiSerializerFieldExtension):  # type: ignore[no-untyped-call]
    """An optional ZIP code."""

    target_class = "venues.api.serializers.Zip"

    def map_serializer_field(self, auto_schema: Any, direction: Any) -> dict[str, Any]:  # noqa: ARG002
        """Return a pattern of three or five digits; the library adds the empty string."""
        return {"type": "string", "pattern": "^([0-9]{5}|[0-9]{3})$"}
