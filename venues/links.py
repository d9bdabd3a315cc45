"""Addresses of pages that people are sent to. What opens something stands behind the `#`.

Browsers do not send that part, so no server, proxy or log sees it; the page's own script reads it.
"""

from django.conf import settings
from django.http import HttpRequest


def origin(request: HttpRequest) -> str:
    """Scheme and host that visitors reach the deployment at: the configured one, else that of the request."""
    return str(settings.PUBLIC_ORIGIN).rstrip("/") or f"{request.scheme}://{request.get_host()}"


def kiosk(base: str, code: str) -> str:
    """Enrols a device when opened on it."""
    return f"{base}/kiosk#{code}"


def venue(base: str, venue_id: str) -> str:
    """Where check-in to a place begins; what its poster and sticker hold. Who stands there needs no scouting card."""
    return f"{base}/check-in/{venue_id}"


def event(base: str, event_id: str, code: str) -> str:
    """Opens check-in to an event with its invitation."""
    return f"{base}/events/{event_id}#{code}"


def join(base: str, code: str) -> str:
    """Makes whoever opens it, and is logged in, a member of an organisation."""
    return f"{base}/owner/join#{code}"


def dashboard(base: str, venue_id: str) -> str:
    """How full a place is, for its people."""
    return f"{base}/owner/venues/{venue_id}"


def alert(base: str, venue_id: str) -> str:
    """Where a member says from when on, and how, they want to know that a place fills up."""
    return f"{dashboard(base, venue_id)}/alert"


def confirm_email(base: str, token: str) -> str:
    """Confirms an address of mail."""
    return f"{base}/owner/confirm#{token}"


def password_reset(base: str, token: str) -> str:
    """Asks for a new password."""
    return f"{base}/owner/reset#{token}"
