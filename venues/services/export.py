"""Export all of an organisation as one JSON value for its owners. It contains no data of visitors."""

import datetime as dt
from dataclasses import fields
from typing import Any, Final

from django.db import models, transaction
from django.db.models import Prefetch

from common import audit
from common.models import AuditEntry
from common.time import z
from venues.models import AlertMail, Door, Event, Organisation, Requirements, Venue
from venues.requirements import RequirementValues
from venues.services.events import invitation_code
from venues.services.venues import VenueFacts

FORMAT: Final = "crowdtrace-organisation/1"
FACTS: Final = tuple(one.name for one in fields(VenueFacts))


@transaction.atomic
def export_organisation(*, organisation: Organisation, actor: str, now: dt.datetime) -> dict[str, Any]:
    """Return everything stored about an organisation.

    Members, venues with all versions of their requirements, doors, devices, events, invitations with their codes, and
    its audit log. Tokens and one-time codes are stored as hashes and left out.
    """
    audit.record(
        actor=actor,
        verb="organisation.exported",
        subject=organisation.public_id,
        organisation=organisation.public_id,
        now=now,
    )
    venues = organisation.venues.order_by("pk").prefetch_related(
        Prefetch("alert_mails", AlertMail.objects.select_related("membership__user")),
        Prefetch("requirement_versions", Requirements.objects.order_by("version")),
        "presence_counts",
        Prefetch("doors", Door.objects.order_by("pk").prefetch_related("devices")),
        Prefetch("events", Event.objects.order_by("pk").prefetch_related("invitations")),
    )
    return {
        "format": FORMAT,
        "exported_at": z(now),
        "organisation": _row(organisation, "name", "kind", "created_at", "verified_at", "closed_at"),
        "members": [
            {"username": one.user.username, "role": one.role}
            for one in organisation.memberships.select_related("user").order_by("user__username")
        ],
        "venues": [_venue(venue) for venue in venues],
        "audit": [
            {"at": z(one.at), "actor": one.actor, "verb": one.verb, "subject": one.subject, "details": one.details}
            for one in AuditEntry.objects.filter(organisation=organisation.public_id).order_by("at", "pk")
        ],
    }


def _venue(venue: Venue) -> dict[str, Any]:
    return _row(venue, *FACTS, "created_at", "closed_at") | {
        "alert_mails": sorted(one.membership.user.username for one in venue.alert_mails.all()),
        "requirements": [
            {"version": one.version, "created_at": z(one.created_at), **RequirementValues.of(one).as_dict()}
            for one in venue.requirement_versions.all()
        ],
        "presence_counts": [
            _row(one, "counted_at", "people", "created_at")
            for one in sorted(venue.presence_counts.all(), key=lambda one: one.counted_at)
        ],
        "doors": [
            _row(door, "name", "access", "created_at", "closed_at")
            | {
                "devices": [
                    _row(device, "name", "kind", "enrolled_at", "revoked_at", "last_seen")
                    for device in sorted(door.devices.all(), key=lambda one: one.pk)
                ]
            }
            for door in venue.doors.all()
        ],
        "events": [
            _row(event, "name", "starts_at", "ends_at", "size", "invitation_needed", "created_at", "cancelled_at")
            | {
                "invitations": [
                    _row(one, "uses", "created_at", "revoked_at") | {"code": invitation_code(one)}
                    for one in sorted(event.invitations.all(), key=lambda one: one.pk)
                ]
            }
            for event in venue.events.all()
        ],
    }


def _row(row: models.Model, *names: str) -> dict[str, Any]:
    values = {"id": row.public_id} | {name: getattr(row, name) for name in names}  # type: ignore[attr-defined]
    return {name: z(value) if isinstance(value, dt.datetime) else value for name, value in values.items()}
