"""What the operator decides about scores: the threshold and the devices that are exempt; each change is logged."""

import datetime as dt
from typing import Final

from django.db import transaction
from django.utils.translation import gettext as _

from common import audit
from common.web.problems import Invalid
from passes.models import AbuseThreshold, Exemption
from venues.models import Device

DEFAULT_THRESHOLD: Final = 0.5
LOWEST_THRESHOLD: Final = 0.1
"""Ordinary scans score 0; a threshold this low keeps out what is slightly unusual already."""
LONGEST_EXEMPTION: Final = dt.timedelta(days=90)


def threshold() -> float:
    """Return the score from which a visit is kept out of crowd state."""
    return AbuseThreshold.objects.values_list("value", flat=True).first() or DEFAULT_THRESHOLD


@transaction.atomic
def set_threshold(*, value: float, actor: str, now: dt.datetime) -> None:
    """Change the threshold. It applies to the scores of the last days from the next run on. Raise `Invalid`."""
    if not LOWEST_THRESHOLD <= value <= 1:
        raise Invalid.field("/value", _("A number from 0.1 to 1."))
    before = threshold()
    if value != before:
        AbuseThreshold.objects.update_or_create(id=1, defaults={"value": value})
        audit.record(
            actor=actor, verb="abuse.threshold", subject="deployment", now=now, before=str(before), after=str(value)
        )


def exempt_devices(now: dt.datetime) -> list[int]:
    """Return the devices whose scores keep nobody out. An organisation that is no longer verified has none."""
    rows = Exemption.objects.filter(until__gt=now, device__door__venue__organisation__verified_at__isnull=False)
    return list(rows.values_list("device", flat=True))


@transaction.atomic
def exempt_device(*, device: Device, until: dt.datetime, reason: str, actor: str, now: dt.datetime) -> None:
    """Exempt a device of a verified organisation for a time. Raise `Invalid`."""
    organisation = device.door.venue.organisation
    if organisation.verified_at is None:
        raise Invalid.field("", _("Only devices of a verified organisation can be exempt."))
    if not now < until <= now + LONGEST_EXEMPTION:
        raise Invalid.field("/until", _("A day within the next 90 days."))
    Exemption.objects.update_or_create(device=device, defaults={"until": until, "reason": reason})
    audit.record(
        actor=actor, verb="abuse.exempt", subject=device.public_id, organisation=organisation.public_id, now=now,
        until=until.date().isoformat(), reason=reason,
    )  # fmt: skip


@transaction.atomic
def end_exemption(*, device: Device, actor: str, now: dt.datetime) -> None:
    """End the exemption of a device, if it has one."""
    if Exemption.objects.filter(device=device).delete()[0]:
        organisation = device.door.venue.organisation.public_id
        audit.record(
            actor=actor, verb="abuse.exemption_ended", subject=device.public_id, organisation=organisation, now=now
        )
