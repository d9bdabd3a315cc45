"""Reads of this app.

Everything of an organisation is read for a user: `membership`, `organisation`, `venue` and similar functions take the
user and the lowest role required. Objects of others do not exist (`NotFound`), exactly like ones that are not there; an
insufficient role is `Forbidden`.
"""

import datetime as dt
import json
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any, Final, NamedTuple, TypeVar
from zoneinfo import ZoneInfo

from django.contrib.auth.models import User
from django.db import models
from django.db.models import F, Q, QuerySet
from django.utils.translation import gettext as _

from common import crypto
from common.statements import one_row
from common.web.problems import Forbidden, NotFound
from venues import finding
from venues.finding import Wanted
from venues.hours import Hours, Interval
from venues.kinds import Access, DeviceKind, Role
from venues.models import (
    AlertMail,
    ConfirmedEmail,
    Device,
    Door,
    Event,
    Invitation,
    Membership,
    Organisation,
    OwnerToken,
    PresenceCount,
    Requirements,
    Venue,
)
from venues.places import Point

RANK: Final = {Role.VIEWER: 0, Role.MANAGER: 1, Role.OWNER: 2}
MOST_FOUND: Final = 50
LATE_SCANS: Final = dt.timedelta(days=8)
"""How far back events matter at a door: scans arrive up to 7 days late, and an event opens an hour early."""
EARLY_SCANS: Final = dt.timedelta(days=2)

TO_CONFIRMED: Final = Q(membership__user__confirmed_email__email=F("membership__user__email")) & ~Q(
    membership__user__email=""
)
"""Alert mails whose member confirmed their e-mail address."""

Row = TypeVar("Row", bound=models.Model)


# What belongs to a person's organisations ----------------------------------------------------------------------------
def memberships(user: User) -> QuerySet[Membership]:
    """Return the user's roles in open organisations."""
    return Membership.objects.filter(user=user, organisation__closed_at=None).select_related("organisation")


def organisation(user: User, public_id: str, role: Role = Role.VIEWER) -> Organisation:
    """Return an open organisation of the user's."""
    return membership(user, public_id, role).organisation


def membership(user: User, public_id: str, role: Role = Role.VIEWER) -> Membership:
    """Return the user's own membership in an organisation."""
    found = memberships(user).filter(organisation__public_id=storable(public_id)).first()
    if found is None:
        raise NotFound()
    _need(found.role, role)
    return found


def member(user: User, public_id: str, role: Role = Role.VIEWER) -> Membership:
    """Return a membership in an organisation of the user's; the user's own requires no role."""
    rows = Membership.objects.select_related("organisation", "user")
    found = _scoped(rows, user, public_id, Role.VIEWER, "organisation")
    if found.user_id != user.pk:
        _need(found.role_of_user, role)  # type: ignore[attr-defined]
    return found


def open_venues(user: User) -> QuerySet[Venue]:
    """Return open venues of all of the user's organisations."""
    return Venue.objects.filter(closed_at=None, organisation__closed_at=None, organisation__memberships__user=user)


def venue(user: User, public_id: str, role: Role = Role.VIEWER) -> Venue:
    """Return an open venue of one of the user's organisations, with its organisation and requirements in force."""
    rows = Venue.objects.select_related("organisation", "requirements").filter(closed_at=None)
    return _scoped(rows, user, public_id, role, "organisation")


def door(user: User, public_id: str, role: Role = Role.VIEWER) -> Door:
    """Return an open door of one of the user's venues."""
    rows = Door.objects.select_related("venue__organisation").filter(closed_at=None, venue__closed_at=None)
    return _scoped(rows, user, public_id, role, "venue__organisation")


def device(user: User, public_id: str, role: Role = Role.VIEWER) -> Device:
    """Return a device of one of the user's venues, revoked or not."""
    rows = Device.objects.select_related("door__venue__organisation")
    return _scoped(rows, user, public_id, role, "door__venue__organisation")


