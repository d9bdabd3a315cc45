"""The demonstration: an owner account, an organisation with two venues, and a small simulated town around them.

It exists only in the embedded mode, where copy and account belong to the person who runs the machine. Everything here
is idempotent.
"""

import datetime as dt
from typing import Final, TypedDict

from django.contrib.auth.models import User
from django.db import transaction
from django.utils.translation import gettext

from common.crypto import b64encode, derived_key
from venues.kinds import OrganisationKind, Role, VenueKind
from venues.models import Door, Event, Organisation, Venue
from venues.requirements import RequirementValues
from venues.services.accounts import DEMONSTRATION, sign_up
from venues.services.devices import make_enrolment_code
from venues.services.events import create_event
from venues.services.organisations import create_organisation, verify_organisation
from venues.services.venues import VenueFacts, add_door, create_venue

USERNAME: Final = DEMONSTRATION
ORGANISATION: Final = "CrowdTrace demonstration"
OPERATOR: Final = "demonstration"
"""The actor of the verification of the organisation in the audit log: this command."""
CAPACITY: Final = 500
EVENING_HOUR: Final = 20
EVENT_LASTS: Final = dt.timedelta(hours=3)
EVENT_SIZE: Final = 80
_PASSWORD_BYTES: Final = 15
_VENUES: Final = (
    VenueFacts(name="Harbor Hall", kind=VenueKind.THEATRE, zip="94110"),
    VenueFacts(name="Corner Bakery", kind=VenueKind.RESTAURANT, zip="10001"),
)


class DemoOwner(TypedDict):
    """Credentials of the demonstration's owner."""

    username: str
    password: str


class DemoVenue(TypedDict):
    """A venue, and a code that enrols one device at its first door."""

    id: str
    name: str
    zip: str
    enrolment_code: str


def owner_password() -> str:
    """Return the demonstration owner's password, derived from the master key: it is stored nowhere."""
    return b64encode(derived_key("demonstration owner")[:_PASSWORD_BYTES])


@transaction.atomic
def ensure_demonstration(*, now: dt.datetime) -> Organisation:
    """Create what is missing of account, organisation and venues; leave existing rows unchanged."""
    owner = _ensure_owner(now=now)
    organisation = find_demonstration()
    if organisation is None:
        organisation = create_organisation(owner=owner, name=ORGANISATION, kind=OrganisationKind.NON_PROFIT, now=now)
    verify_organisation(organisation=organisation, actor=OPERATOR, now=now)
    there = organisation.venues.filter(closed_at=None).count()
    for facts in _VENUES[there:]:
        create_venue(
            organisation=organisation,
            facts=facts,
            requirements=RequirementValues(capacity=CAPACITY),
            actor=owner.username,
            now=now,
        )
    return organisation


def find_demonstration() -> Organisation | None:
    """Return the demonstration organisation; `None` before the first start, or after it was closed."""
    mine = Organisation.objects.filter(
        name=ORGANISATION, closed_at=None, memberships__user__username=USERNAME, memberships__role=Role.OWNER
    )
    return mine.order_by("pk").first()


def ensure_event(*, now: dt.datetime) -> None:
    """Ensure that there is an event tonight, by this machine's clock, at a theatre of the town; keep existing ones."""
    theatre = Venue.objects.filter(
        organisation__memberships__user__username=USERNAME,
        organisation__memberships__role=Role.OWNER,
        kind=VenueKind.THEATRE,
        closed_at=None,
    ).exclude(organisation__name=ORGANISATION)
    venue = theatre.order_by("pk").first()
    local = now.astimezone()
    tonight = local.replace(hour=EVENING_HOUR, minute=0, second=0, microsecond=0)
    begins = max(tonight, local.replace(minute=0, second=0, microsecond=0) + dt.timedelta(hours=1))
    if venue is None or venue.events.filter(ends_at__gt=now).exists():
        return
    create_event(
        venue=venue,
        name=gettext("Open stage"),
        starts_at=begins,
        ends_at=begins + EVENT_LASTS,
        size=EVENT_SIZE,
        invitation_needed=False,
        actor=USERNAME,
        now=now,
    )


def event_tonight(*, now: dt.datetime) -> Event | None:
    """Return the next event of the demonstration that is open to everybody."""
    mine = Event.objects.select_related("venue").filter(
        venue__organisation__memberships__user__username=USERNAME,
        venue__closed_at=None,
        cancelled_at=None,
        invitation_needed=False,
        ends_at__gt=now,
    )
    return mine.order_by("starts_at", "pk").first()


def make_enrolment_codes(*, organisation: Organisation, now: dt.datetime) -> list[DemoVenue]:
    """Return the venues of the demonstration, each with a new code for its first open door."""
    venues = organisation.venues.filter(closed_at=None).order_by("pk")
    return [_with_code(venue, now=now) for venue in venues]


def _ensure_owner(*, now: dt.datetime) -> User:
    """Return the account, with the derived password restored if it was changed: the printed password must work."""
    password = owner_password()
    user = User.objects.filter(username=USERNAME).first()
    if user is None:
        return sign_up(username=USERNAME, password=password, now=now)
    if not user.check_password(password):
        user.set_password(password)
        user.save(update_fields=["password"])
    return user


def _with_code(venue: Venue, *, now: dt.datetime) -> DemoVenue:
    door = Door.objects.select_related("venue__organisation").filter(venue=venue, closed_at=None).order_by("pk").first()
    if door is None:
        door = add_door(venue=venue, name="Entrance", actor=USERNAME, now=now)
    code = make_enrolment_code(door=door, actor=USERNAME, now=now)
    return DemoVenue(id=venue.public_id, name=venue.name, zip=venue.zip, enrolment_code=code.code)
