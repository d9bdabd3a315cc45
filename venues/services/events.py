"""Events and invitations."""

import datetime as dt
from dataclasses import dataclass
from typing import Any, Final
from zoneinfo import ZoneInfo

from django.contrib.auth.models import User
from django.db import connection, transaction
from django.utils.translation import gettext as _

from common import audit, crypto
from common.locks import keep_rows
from common.web.problems import Gone, Invalid
from venues.hours import NEVER_OPEN
from venues.kinds import OrganisationKind, Role, VenueKind
from venues.models import Event, Invitation, Organisation, Venue
from venues.refusals import conflict, too_many
from venues.requirements import RequirementValues
from venues.selectors import NIGHT
from venues.services.checks import clean
from venues.services.codes import new_code, tidy
from venues.services.organisations import create_organisation
from venues.services.venues import VenueFacts, create_venue, lock_venue
from venues.wall_clock import coming, instants, wall_time

LONGEST_EVENT: Final = dt.timedelta(days=14)
FURTHEST_AHEAD: Final = dt.timedelta(days=730)
MOST_EVENTS: Final = 1000
"""Largest number of future events of a venue, which bounds what one account can create."""
MOST_INVITATIONS: Final = 1000
"""Live invitations of an event, likewise."""
MOST_REPEATS: Final = 52
"""Events that one repetition makes: a year of weeks."""
PRIVATE_HOST: Final = "Private host"
"""Name of an automatically created personal organisation: cards show it, so it must not be the name of an account."""
INVITATION_PURPOSE: Final = "invitation"

# One statement judges and spends: of two concurrent ones for the last use, the second finds none left. The first day of
# an event, with its night, has a count of its own; each further day has another, so that every guest can come each day.
_TAKE: Final = """
    UPDATE venues_invitation AS invitation
    SET uses_left = invitation.uses_left - CASE WHEN day.is_first THEN 1 ELSE 0 END,
        used_later = CASE WHEN day.is_first THEN invitation.used_later ELSE
            jsonb_set(invitation.used_later, ARRAY[day.name],
                      to_jsonb(coalesce((invitation.used_later ->> day.name)::integer, 0) + 1)) END
    FROM venues_event AS event CROSS JOIN LATERAL (
        SELECT extract(epoch FROM %(start)s::timestamptz)::bigint::text AS name,
               event.starts_at >= %(start)s
               OR (event.ends_at <= %(night_ends)s AND event.starts_at >= %(before)s) AS is_first
    ) AS day
    WHERE invitation.code_hash = %(hash)s AND invitation.revoked_at IS NULL
      AND CASE WHEN day.is_first THEN invitation.uses_left > 0
               ELSE coalesce((invitation.used_later ->> day.name)::integer, 0) < invitation.uses END
      AND event.id = invitation.event_id AND event.venue_id = %(venue)s AND event.cancelled_at IS NULL
      AND event.starts_at < %(end)s AND event.ends_at > %(start)s
    RETURNING event.id
"""
USES_KNOWN: Final = dt.timedelta(days=3)
"""How long after its start uses of a day are counted: its check-in is closed by then, as is that of its night."""
_FORGET: Final = """
    UPDATE venues_invitation AS invitation
    SET uses_left = CASE WHEN event.starts_at < %(over)s THEN invitation.uses ELSE invitation.uses_left END,
        used_later = (SELECT coalesce(jsonb_object_agg(day.name, day.used), '{}')
                      FROM jsonb_each(invitation.used_later) AS day (name, used)
                      WHERE day.name::bigint >= extract(epoch FROM %(over)s::timestamptz))
    FROM venues_event AS event
    WHERE event.id = invitation.event_id AND (
        (event.starts_at < %(over)s AND invitation.uses_left <> invitation.uses)
        OR EXISTS (SELECT FROM jsonb_object_keys(invitation.used_later) AS day (name)
                   WHERE day.name::bigint < extract(epoch FROM %(over)s::timestamptz)))
"""


@dataclass(frozen=True, slots=True)
class QuickEvent:
    """The result of one call: a free event with everything it needs."""

    organisation: Organisation
    venue: Venue
    event: Event
    invitation: Invitation


@transaction.atomic
def create_event(
    *,
    venue: Venue,
    name: str,
    starts_at: dt.datetime,
    ends_at: dt.datetime,
    size: int,
    actor: str,
    now: dt.datetime,
    invitation_needed: bool = True,
) -> Event:
    """Create an event; its doors open an hour before it starts, regardless of the venue's weekly hours."""
    locked = lock_venue(venue)
    if locked.events.filter(cancelled_at=None, ends_at__gt=now).count() >= MOST_EVENTS:
        raise too_many(_("A place has at most %(most)d upcoming events."), MOST_EVENTS)
    event = Event(
        venue=locked,
        name=name,
        starts_at=starts_at,
        ends_at=ends_at,
        size=size,
        invitation_needed=invitation_needed,
        created_at=now,
    )
    _check(event, now)
    event.save(force_insert=True)
    _record(event, actor, "event.created", now)
    return event


