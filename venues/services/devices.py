"""Enrol and revoke devices."""

import datetime as dt
from typing import Final

from django.db import connection, transaction
from django.utils.translation import gettext as _

from common import audit, crypto
from common.web.problems import Gone, Invalid
from venues.models import Device, Door, EnrolmentCode
from venues.refusals import conflict
from venues.services.checks import clean
from venues.services.codes import NewCode, new_code, tidy
from venues.services.venues import lock_venue

ENROLMENT_LIFE: Final = dt.timedelta(minutes=10)
MOST_DEVICES: Final = 200
"""Largest number of devices with a live token at one door, which bounds what one account can create."""

# One statement finds and spends the code: of two concurrent ones, the second waits for the row and then finds it used.
_SPEND: Final = """
    UPDATE venues_enrolmentcode AS code SET used_at = %(now)s
    FROM venues_door AS door, venues_venue AS venue, venues_organisation AS organisation
    WHERE code.code_hash = %(hash)s AND code.used_at IS NULL AND code.expires_at > %(now)s
      AND door.id = code.door_id AND door.closed_at IS NULL
      AND venue.id = door.venue_id AND venue.closed_at IS NULL
      AND organisation.id = venue.organisation_id AND organisation.closed_at IS NULL
    RETURNING code.door_id
"""


@transaction.atomic
def make_enrolment_code(*, door: Door, actor: str, now: dt.datetime) -> NewCode:
    """Create a code that enrols one device at this door, valid for ten minutes; only its hash is stored."""
    venue = lock_venue(door.venue)
    if not venue.doors.filter(pk=door.pk, closed_at=None).exists():
        raise Gone(_("This door is closed."))
    if door.devices.filter(revoked_at=None).count() >= MOST_DEVICES:
        raise conflict(
            "too_many", _("A door has at most %(most)d devices; revoke some first.") % {"most": MOST_DEVICES}
        )
    code = new_code()
    expires_at = now + ENROLMENT_LIFE
    EnrolmentCode.objects.create(door=door, code_hash=crypto.token_hash(code), expires_at=expires_at)
    _record(door, actor, "device.invited", door.public_id, now)
    return NewCode(code, expires_at)


@transaction.atomic
def enrol_device(*, code: str, name: str, kind: str, now: dt.datetime) -> tuple[Device, str]:
    """Spend an enrolment code; return the new device and its token, shown only once.

    An unknown, spent or expired code, and one whose door is closed, raise the same `Invalid`.
    """
    with connection.cursor() as cursor:
        cursor.execute(_SPEND, {"now": now, "hash": crypto.token_hash(tidy(code))})
        found = cursor.fetchone()
    if found is None:
        raise Invalid.field(
            "/code", _("This code is unknown, used or older than ten minutes. Ask for a new one."), "unknown"
        )
    door = Door.objects.select_related("venue__organisation").get(pk=found[0])
    token = crypto.new_token()
    device = Device(
        door=door,
        name=name,
        kind=kind,
        token_hash=crypto.token_hash(token),
        enrolled_at=now,
        last_seen=quarter(now),
    )
    clean(device)
    device.save(force_insert=True)
    _record(door, "device", "device.enrolled", device.public_id, now)
    return device, token


@transaction.atomic
def revoke_device(*, device: Device, actor: str, now: dt.datetime) -> None:
    """Revoke a device's token: its next request is refused. Revoking twice changes nothing."""
    if Device.objects.filter(pk=device.pk, revoked_at=None).update(revoked_at=now):
        _record(device.door, actor, "device.revoked", device.public_id, now)


def mark_seen(*, device_id: int, seen: dt.datetime) -> None:
    """Write that a device was seen, to the quarter of an hour; never backwards."""
    Device.objects.filter(pk=device_id).exclude(last_seen__gte=seen).update(last_seen=quarter(seen))


def quarter(moment: dt.datetime) -> dt.datetime:
    """Return the start of the quarter of an hour."""
    return moment.replace(minute=moment.minute - moment.minute % 15, second=0, microsecond=0)


def _record(door: Door, actor: str, verb: str, subject: str, now: dt.datetime) -> None:
    audit.record(
        actor=actor,
        verb=verb,
        subject=subject,
        organisation=door.venue.organisation.public_id,
        now=now,
        venue=door.venue.public_id,
    )
