"""Venues, their requirements, and their doors."""

import datetime as dt
from collections.abc import Mapping
from dataclasses import asdict, dataclass
from typing import Final

from django.contrib.auth.models import User
from django.db import transaction
from django.utils.functional import Promise
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from common import audit
from common.text import searchable
from common.web.problems import Gone, Invalid, PreconditionFailed, pointer
from venues.hours import BadHours
from venues.kinds import Access, OrganisationKind
from venues.models import Device, Door, Event, Organisation, Requirements, Venue
from venues.refusals import too_many
from venues.requirements import RequirementValues
from venues.services.checks import clean
from venues.services.organisations import create_organisation, lock_open

FIRST_DOOR: Final = "Entrance"
MOST_VENUES: Final = 1000
"""Largest number of open venues of an organisation, which bounds what one account can create."""
MOST_DOORS: Final = 100
"""Largest number of open doors of a venue, for the same reason."""
WRONG_HOURS: Final[dict[str, Promise]] = {
    "seven_days": gettext_lazy("Enter seven lists, Monday first."),
    "not_a_day": gettext_lazy("Give a list of at most twelve pairs."),
    "not_a_pair": gettext_lazy("Give [opens, closes] in whole minutes from midnight."),
    "opens": gettext_lazy("Opening lies between 0 and 1439."),
    "closes": gettext_lazy("Closing lies after opening, and at 2160 (noon of the next day) at the latest."),
    "overlap": gettext_lazy("Hours are sorted and do not overlap, also not those of the next day."),
}


@dataclass(frozen=True, slots=True, kw_only=True)
class VenueFacts:
    """The facts of a venue. Volume and ventilation are optional: the risk engine has priors for each kind."""

    name: str
    kind: str
    zip: str = ""
    time_zone: str = "UTC"
    volume_m3: float | None = None
    air_changes_per_h: float | None = None
    usual_dwell_min: int | None = None
    check_in_share: float | None = None
    listed: bool = True
    unmanned: bool = False
    alert_percent: int = 90


@transaction.atomic
def create_venue(
    *,
    organisation: Organisation,
    facts: VenueFacts,
    actor: str,
    now: dt.datetime,
    requirements: RequirementValues | None = None,
) -> Venue:
    """Create a venue with its first requirements (by default open around the clock) and one public door."""
    owner = lock_open(organisation)
    if owner.venues.filter(closed_at=None).count() >= MOST_VENUES:
        raise too_many(_("An organisation has at most %(most)d open places."), MOST_VENUES)
    venue = Venue(organisation=owner, created_at=now, **asdict(facts))
    _check(venue, owner)
    venue.words = searchable(venue.name)
    venue.save(force_insert=True)
    venue.requirements = _new_version(venue, requirements or RequirementValues(), version=1, now=now)
    venue.save(update_fields=["requirements"])
    Door.objects.create(venue=venue, name=FIRST_DOOR, access=Access.PUBLIC, created_at=now)
    _record(venue, actor, "venue.created", now)
    return venue


@transaction.atomic
def create_first_venue(
    *, user: User, host_kind: str, facts: VenueFacts, requirements: RequirementValues, now: dt.datetime
) -> Venue:
    """Create a venue and the organisation that runs it, with the venue's name."""
    organisation = create_organisation(owner=user, name=facts.name, kind=host_kind, now=now)
    return create_venue(organisation=organisation, facts=facts, requirements=requirements, actor=user.username, now=now)


@transaction.atomic
def update_venue(*, venue: Venue, changes: Mapping[str, object], actor: str, now: dt.datetime) -> Venue:
    """Change facts of a venue; `changes` are fields of `VenueFacts`."""
    locked = lock_venue(venue)
    for name, value in changes.items():
        if name not in VenueFacts.__dataclass_fields__:
            raise Invalid.field(pointer(name), _("A venue has no such field."), "unknown")
        setattr(locked, name, value)
    _check(locked, locked.organisation)
    locked.words = searchable(locked.name)
    if changes:
        locked.save(update_fields=[*changes, "words"])
        _record(locked, actor, "venue.updated", now, fields=", ".join(sorted(changes)))
    return locked


