"""Recipients of the verified tier: organisations that the operator approves, with short-lived credentials."""

import datetime as dt
from dataclasses import dataclass
from typing import Final

from django.db import transaction
from django.utils.translation import gettext as _

from common import audit, crypto
from common.web.problems import Gone, Invalid, NotFound, Unavailable
from exports.dataset.tables import VERIFIED
from exports.lake.deployment import verified_storage
from exports.lake.errors import reaching_the_lake
from exports.lake.storage import StoredObject
from exports.models import Credential, Recipient, VerifiedDay, VerifiedFile

LONGEST_DAYS: Final = 30
"""Maximum lifetime of a credential; a new one requires a new decision."""


@transaction.atomic
def approve_recipient(*, name: str, actor: str, now: dt.datetime) -> Recipient:
    """Approve an organisation. It can read nothing before it has a credential."""
    row = Recipient.objects.create(name=name, approved_at=now)
    audit.record(actor=actor, verb="recipient.approved", subject=row.public_id, now=now)
    return row


@transaction.atomic
def withdraw_recipient(*, recipient: Recipient, actor: str, now: dt.datetime) -> Recipient:
    """Withdraw an approval and revoke its credentials immediately; idempotent."""
    row = Recipient.objects.select_for_update().get(pk=recipient.pk)
    if row.withdrawn_at is None:
        row.withdrawn_at = now
        row.save(update_fields=["withdrawn_at"])
        row.credentials.all().delete()
        audit.record(actor=actor, verb="recipient.withdrawn", subject=row.public_id, now=now)
    return row


@transaction.atomic
def make_credential(
    *, recipient: Recipient, days: int, first_day: dt.date, last_day: dt.date, actor: str, now: dt.datetime
) -> tuple[Credential, str]:
    """Issue a credential for data of some days; return the row and its token, which is shown only once."""
    if last_day < first_day:
        raise Invalid.field("/last_day", _("Not before the first day."), "range")
    row = Recipient.objects.select_for_update().get(pk=recipient.pk)
    if row.withdrawn_at is not None:
        raise Gone(_("The approval of this organisation has ended."))
    token = crypto.new_token()
    made = Credential.objects.create(
        recipient=row,
        token_hash=crypto.token_hash(token),
        created_at=now,
        expires_at=now + dt.timedelta(days=days),
        first_day=first_day,
        last_day=last_day,
    )
    audit.record(
        actor=actor,
        verb="credential.made",
        subject=row.public_id,
        now=now,
        credential=made.public_id,
        expires=made.expires_at.isoformat(),
    )
    return made, token


def credential_of(*, token: str, now: dt.datetime) -> Credential | None:
    """Return the valid credential of a token, or `None`."""
    return (
        Credential.objects.select_related("recipient")
        .filter(token_hash=crypto.token_hash(token), expires_at__gt=now, recipient__withdrawn_at=None)
        .first()
    )


@dataclass(frozen=True)
class ReadFile:
    """A data file for the recipient."""

    name: str
    body: bytes


def read_file(*, credential: Credential, day: dt.date, number: int, now: dt.datetime) -> ReadFile:
    """Read a data file of a day, and record the access; raise `NotFound` outside the credential's days."""
    within = credential.first_day <= day <= credential.last_day
    if not within or not VerifiedDay.objects.filter(day=day, step=VerifiedDay.Step.ANNOUNCED).exists():
        raise NotFound
    # Tried twice, because an erasure may rewrite the file between the query and the read.
    for _again in range(2):
        files = list(VerifiedFile.objects.filter(day=day).order_by("name").values_list("name", flat=True))
        if number >= len(files):
            raise NotFound
        try:
            with reaching_the_lake():
                store = verified_storage(reader=str(credential.recipient.public_id))
                url = store.at(VERIFIED.zone.value, VERIFIED.name, files[number])
                body = store.objects().read(StoredObject(url, 0))
        except FileNotFoundError:
            continue
        _note_access(credential, f"{day.isoformat()}/{number}", "verified.read", now)
        return ReadFile(files[number].rsplit("/", 1)[-1], body)
    raise Unavailable


def note_listing(*, credential: Credential, now: dt.datetime) -> None:
    """Record a request for the list of days in the audit log."""
    _note_access(credential, "days", "verified.listed", now)


def _note_access(credential: Credential, subject: str, verb: str, now: dt.datetime) -> None:
    actor = f"recipient {credential.recipient.public_id}"
    audit.record(actor=actor, verb=verb, subject=subject, now=now, credential=credential.public_id)