@transaction.atomic
def update_event(
    *,
    event: Event,
    actor: str,
    now: dt.datetime,
    name: str | None = None,
    starts_at: dt.datetime | None = None,
    ends_at: dt.datetime | None = None,
    size: int | None = None,
    invitation_needed: bool | None = None,
) -> Event:
    """Change an event that is not over; `None` leaves a value unchanged.

    A new size does not change existing invitations.
    """
    locked = _lock_event(event)
    if locked.ends_at <= now:
        raise Gone(_("This event is over."))
    changes = {
        "name": name,
        "starts_at": starts_at,
        "ends_at": ends_at,
        "size": size,
        "invitation_needed": invitation_needed,
    }
    changes = {field: value for field, value in changes.items() if value is not None}
    for field, value in changes.items():
        setattr(locked, field, value)
    _check(locked, now)
    if changes:
        locked.save(update_fields=list(changes))
        _record(locked, actor, "event.updated", now)
    return locked


@transaction.atomic
def cancel_event(*, event: Event, actor: str, now: dt.datetime) -> None:
    """Cancel an event; its invitations become invalid. Cancelling twice changes nothing."""
    if Event.objects.filter(pk=event.pk, cancelled_at=None).update(cancelled_at=now):
        _record(event, actor, "event.cancelled", now)


