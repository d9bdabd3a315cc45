"""Small factories that use the real services. The time is an argument; ids, codes and tokens are random."""

import datetime as dt
import itertools
from dataclasses import dataclass, replace
from typing import Any, Final

from django.contrib.auth.models import User

from venues.kinds import DeviceKind, OrganisationKind, Role, VenueKind
from venues.models import Device, Door, Event, Membership, Organisation, Venue
from venues.requirements import RequirementValues
from venues.services import accounts, mailed
from venues.services.accounts import sign_up
from venues.services.devices import enrol_device, make_enrolment_code
from venues.services.events import create_event
from venues.services.organisations import create_organisation, make_member_code, redeem_member_code, verify_organisation
from venues.services.venues import VenueFacts, create_venue

NOW: Final = dt.datetime(2026, 5, 13, 10, 0, tzinfo=dt.UTC)  # a Wednesday
HOUR: Final = dt.timedelta(hours=1)
PASSWORD: Final = "a long enough passphrase"
_numbers = itertools.count(1)


def make_user(*, username: str = "", email: str = "", now: dt.datetime = NOW, **fields: Any) -> User:
    """Create an account with `PASSWORD`."""
    user = sign_up(username=username or f"person{next(_numbers)}", password=PASSWORD, email=email, now=now)
    for name, value in fields.items():
        setattr(user, name, value)
    user.save()
    return user


def confirm_email(user: User, *, now: dt.datetime = NOW) -> None:
    """Confirm the e-mail address, as the link does."""
    accounts.confirm_email(token=mailed.token_for(user, mailed.CONFIRM), now=now)


def make_organisation(
    *,
    owner: User | None = None,
    name: str = "Corner Ltd",
    kind: str = OrganisationKind.COMMERCIAL,
    verified: bool = True,
    now: dt.datetime = NOW,
) -> Organisation:
    """Create an organisation, verified by default."""
    organisation = create_organisation(owner=owner or make_user(now=now), name=name, kind=kind, now=now)
    if verified:
        organisation = verify_organisation(organisation=organisation, actor="operator", now=now)
    return organisation


def join(organisation: Organisation, role: Role, *, user: User | None = None, now: dt.datetime = NOW) -> User:
    """Create a member with this role, who joined with a code."""
    member = user or make_user(now=now)
    code = make_member_code(organisation=organisation, role=role, actor="owner", now=now)
    redeem_member_code(user=member, code=code.code, now=now)
    return member


def owner_of(organisation: Organisation) -> User:
    """Return the first owner of an organisation."""
    return Membership.objects.filter(organisation=organisation, role=Role.OWNER).order_by("pk")[0].user


def make_venue(
    *,
    organisation: Organisation | None = None,
    name: str = "The Corner",
    kind: str = VenueKind.RESTAURANT,
    zip_code: str = "94110",
    requirements: RequirementValues | None = None,
    now: dt.datetime = NOW,
    **facts: Any,
) -> Venue:
    """Create an open venue, by default open around the clock, with its organisation and requirements loaded."""
    return create_venue(
        organisation=organisation or make_organisation(now=now),
        facts=replace(VenueFacts(name=name, kind=kind, zip=zip_code), **facts),
        requirements=requirements,
        actor="owner",
        now=now,
    )


def door_of(venue: Venue) -> Door:
    """Return the first door of a venue."""
    return Door.objects.select_related("venue__organisation").filter(venue=venue).order_by("pk")[0]


@dataclass(frozen=True)
class EnrolledDevice:
    """A device and the token that only it knows."""

    device: Device
    token: str

    @property
    def header(self) -> dict[str, str]:
        """Return headers for Django's test client: `client.post(..., headers=enrolled.header)`."""
        return {"Authorization": f"Device {self.token}"}


def make_device(
    *,
    venue: Venue | None = None,
    door: Door | None = None,
    kind: str = DeviceKind.GATE,
    name: str = "Kiosk",
    now: dt.datetime = NOW,
) -> EnrolledDevice:
    """Enrol a device with a code at a door, by default the first one of the venue."""
    place = door or door_of(venue or make_venue(now=now))
    code = make_enrolment_code(door=place, actor="owner", now=now)
    device, token = enrol_device(code=code.code, name=name, kind=kind, now=now)
    return EnrolledDevice(device, token)


def make_event(
    *,
    venue: Venue | None = None,
    name: str = "Supper",
    starts_at: dt.datetime = NOW + dt.timedelta(hours=8),
    ends_at: dt.datetime | None = None,
    size: int = 20,
    invitation_needed: bool = True,
    now: dt.datetime = NOW,
) -> Event:
    """Create an event, by default this evening and four hours long."""
    return create_event(
        venue=venue or make_venue(now=now),
        name=name,
        starts_at=starts_at,
        ends_at=ends_at or starts_at + dt.timedelta(hours=4),
        size=size,
        invitation_needed=invitation_needed,
        actor="owner",
        now=now,
    )
