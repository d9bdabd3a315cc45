"""Places with data, for tests of the owners' pages."""

import datetime as dt
from dataclasses import dataclass

from django.contrib.auth.models import User

from exports.models import StatisticsDraw, VenueFigures
from exports.policy.periods import Period
from tests.browser.actions import now
from tests.browser.cases import Scene
from tests.factories import make_device, make_event, make_organisation, make_user, make_venue
from tests.risk.crowds import stay
from venues.models import Event, Venue
from venues.services.events import make_invitation


@dataclass(frozen=True)
class House:
    """A place with everything, and its owner."""

    owner: User
    venue: Venue
    event: Event


def make_house(*, visitors: int = 0, staff: bool = False) -> House:
    """Make a place with a device, an event, and `visitors` people inside."""
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
        make_past(venue, present)
    return House(owner, venue, event)


def make_past(venue: Venue, present: dt.datetime, *, weeks: int = 13) -> None:
    """Store draws of closed days and weeks: a busy evening every day, busier towards the weekend, and ratings."""
    last = present.date() - dt.timedelta(days=4)
    for back in range(7 * weeks):
        day = last - dt.timedelta(days=back)
        many = 180 + 30 * day.weekday() + 4 * (back % 5)
        evening = [many * max(0, 5 - abs(hour - 19)) // 25 for hour in range(28)]
        _keep(venue, Period.DAY, day, present, outcome=[many, back % 3, back % 4], hour=evening)
    monday = last - dt.timedelta(days=last.weekday())
    for back in range(weeks):
        scores = {"masks": [0, 100, 300, 200, 50], "distancing": [50, 200, 300, 100, 0]}
        _keep(venue, Period.WEEK, monday - dt.timedelta(weeks=back), present, **scores)


def _keep(venue: Venue, period: Period, first: dt.date, at: dt.datetime, **noisy: list[int]) -> None:
    draw, _ = StatisticsDraw.objects.get_or_create(
        period=period, first_day=first, defaults={"budget": 0.5, "kept_at": at, "scales": dict.fromkeys(noisy, 14.0)}
    )
    VenueFigures.objects.create(draw=draw, venue=venue, noisy=noisy)


def opened(scene: Scene, *, visitors: int = 0, staff: bool = False) -> House:
    """Make a house and log its owner in to the browser."""
    house = make_house(visitors=visitors, staff=staff)
    scene.sign_in(house.owner)
    return house
