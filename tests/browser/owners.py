"""Places with something to see, for tests of the owners' pages."""

import datetime as dt
from dataclasses import dataclass

import numpy as np
from django.contrib.auth.models import User

from passes.models import RatingTotal
from risk.models import VenueCard
from tests import factories
from tests.browser.actions import now
from tests.browser.cases import Scene
from tests.factories import make_device, make_event, make_organisation, make_user, make_venue
from tests.risk.crowds import stay
from venues.models import Event, Venue
from venues.services.events import make_invitation


@dataclass(frozen=True)
class House:
    """One place with everything, and who runs it."""

    owner: User
    venue: Venue
    event: Event


def make_house(*, visitors: int = 0, staff: bool = False) -> House:
    """A place with a device, an event and so many people inside."""
    present = now()
    owner = make_user(now=present, is_staff=staff, is_superuser=staff)
    organisation = make_organisation(owner=owner, now=present)
    venue = make_venue(organisation=organisation, now=present)
    make_device(venue=venue, now=present)
    event = make_event(venue=venue, starts_at=present + dt.timedelta(hours=2), now=present)
    make_invitation(event=event, actor=owner.username, now=present)
    for _ in range(visitors):
        stay(venue, present - dt.timedelta(minutes=20), open_end=True)
    if visitors:
        RatingTotal.objects.create(venue=venue, count=8, masks=30, distancing=25)
        usual = np.array([max(0, 30 - 4 * abs(hour % 24 - 19)) for hour in range(168)], "<f4")
        VenueCard.objects.update_or_create(
            venue=venue,
            defaults={"basis": b"", "curve": b"", "kind": venue.kind, "usual": usual.tobytes(), "usual_at": present},
        )
    return House(owner, venue, event)


def opened(scene: Scene, *, visitors: int = 0, staff: bool = False) -> House:
    """A house whose owner is logged in in the browser."""
    house = make_house(visitors=visitors, staff=staff)
    scene.sign_in(house.owner)
    return house


def door_id(house: House) -> str:
    """The public id of its first door."""
    return factories.door_of(house.venue).public_id