@transaction.atomic
def close_venue(*, venue: Venue, actor: str, now: dt.datetime) -> None:
    """Close a venue permanently: devices lose their tokens, events are cancelled. Closing twice changes nothing."""
    locked = Venue.objects.select_for_update(of=("self",)).select_related("organisation").get(pk=venue.pk)
    if locked.closed_at is not None:
        return
    locked.closed_at = now
    locked.save(update_fields=["closed_at"])
    Device.objects.filter(door__venue=locked, revoked_at=None).update(revoked_at=now)
    Event.objects.filter(venue=locked, cancelled_at=None, ends_at__gt=now).update(cancelled_at=now)
    _record(locked, actor, "venue.closed", now)


@transaction.atomic
def set_requirements(
    *,
    venue: Venue,
    values: RequirementValues,
    actor: str,
    now: dt.datetime,
    expected_version: int | None = None,
) -> Requirements:
    """Put a new version of requirements in force. Unchanged values make no new version.

    Raise `PreconditionFailed` if `expected_version` is given and another version is in force.
    """
    locked = lock_venue(venue)
    latest = locked.requirement_versions.order_by("-version").first()
    version = latest.version if latest else 0
    if expected_version is not None and expected_version != version:
        raise PreconditionFailed()
    if latest is not None and RequirementValues.of(latest) == values:
        return latest
    row = _new_version(locked, values, version=version + 1, now=now)
    locked.requirements = row
    locked.save(update_fields=["requirements"])
    _record(locked, actor, "requirements.set", now, version=row.version)
    return row


@transaction.atomic
def add_door(*, venue: Venue, name: str, actor: str, now: dt.datetime, access: str = Access.PUBLIC) -> Door:
    """Create a door, public or private."""
    locked = lock_venue(venue)
    if locked.doors.filter(closed_at=None).count() >= MOST_DOORS:
        raise too_many(_("A place has at most %(most)d open doors."), MOST_DOORS)
    door = Door(venue=locked, name=name, access=access, created_at=now)
    clean(door)
    door.save(force_insert=True)
    _record(locked, actor, "door.created", now, door=door.public_id)
    return door


@transaction.atomic
def update_door(
    *, door: Door, actor: str, now: dt.datetime, name: str | None = None, access: str | None = None
) -> Door:
    """Rename a door, or make it public or private."""
    lock_venue(door.venue)
    locked = Door.objects.select_for_update().get(pk=door.pk)
    if locked.closed_at is not None:
        raise Gone(_("This door is closed."))
    locked.name = name if name is not None else locked.name
    locked.access = access if access is not None else locked.access
    clean(locked)
    locked.save(update_fields=["name", "access"])
    _record(door.venue, actor, "door.updated", now, door=locked.public_id)
    return locked


@transaction.atomic
def close_door(*, door: Door, actor: str, now: dt.datetime) -> None:
    """Close a door permanently and revoke its devices. Closing twice changes nothing."""
    if not Door.objects.filter(pk=door.pk, closed_at=None).update(closed_at=now):
        return
    Device.objects.filter(door=door, revoked_at=None).update(revoked_at=now)
    _record(door.venue, actor, "door.closed", now, door=door.public_id)


def lock_venue(venue: Venue) -> Venue:
    """Return the venue's row with its organisation, locked until the transaction ends. Raise `Gone` if it is closed."""
    locked = Venue.objects.select_for_update(of=("self",)).select_related("organisation").get(pk=venue.pk)
    if locked.closed_at is not None or locked.organisation.closed_at is not None:
        raise Gone(_("This place is closed."))
    return locked


def _check(venue: Venue, organisation: Organisation) -> None:
    clean(venue)
    if venue.unmanned and organisation.kind != OrganisationKind.COMMERCIAL:
        detail = _("Only a commercial organisation has places without staff.")
        raise Invalid.field("/unmanned", detail, "not_commercial")


def _new_version(venue: Venue, values: RequirementValues, *, version: int, now: dt.datetime) -> Requirements:
    try:
        hours = values.checked_hours()
    except BadHours as error:
        raise Invalid.field(f"/hours{error.pointer}", WRONG_HOURS[error.code], error.code) from None
    row = Requirements(venue=venue, version=version, created_at=now, **values.as_dict() | {"hours": hours})
    clean(row)
    row.save(force_insert=True)
    return row


def _record(venue: Venue, actor: str, verb: str, now: dt.datetime, **details: str | int | bool | None) -> None:
    audit.record(
        actor=actor,
        verb=verb,
        subject=venue.public_id,
        organisation=venue.organisation.public_id,
        now=now,
        **details,
    )