def presence_count(user: User, public_id: str, role: Role = Role.VIEWER) -> PresenceCount:
    """Return a count of people at one of the user's open venues."""
    rows = PresenceCount.objects.select_related("venue__organisation").filter(venue__closed_at=None)
    return _scoped(rows, user, public_id, role, "venue__organisation")


def event(user: User, public_id: str, role: Role = Role.VIEWER) -> Event:
    """Return an event at one of the user's venues, cancelled or not."""
    rows = Event.objects.select_related("venue__organisation").filter(venue__closed_at=None)
    return _scoped(rows, user, public_id, role, "venue__organisation")


def invitation(user: User, public_id: str, role: Role = Role.VIEWER) -> Invitation:
    """Return an invitation to an event at one of the user's venues."""
    rows = Invitation.objects.select_related("event__venue__organisation").filter(event__venue__closed_at=None)
    return _scoped(rows, user, public_id, role, "event__venue__organisation")


def may(row: models.Model, role: Role) -> bool:
    """Return whether the role with which a row of this module was read suffices for another."""
    return RANK[Role(row.role_of_user)] >= RANK[role]  # type: ignore[attr-defined]


def alert_mail_wanted(user: User, venue: Venue) -> bool:
    """Return whether the user wants an e-mail when the venue is filling up."""
    return venue.alert_mails.filter(membership__user=user).exists()


def email_confirmed(user: User) -> bool:
    """Return whether the account's e-mail address is known to be the user's own mailbox."""
    return bool(user.email) and ConfirmedEmail.objects.filter(user=user, email=user.email).exists()


def watched() -> QuerySet[AlertMail]:
    """Return permitted e-mails that members want about open venues, with venue and requirements.

    An e-mail is permitted to a confirmed address only.
    """
    return (
        AlertMail.objects.filter(
            TO_CONFIRMED, venue__closed_at=None, venue__organisation__closed_at=None, membership__user__is_active=True
        )
        .select_related("venue__requirements")
        .order_by("pk")
    )


def owner_token(user: User, public_id: str) -> OwnerToken:
    """Return one of the user's own tokens."""
    return _one(user.owner_tokens.select_related("user").filter(public_id=storable(public_id)))


def device_for_operator(public_id: str) -> Device:
    """Return any device, for the operator who judges what it sends."""
    rows = Device.objects.select_related("door__venue__organisation")
    return _one(rows.filter(public_id=storable(public_id)))


def organisation_for_operator(public_id: str) -> Organisation:
    """Return any open organisation, for the operator who verifies it."""
    return _one(Organisation.objects.filter(public_id=storable(public_id), closed_at=None))


# What everybody may find ---------------------------------------------------------------------------------------------
@dataclass(frozen=True, slots=True)
class FoundVenue:
    """A listed venue, with its distance from the requested place if both are known."""

    venue: Venue
    distance_km: float | None


def open_venue(public_id: str) -> Venue | None:
    """Return an open venue by its public id, listed or not, with its organisation and requirements in force."""
    return (
        Venue.objects.select_related("organisation", "requirements")
        .filter(public_id=storable(public_id), closed_at=None, organisation__closed_at=None)
        .first()
    )


def open_event(public_id: str) -> Event | None:
    """Return an event at an open venue by its public id, with its venue; also a cancelled one."""
    return (
        Event.objects.select_related("venue__organisation")
        .filter(public_id=storable(public_id), venue__closed_at=None, venue__organisation__closed_at=None)
        .first()
    )


def find_venues(
    *,
    q: str = "",
    zip_code: str = "",
    near: Point | None = None,
    kind: str = "",
    within_km: float | None = None,
    limit: int = 20,
    offset: int = 0,
) -> list[FoundVenue]:
    """Return listed open venues with all words of `q` in their name or kind, each as the beginning of a word.

    Verified ones come first. With a ZIP code or a position, the nearest come first (the same digits, then by the
    distance of three-digit centroids), otherwise they are ordered by name. At most two statements, whatever their
    number.
    """
    wanted = Wanted(q=q, zip_code=zip_code, near=near, kind=kind, within_km=within_km)
    return with_distances(wanted, finding.page(wanted, offset=offset, count=max(1, min(limit, MOST_FOUND))))


