"""What the documentation cannot find out by itself."""

from typing import Any

from drf_spectacular.extensions import OpenApiAuthenticationExtension, OpenApiSerializerFieldExtension


class OwnerSessionExtension(OpenApiAuthenticationExtension):  # type: ignore[no-untyped-call]
    """The cookie of a session."""

    target_class = "venues.authentication.OwnerSessionAuthentication"
    name = "Session"

    def get_security_definition(self, auto_schema: Any) -> dict[str, Any]:  # noqa: ARG002
        """The cookie."""
        return {
            "type": "apiKey",
            "in": "cookie",
            "name": "sessionid",
            "description": "The session of a log-in. What changes something also needs the cookie `csrftoken` as the "
            "header `X-CSRFToken`.",
        }


class ZipExtension(OpenApiSerializerFieldExtension):  # type: ignore[no-untyped-call]
    """A ZIP code, or none."""

    target_class = "venues.api.serializers.Zip"

    def map_serializer_field(self, auto_schema: Any, direction: Any) -> dict[str, Any]:  # noqa: ARG002
        """Three digits or five; the library adds the empty string."""
        return {"type": "string", "pattern": "^([0-9]{5}|[0-9]{3})$"}
