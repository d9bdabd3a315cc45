"""When, and how, the people of a place are notified that it is filling up."""

from django import forms
from django.contrib.auth.models import User
from django.db import transaction
from django.http import HttpRequest, HttpResponse
from django.urls import reverse
from django.utils.html import format_html
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from common.time import utc_now
from venues import links, selectors
from venues.kinds import Role
from venues.models import Venue
from venues.pages.base import bound, done, form_page, owner_page, user_of
from venues.pages.forms import OwnerForm
from venues.services.alerts import set_alert_mail
from venues.services.venues import update_venue


class AlertForm(OwnerForm):
    """The share for everybody, and e-mails for the user."""

    percent = forms.IntegerField(
        label=gettext_lazy("Alert at (percent of the limit)"),
        min_value=1,
        max_value=100,
        widget=forms.NumberInput(attrs={"inputmode": "numeric"}),
        help_text=gettext_lazy(
            "From this share on, the team's pages warn that the place is filling up, before the doors turn red."
        ),
    )
    mail = forms.BooleanField(label=gettext_lazy("Send me an e-mail"), required=False)

    def __init__(self, *args: object, sets_percent: bool, user: User, **kwargs: object) -> None:
        super().__init__(*args, **kwargs)
        if not sets_percent:
            del self.fields["percent"]
        self.fields["mail"].help_text = _where(user)


@owner_page
def alert(request: HttpRequest, venue: str) -> HttpResponse:
    """Change the share (managers), and the user's own e-mails (everybody)."""
    user = user_of(request)
    place = selectors.venue(user, venue)
    form = bound(
        AlertForm,
        request,
        sets_percent=selectors.may(place, Role.MANAGER),
        user=user,
        initial={"percent": place.alert_percent, "mail": selectors.alert_mail_wanted(user, place)},
    )
    return form_page(
        request,
        form,
        lambda **_given: _set(request, place, form),
        lambda _saved: done(request, _("Saved."), "owner-page-venue", venue=venue),
        title=_("When %(name)s fills up") % {"name": place.name},
        submit=_("Save"),
        lead=_(
            "E-mails arrive within a minute or two. An open page says it at once, and a screen reader reads it aloud."
        ),
        back_to=reverse("owner-page-venue", args=[venue]),
    )


def _where(user: User) -> str:
    """Return where e-mails go, or what they wait for."""
    if not user.email:
        return _with_link(_("Your account has no e-mail address. Add one first."), "owner-page-email", _("Your e-mail"))
    words = _(
        "To %(address)s, each time the place passes this share. It "
        "says how full the place is, and nothing about the people inside."
    )
    words %= {"address": user.email}
    if selectors.email_confirmed(user):
        return words
    waits = _("E-mails start once you have confirmed this address.")
    return _with_link(f"{words} {waits}", "owner-page-account", _("Your account"))


def _with_link(words: str, page: str, name: str) -> str:
    return format_html('{} <a href="{}">{}</a>', words, reverse(page), name)


@transaction.atomic
def _set(request: HttpRequest, place: Venue, form: AlertForm) -> None:
    user, given = user_of(request), form.cleaned_data
    if given.get("percent", place.alert_percent) != place.alert_percent:
        changes = {"alert_percent": given["percent"]}
        update_venue(venue=place, changes=changes, actor=user.username, now=utc_now())
    set_alert_mail(venue=place, user=user, wanted=given["mail"], origin=links.origin(request), now=utc_now())
