"""The audit log: one row for each act of the staff, written in the act's own transaction."""

import datetime as dt

from django.db.models import QuerySet

from common.models import AuditEntry


def record(
    *, actor: str, verb: str, subject: str, now: dt.datetime, organisation: str = "", **details: str | int | bool | None
) -> None:
    """Write one entry. `details` are plain values of the act, never anything of a visitor."""
    AuditEntry.objects.create(
        at=now, actor=actor, verb=verb, subject=subject, organisation=organisation, details=details
    )


def entries_of(organisation: str) -> QuerySet[AuditEntry]:
    """What was done in one organisation (its public id), newest first."""
    return AuditEntry.objects.filter(organisation=organisation).order_by("-at", "-id")
