"""URLs of pages that people are sent to. Secrets are in the fragment, after the `#`.

Browsers do not send that part, so no server, proxy or log sees it; the page's own script reads it.
"""

from django.conf import settings
from django.http import HttpRequest


def origin(request: HttpRequest) -> str:
    """Return scheme and host of the deployment: the configured ones, otherwise those of the request."""
    return str(settings.PUBLIC_ORIGIN).rstrip("/") or f"{request.scheme}://{request.get_host()}"


def kiosk(base: str, code: str) -> str:
    """Return the URL that enrols the device on which it is opened."""
    return f"{base}/kiosk#{code}"


def venue(base: str, venue_id: str) -> str:
    """Return where check-in to a place begins, as on its poster and sticker: a visitor there needs no scouting card."""
    return f"{base}/check-in/{venue_id}"


def event(base: str, event_id: str, code: str = "") -> str:
    """Return the page of an event, where check-in to it begins; with an invitation where one is needed."""
    return f"{base}/events/{event_id}#{code}" if code else f"{base}/events/{event_id}"


def join(base: str, code: str) -> str:
    """Return the URL that makes a logged-in user a member of an organisation."""
    return f"{base}/owner/join#{code}"


def dashboard(base: str, venue_id: str) -> str:
    """Return the URL of the dashboard that shows how full a place is."""
    return f"{base}/owner/venues/{venue_id}"


def alert(base: str, venue_id: str) -> str:
    """Return the URL where a member sets when and how to be notified that a place is filling up."""
    return f"{dashboard(base, venue_id)}/alert"


def confirm_email(base: str, token: str) -> str:
    """Return the URL that confirms an e-mail address."""
    return f"{base}/owner/confirm#{token}"


def password_reset(base: str, token: str) -> str:
    """Return the URL where a new password is set."""
    return f"{base}/owner/reset#{token}"
