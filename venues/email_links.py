"""Send one-time links by e-mail, as pages and the API request: counted against limits, sent by the worker."""

from contextlib import suppress
from typing import Any, Final

from django.conf import settings
from django.contrib.auth.models import User
from django.http import HttpRequest
from django.utils.translation import get_language
from django.utils.translation import gettext as _
from kombu.exceptions import OperationalError

from common.web import throttles
from common.web.problems import Conflict, TooMany, Unavailable
from venues import links, selectors, tasks
from venues.refusals import conflict
from venues.services.mailed import seal_address

KEPT: Final = frozenset({"console", "dummy", "filebased"})
"""Django's e-mail backends that deliver nothing."""


def leave() -> bool:
    """Return whether this deployment has a mail server; otherwise mails are dropped, or stored as files."""
    return settings.EMAIL_BACKEND.split(".")[-2] not in KEPT


def send_reset(request: HttpRequest, address: str) -> None:
    """Send a link for a new password to the accounts with this address, if there are any."""
    throttles.check(request, "mail", f"reset {address.lower()}")
    _queue(tasks.mail_password_reset, seal_address(address), links.origin(request), get_language())


def send_confirmation(request: HttpRequest, user: User) -> None:
    """Send a link that confirms the e-mail address of the account.

    Raise `Conflict` if there is nothing to confirm, and `TooMany` over the limit of the account or of the mailbox.
    """
    if not user.email:
        raise conflict("no_email", _("Your account has no e-mail address. Add one first."))
    if selectors.email_confirmed(user):
        raise conflict("confirmed", _("Your address is confirmed."))
    throttles.check(request, "mail", f"account {user.pk}")
    throttles.check(request, "mail", f"mailbox {user.email.lower()}")
    _queue(tasks.mail_confirmation, user.pk, links.origin(request), get_language())


def offer_confirmation(request: HttpRequest, user: User) -> bool:
    """Send it together with another action, which is done even if the mail is not sent; return whether it is sent."""
    with suppress(Conflict, TooMany, Unavailable):
        send_confirmation(request, user)
        return True
    return False


def asked_to_confirm(user: User) -> str:
    """Return a sentence about the link just requested."""
    if leave():
        words = _(
            "A link is on its way to %(address)s. Open it to confirm the address. "
            "Everything else works in the meantime."
        )
        return words % {"address": user.email}
    return _("This deployment has no mail server, so your address cannot be confirmed. Everything except e-mail works.")


def _queue(task: Any, *arguments: Any) -> None:
    try:
        task.apply_async(arguments, retry=False)
    except OperationalError:
        raise Unavailable from None