@transaction.atomic
def repeat_event(*, event: Event, every_days: int, times: int, actor: str, now: dt.datetime) -> list[Event]:
    """Make the next `times` events like one, every few days at the same time of the clock of its place.

    Each has an invitation of its own where this one needs one. Those that would be over are not made.
    """
    if event.ends_at - event.starts_at > dt.timedelta(days=every_days):
        raise Invalid.field("/every", _("The event lasts longer than that: it would run into the next one."), "overlap")
    zone = event.venue.zone
    step = max(0, (now - event.ends_at) // dt.timedelta(days=every_days)) + 1
    made = []
    for at in range(step, step + times):
        starts_at, ends_at = (_later(moment, at * every_days, zone) for moment in (event.starts_at, event.ends_at))
        one = create_event(
            venue=event.venue,
            name=event.name,
            starts_at=starts_at,
            ends_at=ends_at,
            size=event.size,
            invitation_needed=event.invitation_needed,
            actor=actor,
            now=now,
        )
        if one.invitation_needed:
            make_invitation(event=one, actor=actor, now=now)
        made.append(one)
    return made


def _later(moment: dt.datetime, days: int, zone: ZoneInfo) -> dt.datetime:
    """Return the same time of the clock some days later."""
    wall = wall_time(moment, zone) + dt.timedelta(days=days)
    found = instants(wall, zone)
    if not found:
        words = _("On %(day)s the clock goes forward, so there is no %(time)s.")
        raise Invalid.field("/times", words % {"day": f"{wall:%Y-%m-%d}", "time": f"{wall:%H:%M}"}, "out_of_range")
    return found[min(coming(moment, zone), len(found) - 1)]


@transaction.atomic
def make_invitations(*, event: Event, count: int, uses: int | None, actor: str, now: dt.datetime) -> list[Invitation]:
    """Make several invitations, each with a link and uses of its own: one for each guest."""
    return [make_invitation(event=event, uses=uses, actor=actor, now=now) for _each in range(count)]


@transaction.atomic
def make_invitation(*, event: Event, actor: str, now: dt.datetime, uses: int | None = None) -> Invitation:
    """Create a code that opens check-in to an event `uses` times, by default as often as the event has places."""
    locked = _lock_event(event)
    if locked.invitations.filter(revoked_at=None).count() >= MOST_INVITATIONS:
        raise conflict(
            "too_many", _("An event has at most %(most)d invitations; revoke some first.") % {"most": MOST_INVITATIONS}
        )
    if uses is not None and not 1 <= uses <= locked.size:
        detail = _("Between 1 and the size of the event, %(most)d.") % {"most": locked.size}
        raise Invalid.field("/uses", detail, "out_of_range")
    code = new_code()
    invitation = Invitation.objects.create(
        event=locked,
        code=crypto.encrypt(INVITATION_PURPOSE, code.encode()),
        code_hash=crypto.token_hash(code),
        uses=uses or locked.size,
        uses_left=uses or locked.size,
        created_at=now,
    )
    _record(locked, actor, "invitation.created", now, invitation=invitation.public_id)
    return invitation


@transaction.atomic
def revoke_invitation(*, invitation: Invitation, actor: str, now: dt.datetime) -> None:
    """Revoke an invitation; passes made with it stay valid. Revoking twice changes nothing."""
    keep_rows()
    if Invitation.objects.filter(pk=invitation.pk, revoked_at=None).update(revoked_at=now):
        _record(invitation.event, actor, "invitation.revoked", now, invitation=invitation.public_id)


def invitation_code(invitation: Invitation) -> str:
    """Return the code of an invitation, which its host may display again."""
    return crypto.decrypt(INVITATION_PURPOSE, bytes(invitation.code)).decode()


def take_invitation(*, venue_id: int, code: str, start: dt.datetime, end: dt.datetime) -> bool:
    """Spend one use of a code at a venue (its database key) for an event that touches the local day `[start, end)`.

    Each day of the event has all uses. Call it in the transaction that stores the check-in, so that both happen or
    neither. Unknown, revoked, used-up and foreign codes all return `False`.
    """
    keep_rows()
    with connection.cursor() as cursor:
        values: dict[str, Any] = {"hash": crypto.token_hash(tidy(code)), "venue": venue_id, "start": start, "end": end}
        cursor.execute(_TAKE, values | {"night_ends": start + NIGHT, "before": start - dt.timedelta(days=1)})
        return cursor.fetchone() is not None


@transaction.atomic
def forget_uses(*, now: dt.datetime) -> int:
    """Delete the uses of days whose check-in is closed, and return of how many invitations.

    A personal invitation would show for as long as its event is stored on which days its guest had answered.
    """
    keep_rows()
    with connection.cursor() as cursor:
        cursor.execute(_FORGET, {"over": now - USES_KNOWN})
        return int(cursor.rowcount)


@transaction.atomic
def create_quick_event(
    *,
    user: User,
    name: str,
    place: str,
    starts_at: dt.datetime,
    ends_at: dt.datetime,
    size: int,
    now: dt.datetime,
    zip_code: str = "",
    time_zone: str = "UTC",
    kind: str = VenueKind.HOME,
    organisation: Organisation | None = None,
    host_kind: str = OrganisationKind.PERSONAL,
    host_name: str = PRIVATE_HOST,
) -> QuickEvent:
    """Create a free event in one call: an unlisted venue, open for the event only, with a door and an invitation.

    It belongs to `organisation`, or otherwise to the user's own organisation of `host_kind`, which is created the first
    time with the name `host_name`.
    """
    host = organisation or _own_organisation(user, host_kind, host_name, now)
    venue = create_venue(
        organisation=host,
        facts=VenueFacts(name=place, kind=kind, zip=zip_code, time_zone=time_zone, listed=False),
        requirements=RequirementValues(capacity=size, hours=NEVER_OPEN),
        actor=user.username,
        now=now,
    )
    event = create_event(
        venue=venue, name=name, starts_at=starts_at, ends_at=ends_at, size=size, actor=user.username, now=now
    )
    return QuickEvent(host, venue, event, make_invitation(event=event, actor=user.username, now=now))


def _own_organisation(user: User, kind: str, name: str, now: dt.datetime) -> Organisation:
    # The account's row is locked, so that two concurrent events share one organisation.
    User.objects.select_for_update().get(pk=user.pk)
    found = (
        Organisation.objects.filter(kind=kind, closed_at=None, memberships__user=user, memberships__role=Role.OWNER)
        .order_by("pk")
        .first()
    )
    return found or create_organisation(owner=user, name=name, kind=kind, now=now)


def _lock_event(event: Event) -> Event:
    lock_venue(event.venue)
    locked = Event.objects.select_for_update(of=("self",)).select_related("venue__organisation").get(pk=event.pk)
    if locked.cancelled_at is not None:
        raise Gone(_("This event is cancelled."))
    return locked


def _check(event: Event, now: dt.datetime) -> None:
    clean(event)
    if event.ends_at <= event.starts_at:
        raise Invalid.field("/ends_at", _("An event ends after it starts."), "out_of_range")
    if event.ends_at - event.starts_at > LONGEST_EVENT:
        detail = _("An event lasts %(most)d days at most.") % {"most": LONGEST_EVENT.days}
        raise Invalid.field("/ends_at", detail, "out_of_range")
    if event.ends_at <= now:
        raise Invalid.field("/ends_at", _("An event ends in the future."), "out_of_range")
    if event.starts_at - now > FURTHEST_AHEAD:
        detail = _("An event starts within %(most)d days.") % {"most": FURTHEST_AHEAD.days}
        raise Invalid.field("/starts_at", detail, "out_of_range")


def _record(event: Event, actor: str, verb: str, now: dt.datetime, **details: str | int | bool | None) -> None:
    audit.record(
        actor=actor,
        verb=verb,
        subject=event.public_id,
        organisation=event.venue.organisation.public_id,
        now=now,
        venue=event.venue.public_id,
        **details,
    )
