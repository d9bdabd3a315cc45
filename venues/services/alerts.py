"""Notify members that a place is filling up: once per crossing, and again only after it fell below."""

import datetime as dt
from collections.abc import Collection

from django.contrib.auth.models import User
from django.core.mail import send_mail
from django.db import transaction
from django.template.loader import render_to_string
from django.utils.translation import get_language, override
from django.utils.translation import gettext as _

from common import audit
from venues import links
from venues.fullness import Fullness, Level
from venues.models import AlertMail, Membership, Venue
from venues.refusals import conflict
from venues.selectors import TO_CONFIRMED


@transaction.atomic
def set_alert_mail(*, venue: Venue, user: User, wanted: bool, origin: str, now: dt.datetime) -> bool:
    """Start or stop the user's e-mails about a place; an existing state stays. Return whether they are wanted now.

    They are sent once the account's address is confirmed; they may be requested earlier.
    """
    membership = Membership.objects.select_for_update().get(organisation=venue.organisation, user=user)
    present = AlertMail.objects.filter(venue=venue, membership=membership)
    if wanted == present.exists():
        return wanted
    if not wanted:
        present.delete()
    elif not user.email:
        raise conflict("no_email", _("Your account has no e-mail address. Add one first."), pointer="/mail")
    else:
        AlertMail.objects.create(venue=venue, membership=membership, language=get_language() or "en", origin=origin)
    audit.record(
        actor=user.username,
        verb="alert.asked" if wanted else "alert.ended",
        subject=venue.public_id,
        organisation=venue.organisation.public_id,
        now=now,
    )
    return wanted


def end_crossings(*, alert_ids: Collection[int]) -> None:
    """Record that these places fell below their alert, so that the next crossing causes an e-mail again."""
    AlertMail.objects.filter(pk__in=alert_ids).update(told_at=None)


def mail_alert(*, alert_id: int, heads: int, at: dt.datetime, now: dt.datetime) -> bool:
    """Send one member the e-mail of the present crossing; return `False` if it was sent already or is no longer wanted.

    The process that first marks the row sends: the same task twice sends once. If the mail server refuses, the mark is
    removed, so that the next check of the place tries again.
    """
    unsent = AlertMail.objects.filter(TO_CONFIRMED, pk=alert_id, told_at=None)
    if not unsent.update(told_at=now):
        return False
    alert = AlertMail.objects.select_related("venue__requirements", "membership__user").get(pk=alert_id)
    try:
        _send(alert, heads, at)
    except Exception:
        AlertMail.objects.filter(pk=alert_id).update(told_at=None)
        raise
    return True


def _send(alert: AlertMail, heads: int, at: dt.datetime) -> None:
    place = Fullness(alert.venue, heads)
    context = {
        "place": place,
        "is_full": place.level == Level.FULL,
        "at": at,
        "link": links.dashboard(alert.origin, alert.venue.public_id),
        "end": links.alert(alert.origin, alert.venue.public_id),
    }
    with override(alert.language):
        subject = _("%(name)s is full") if place.level == Level.FULL else _("%(name)s is filling up")
        text = render_to_string("venues/mail/alert.txt", context)
        send_mail(subject % {"name": alert.venue.name}, text, None, [alert.membership.user.email])