def with_distances(wanted: Wanted, rows: Iterable[Venue]) -> list[FoundVenue]:
    """Return venues with their distance from the requested place."""
    return [FoundVenue(row, wanted.distance_km(row.zip) if row.zip else None) for row in rows]


def requirements_at(venue: Venue, instant: dt.datetime) -> Requirements | None:
    """Return the version that was in force at a time; the first one for any earlier time.

    The rules on answers for an epoch are those that were in force when its check-in opened.
    """
    versions = venue.requirement_versions.order_by("-version")
    return versions.filter(created_at__lte=instant).first() or versions.last()


NIGHT: Final = dt.timedelta(hours=4)
"""How long after midnight passes of the day before still open a door: the night belongs to the evening."""
_LONGEST_EVENT: Final = dt.timedelta(days=14)
_BY_INVITATION: Final = """
    EXISTS (SELECT FROM venues_event AS event
            WHERE event.venue_id = VENUE_ID AND event.cancelled_at IS NULL AND event.invitation_needed
              AND event.starts_at < DAY_END AND event.starts_at > DAY_START - interval 'LONGEST'
              AND event.ends_at > DAY_START
              AND (event.starts_at >= DAY_START OR event.ends_at > DAY_START + interval 'NIGHT'
                   OR (SELECT version.hours FROM venues_requirements AS version WHERE version.venue_id = VENUE_ID
                       ORDER BY version.version DESC LIMIT 1) = '[[], [], [], [], [], [], []]'::jsonb))
"""


def by_invitation_sql(*, venue: str, start: str, end: str) -> str:
    """Return the SQL condition that check-in for the local day from `start` to `end` requires an invitation.

    A pass is valid for the whole day, so a day that an event by invitation touches is a day by invitation. The night
    after an event's last evening is none at a place with opening hours of its own, which would lose that day's guests.
    """
    names = {"VENUE_ID": venue, "DAY_START": start, "DAY_END": end}
    names |= {"LONGEST": f"{_LONGEST_EVENT.days} days", "NIGHT": f"{NIGHT.seconds} seconds"}
    sql = _BY_INVITATION
    for name, text in names.items():
        sql = sql.replace(name, text)
    return sql


def invitation_needed(venue: Venue, start: dt.datetime, end: dt.datetime) -> bool:
    """Return whether check-in for the local day `[start, end)` requires an invitation."""
    condition = by_invitation_sql(venue="%(venue)s", start="%(start)s::timestamptz", end="%(end)s::timestamptz")
    row = one_row(f"SELECT {condition}", {"venue": venue.pk, "start": start, "end": end})
    return bool(row and row[0])


# Devices -------------------------------------------------------------------------------------------------------------
class DoorRules(NamedTuple):
    """What a door requires, live. The rules on answers are not included: the scan path cannot read them."""

    version: int
    max_temperature_f: float | None
    min_o2: int | None
    capacity: int
    enforced_limit_percent: int
    rotating_code: bool
    hours: Hours


class DeviceContext(NamedTuple):
    """What a request of a device needs to know about its place; the value of `request.auth`."""

    device_id: int
    public_id: str
    kind: DeviceKind
    last_seen: dt.datetime | None
    door_id: int
    access: Access
    venue_id: int
    venue: str  # public id
    venue_kind: str
    zone: ZoneInfo
    usual_dwell_min: int | None
    unmanned: bool
    organisation_id: int
    verified: bool
    simulated_until: dt.datetime | None
    rules: DoorRules
    events: tuple[Interval, ...]


