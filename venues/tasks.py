"""Tasks of this app that run in the worker."""

import datetime as dt

from celery import shared_task
from django.utils.translation import override

from common.time import utc_now
from venues.services import alerts, devices, mailed


@shared_task(name="venues.mark_seen")
def mark_seen(device_id: int, seen: str) -> None:
    """Write when a device was seen."""
    devices.mark_seen(device_id=device_id, seen=dt.datetime.fromisoformat(seen))


@shared_task(name="venues.mail_password_reset")
def mail_password_reset(sealed: str, origin: str, language: str) -> None:
    """Send a link for a new password to the accounts with this address, if there are any, in a language.

    The address is sealed: the broker's files keep a task's arguments for longer than the task.
    """
    with override(language):
        mailed.mail_password_reset(email=mailed.open_address(sealed), origin=origin)


@shared_task(name="venues.mail_confirmation")
def mail_confirmation(user_id: int, origin: str, language: str) -> None:
    """Send an account the link that confirms its address, unless it is confirmed, in a language."""
    with override(language):
        mailed.mail_confirmation(user_id=user_id, origin=origin)


@shared_task(name="venues.mail_alert")
def mail_alert(alert_id: int, heads: int, at: str) -> None:
    """Send a member the e-mail that a place is filling up, unless it was sent."""
    alerts.mail_alert(alert_id=alert_id, heads=heads, at=dt.datetime.fromisoformat(at), now=utc_now())
