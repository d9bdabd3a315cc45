"""Printed and displayed codes: posters, codes for a screen, stickers."""

from typing import Final

from django.contrib import messages
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.utils.translation import gettext as _

from venues import links, posters, selectors
from venues.models import Venue
from venues.pages.base import owner_page, user_of
from venues.pages.events import event_address, usable_invitation, when
from venues.services.codes import qr_svg, spaced
from venues.services.events import invitation_code

PDF: Final = "application/pdf"
NDEF: Final = "application/octet-stream"


@owner_page
def venue_wall(request: HttpRequest, venue: str) -> HttpResponse:
    """Show poster, code and sticker of a place."""
    place = selectors.venue(user_of(request), venue)
    address = links.venue(links.origin(request), place.public_id)
    context = {
        "venue": place,
        "address": address,
        "qr": qr_svg(address),
        "missing": " ".join(posters.cannot_draw(place.name)),
        "other_paper": posters.other_paper(posters.usual_paper(place.zip)),
        "tab": "wall",
    }
    return render(request, "venues/owner/wall.html", context)


@owner_page
def venue_code(request: HttpRequest, venue: str) -> HttpResponse:
    """Show the code of a place, as large as the screen; printed, it is a poster in the fonts of the browser."""
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
    """Show the code of an event, as large as the screen."""
    row = selectors.event(user_of(request), event)
    found = usable_invitation(row)
    if row.invitation_needed and found is None:
        messages.warning(request, _("No invitation is left, so a code would let nobody in."))
        return redirect("owner-page-event", event=event)
    address = event_address(request, row)
    context = {
        "name": row.name,
        "when": when(row),
        "verified": row.venue.organisation.verified,
        "address": address,
        "qr": qr_svg(address),
        "shown": address.partition("#")[0],
        "code": "" if found is None else spaced(invitation_code(found)),
    }
    return render(request, "venues/owner/code.html", context)


@owner_page
def venue_poster(request: HttpRequest, venue: str) -> HttpResponse:
    """The poster of a place, on the paper that was asked for, else on that of its country."""
    place = selectors.venue(user_of(request), venue)
    address = links.venue(links.origin(request), place.public_id)
    made = posters.Poster(
        title=place.name,
        address=address,
        shown_address=_short(address),
        verified=place.organisation.verified,
        paper=_paper(request, place),
    )
    return _pdf(made, f"poster-{place.public_id}")


@owner_page
def event_poster(request: HttpRequest, event: str) -> HttpResponse:
    """The poster of an event; its code is the invitation, where one is needed, and its text has the code too."""
    row = selectors.event(user_of(request), event)
    found = usable_invitation(row)
    if row.invitation_needed and found is None:
        messages.warning(request, _("No invitation is left, so a poster would let nobody in."))
        return redirect("owner-page-event", event=event)
    address = event_address(request, row)
    made = posters.Poster(
        title=row.name,
        address=address,
        shown_address=_short(address),
        lines=(row.venue.name, *posters.in_languages(lambda: when(row))),
        code="" if found is None else spaced(invitation_code(found)),
        verified=row.venue.organisation.verified,
        paper=_paper(request, row.venue),
    )
    return _pdf(made, f"poster-{row.public_id}")


def _paper(request: HttpRequest, place: Venue) -> str:
    asked = request.GET.get("paper", "")
    return asked if asked in posters.PAPERS else posters.usual_paper(place.zip)


@owner_page
def sticker(request: HttpRequest, venue: str) -> HttpResponse:
    """Return the content of a place's NFC sticker, for apps that write tags."""
    place = selectors.venue(user_of(request), venue)
    content = posters.sticker_ndef(links.venue(links.origin(request), place.public_id))
    return _file(content, NDEF, f"sticker-{place.public_id}.ndef", inline=False)


def _short(address: str) -> str:
    """Return a URL as people may type it: without scheme, and without the code of an invitation."""
    return address.partition("#")[0].partition("://")[2]


def _pdf(poster: posters.Poster, name: str) -> HttpResponse:
    return _file(posters.poster_pdf(poster), PDF, f"{name}.pdf", inline=True)


def _file(content: bytes, content_type: str, name: str, *, inline: bool) -> HttpResponse:
    response = HttpResponse(content, content_type=content_type)
    response["Content-Disposition"] = f'{"inline" if inline else "attachment"}; filename="{name}"'
    return response