DEVICE: Final = """
    SELECT device.id, device.public_id, device.kind, device.last_seen, door.id, door.access,
           venue.id AS venue_id, venue.public_id, venue.kind, venue.time_zone, venue.usual_dwell_min, venue.unmanned,
           organisation.id, organisation.verified_at IS NOT NULL, organisation.simulated_until,
           asked.version, asked.max_temperature_f, asked.min_o2, asked.capacity, asked.enforced_limit_percent,
           asked.rotating_code, asked.hours::text,
           ARRAY(SELECT ARRAY[event.starts_at, event.ends_at] FROM venues_event AS event
                 WHERE event.venue_id = venue.id AND event.cancelled_at IS NULL
                   AND event.starts_at < %(to)s AND event.ends_at > %(from)s ORDER BY event.starts_at)
    FROM venues_device AS device
    JOIN venues_door AS door ON door.id = device.door_id
    JOIN venues_venue AS venue ON venue.id = door.venue_id
    JOIN venues_organisation AS organisation ON organisation.id = venue.organisation_id
    JOIN venues_requirements AS asked ON asked.id = venue.requirements_id
    WHERE device.token_hash = %(hash)s AND device.revoked_at IS NULL AND door.closed_at IS NULL
      AND venue.closed_at IS NULL AND organisation.closed_at IS NULL
"""
"""The row of a device, as `device_of_row` reads it; `device_values` gives its parameters."""
DEVICE_COLUMNS: Final = 23


def device_context(token: str, now: dt.datetime) -> DeviceContext | None:
    """Return the device of a token with door, venue, requirements, organisation and current events, in one statement.

    Return `None` for an unknown or revoked token, and if door, venue or organisation is closed: revocation works at
    once, because nothing of this is cached between requests. Plain SQL, because doors wait for it.
    """
    row = one_row(DEVICE, device_values(token, now))
    return None if row is None else device_of_row(row)


def device_values(token: str, now: dt.datetime) -> dict[str, Any]:
    """Return the parameters of `DEVICE`."""
    return {"hash": crypto.token_hash(token), "from": now - LATE_SCANS, "to": now + EARLY_SCANS}


def device_of_row(row: tuple[Any, ...]) -> DeviceContext:
    """Return the device in a row of `DEVICE`."""
    *place, hours, events = row
    return DeviceContext(
        device_id=place[0],
        public_id=place[1],
        kind=DeviceKind(place[2]),
        last_seen=place[3],
        door_id=place[4],
        access=Access(place[5]),
        venue_id=place[6],
        venue=place[7],
        venue_kind=place[8],
        zone=ZoneInfo(place[9]),
        usual_dwell_min=place[10],
        unmanned=place[11],
        organisation_id=place[12],
        verified=place[13],
        simulated_until=place[14],
        rules=DoorRules(
            version=place[15],
            max_temperature_f=place[16],
            min_o2=place[17],
            capacity=place[18],
            enforced_limit_percent=place[19],
            rotating_code=place[20],
            hours=json.loads(hours),
        ),
        events=tuple(Interval(starts_at, ends_at) for starts_at, ends_at in events),
    )


def storable(text: str) -> str:
    """Return an id that can be sent to the database, which accepts neither NUL nor lone surrogates; no id has them."""
    return text if text.isascii() and text.isprintable() else ""


def _need(has: str, needed: Role) -> None:
    if RANK[Role(has)] < RANK[needed]:
        raise Forbidden(_("Your role in this organisation does not allow it."))


def _scoped(rows: QuerySet[Row], user: User, public_id: str, role: Role, path: str) -> Row:
    """Return a row by public id, if its organisation (at `path`) is open and the user's; then check the role."""
    found = (
        rows.filter(
            **{
                "public_id": storable(public_id),
                f"{path}__closed_at": None,
                f"{path}__memberships__user": user,
            }
        )
        .annotate(role_of_user=F(f"{path}__memberships__role"))
        .first()
    )
    if found is None:
        raise NotFound()
    _need(found.role_of_user, role)  # type: ignore[attr-defined]
    return found


def _one(rows: QuerySet[Row]) -> Row:
    found = rows.first()
    if found is None:
        raise NotFound()
    return found
