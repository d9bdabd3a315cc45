"""The audit log: one row for each action of the staff, written in the same transaction as the action."""

import datetime as dt

from django.db.models import QuerySet

from common.models import AuditEntry


def record(
    *, actor: str, verb: str, subject: str, now: dt.datetime, organisation: str = "", **details: str | int | bool | None
) -> None:
    """Write one entry. `details` are plain values of the action, never data of a visitor."""
    AuditEntry.objects.create(
        at=now, actor=actor, verb=verb, subject=subject, organisation=organisation, details=details
    )


def entries_of(organisation: str) -> QuerySet[AuditEntry]:
    """Return the entries of one organisation (by public id), newest first."""
    return AuditEntry.objects.filter(organisation=organisation).order_by("-at", "-id")
