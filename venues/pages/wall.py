"""What hangs on a wall or stands on a counter: posters, codes for a screen, stickers."""

from typing import Final

from django.contrib import messages
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.utils.translation import gettext as _

from venues import links, posters, selectors
from venues.pages.base import owner_page, user_of
from venues.pages.events import event_address, usable_invitation, when
from venues.services.codes import qr_svg

PDF: Final = "application/pdf"
NDEF: Final = "application/octet-stream"


@owner_page
def venue_wall(request: HttpRequest, venue: str) -> HttpResponse:
    """Poster, code and sticker of a place."""
    place = selectors.venue(user_of(request), venue)
    address = links.venue(links.origin(request), place.public_id)
    context = {
        "venue": place,
        "address": address,
        "qr": qr_svg(address),
        "drawable": posters.can_draw(place.name),
        "tab": "wall",
    }
    return render(request, "venues/owner/wall.html", context)


@owner_page
def venue_code(request: HttpRequest, venue: str) -> HttpResponse:
    """The code of a place, as large as the screen; printed, it is a poster in the fonts of the browser."""
    place = selectors.venue(user_of(request), venue)
    address = links.venue(links.origin(request), place.public_id)
    context = {
        "name": place.name,
        "when": "",
        "verified": place.organisation.verified,
        "address": address,
        "qr": qr_svg(address),
        "shown": address,
    }
    return render(request, "venues/owner/code.html", context)


@owner_page
def event_code(request: HttpRequest, event: str) -> HttpResponse:
    """The code of an event, as large as the screen."""
    row = selectors.event(user_of(request), event)
    address = event_address(request, row)
    context = {
        "name": row.name,
        "when": when(row),
        "verified": row.venue.organisation.verified,
        "address": address,
        "qr": qr_svg(address),
        "shown": address.partition("#")[0],
    }
    return render(request, "venues/owner/code.html", context)


@owner_page
def venue_poster(request: HttpRequest, venue: str) -> HttpResponse:
    """The poster of a place."""
    place = selectors.venue(user_of(request), venue)
    address = links.venue(links.origin(request), place.public_id)
    return _pdf(posters.Poster(place.name, "", address, _short(address)), f"poster-{place.public_id}")


@owner_page
def event_poster(request: HttpRequest, event: str) -> HttpResponse:
    """The poster of an event; its code is the invitation, where one is needed."""
    row = selectors.event(user_of(request), event)
    if row.invitation_needed and usable_invitation(row) is None:
        messages.warning(request, _("No invitation is left, so a poster would let nobody in."))
        return redirect("owner-page-event", event=event)
    address = event_address(request, row)
    subtitle = f"{row.venue.name} · {when(row)}"
    return _pdf(posters.Poster(row.name, subtitle, address, _short(address)), f"poster-{row.public_id}")


@owner_page
def sticker(request: HttpRequest, venue: str) -> HttpResponse:
    """What an NFC sticker of a place holds, for apps that write tags."""
    place = selectors.venue(user_of(request), venue)
    content = posters.sticker_ndef(links.venue(links.origin(request), place.public_id))
    return _file(content, NDEF, f"sticker-{place.public_id}.ndef", inline=False)


def _short(address: str) -> str:
    """An address as people may type it: without scheme, and without the code of an invitation."""
    return address.partition("#")[0].partition("://")[2]


def _pdf(poster: posters.Poster, name: str) -> HttpResponse:
    return _file(posters.poster_pdf(poster), PDF, f"{name}.pdf", inline=True)


def _file(content: bytes, content_type: str, name: str, *, inline: bool) -> HttpResponse:
    response = HttpResponse(content, content_type=content_type)
    response["Content-Disposition"] = f'{"inline" if inline else "attachment"}; filename="{name}"'
    return response
