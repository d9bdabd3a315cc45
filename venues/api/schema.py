"""How the documentation describes the session of people who run venues."""

from typing import Any

from drf_spectacular.extensions import OpenApiAuthenticationExtension


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
