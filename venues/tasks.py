"""Work of this room that runs in the worker."""

import datetime as dt

from celery import shared_task

from venues import services


@shared_task(name="venues.mark_seen")
def mark_seen(device_id: int, seen: str) -> None:
    """Write when a device was seen."""
    services.mark_seen(device_id=device_id, seen=dt.datetime.fromisoformat(seen))


@shared_task(name="venues.mail_password_reset")
def mail_password_reset(email: str, origin: str) -> None:
    """Mail a link for a new password to the accounts with this address, if there are any."""
    services.mail_password_reset(email=email, origin=origin)
