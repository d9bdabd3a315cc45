"""Printed and displayed codes: posters, codes for a screen, stickers."""

from dataclasses import replace
from typing import Any, Final

from django import forms
from django.contrib import messages
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.urls import reverse
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from venues import links, logos, posters, selectors
from venues.models import Event, Venue
from venues.pages.base import owner_page, show_form, user_of
from venues.pages.events import event_address, usable_invitation, when
from venues.pages.forms import OwnerForm
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
        "when": when(request, row),
        "verified": row.venue.organisation.verified,
        "address": address,
        "qr": qr_svg(address),
        "shown": address.partition("#")[0],
        "code": "" if found is None else spaced(invitation_code(found)),
    }
    return render(request, "venues/owner/code.html", context)


@owner_page
def venue_poster(request: HttpRequest, venue: str) -> HttpResponse:
    """Return the poster of a place, on the paper that was asked for, else on that of its country."""
    place = selectors.venue(user_of(request), venue)
    return _pdf(_of_venue(request, place), f"poster-{place.public_id}")


@owner_page
def event_poster(request: HttpRequest, event: str) -> HttpResponse:
    """Return the poster of an event; its code is the invitation, where one is needed, and its text has the code too."""
    row = selectors.event(user_of(request), event)
    if row.invitation_needed and usable_invitation(row) is None:
        return _nobody_invited(request, event)
    return _pdf(_of_event(request, row), f"poster-{row.public_id}")


@owner_page
def poster(request: HttpRequest) -> HttpResponse:
    """Return a poster with a logo, which is drawn and not kept. `for`: the id of a place or an event."""
    wanted = str((request.POST if request.method == "POST" else request.GET).get("for", ""))
    if wanted.startswith("e_"):
        row = selectors.event(user_of(request), wanted)
        if row.invitation_needed and usable_invitation(row) is None:
            return _nobody_invited(request, wanted)
        made, back = _of_event(request, row), reverse("owner-page-event", args=[wanted])
    else:
        place = selectors.venue(user_of(request), wanted)
        made, back = _of_venue(request, place), reverse("owner-page-wall", args=[wanted])
    initial = {"for": wanted, "paper": made.paper}
    form = LogoForm(request.POST, request.FILES) if request.method == "POST" else LogoForm(initial=initial)
    if form.is_valid():
        given = form.cleaned_data
        return _pdf(replace(made, logo=given["logo"], paper=given["paper"]), f"poster-{wanted}")
    return show_form(
        request,
        form,
        _("Poster with your logo"),
        _("Create poster"),
        lead=_("Your logo is printed on this poster and not stored."),
        back_to=back,
    )


class LogoForm(OwnerForm):
    """A picture for a poster."""

    logo = forms.FileField(
        label=gettext_lazy("Logo"),
        widget=forms.FileInput(attrs={"accept": "image/png,image/jpeg"}),
        help_text=gettext_lazy("PNG or JPEG, up to 1 MB."),
    )
    paper = forms.ChoiceField(
        label=gettext_lazy("Paper"),
        choices=[("letter", gettext_lazy("Letter")), ("a4", "A4")],
        widget=forms.RadioSelect,
    )

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.fields["for"] = forms.CharField(widget=forms.HiddenInput)

    def clean_logo(self) -> bytes:
        """Return a picture that can be drawn, as PNG."""
        try:
            return logos.clean_logo(self.cleaned_data["logo"].read())
        except logos.BadLogo:
            raise forms.ValidationError(
                _("This is not a PNG or JPEG image of at most 4,000 by 4,000 pixels and 1 MB.")
            ) from None


def _nobody_invited(request: HttpRequest, event: str) -> HttpResponse:
    messages.warning(request, _("No invitation is left, so a poster would let nobody in."))
    return redirect("owner-page-event", event=event)


def _of_venue(request: HttpRequest, place: Venue) -> posters.Poster:
    address = links.venue(links.origin(request), place.public_id)
    return posters.Poster(
        title=place.name,
        address=address,
        shown_address=_short(address),
        verified=place.organisation.verified,
        paper=_paper(request, place),
    )


def _of_event(request: HttpRequest, event: Event) -> posters.Poster:
    address, found = event_address(request, event), usable_invitation(event)
    return posters.Poster(
        title=event.name,
        address=address,
        shown_address=_short(address),
        lines=(event.venue.name, *posters.in_languages(lambda: when(request, event))),
        code="" if found is None else spaced(invitation_code(found)),
        verified=event.venue.organisation.verified,
        paper=_paper(request, event.venue),
    )


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
