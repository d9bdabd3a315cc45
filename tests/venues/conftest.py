"""Shared by the tests of this app."""

import json
import threading
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Any

import pytest
from django.contrib.auth.models import User
from django.db import connection, transaction
from django.test import Client

from common import valkey
from common.time import utc_now
from common.web import throttles
from crowdtrace.celery import app
from tests import factories
from tests.factories import EnrolledDevice
from venues.kinds import Role
from venues.models import Door, Event, Invitation, Membership, Organisation, OwnerToken, PresenceCount, Venue
from venues.services.accounts import make_owner_token
from venues.services.events import make_invitation
from venues.services.presence_counts import add_presence_count

Race = Callable[[Callable[[], Any], int], list[Any]]


@pytest.fixture(autouse=True)
def fresh_limits() -> None:
    """Clear the counts of earlier tests."""
    client = valkey.limits()
    for name in client.scan_iter(f"{throttles.PREFIX}*"):
        client.delete(name)


@pytest.fixture
def tasks_at_once() -> Iterator[None]:
    """Run tasks immediately, without a worker."""
    app.conf.task_always_eager = True
    yield
    app.conf.task_always_eager = False


@dataclass(frozen=True)
class World:
    """One organisation with everything, and people around it."""

    organisation: Organisation
    venue: Venue
    door: Door
    device: EnrolledDevice
    event: Event
    invitation: Invitation
    member: Membership
    people: dict[str, User]
    token: OwnerToken
    token_text: str
    count: PresenceCount

    @property
    def ids(self) -> dict[str, str]:
        """Return public ids by the words used in URLs."""
        return {
            "organisation": self.organisation.public_id,
            "venue": self.venue.public_id,
            "door": self.door.public_id,
            "device": self.device.device.public_id,
            "event": self.event.public_id,
            "invitation": self.invitation.public_id,
            "member": self.member.public_id,
            "token": self.token.public_id,
            "count": self.count.public_id,
        }


def build_world() -> World:
    """Create two organisations, the first of them with one of everything; none of its times is in the past."""
    now = utc_now()
    owner, other = factories.make_user(now=now), factories.make_user(now=now)
    organisation = factories.make_organisation(owner=owner, now=now)
    factories.make_organisation(owner=other, now=now)
    people = {
        "owner": owner,
        "manager": factories.join(organisation, Role.MANAGER, now=now),
        "viewer": factories.join(organisation, Role.VIEWER, now=now),
        "other": other,
        "operator": factories.make_user(is_staff=True, is_superuser=True, now=now),
    }
    venue = factories.make_venue(organisation=organisation, now=now)
    door = factories.door_of(venue)
    event = factories.make_event(venue=venue, starts_at=now + factories.HOUR, now=now)
    token, text = make_owner_token(user=owner, name="till", days=30, now=now)
    return World(
        organisation=organisation,
        venue=venue,
        door=door,
        device=factories.make_device(door=door, now=now),
        event=event,
        invitation=make_invitation(event=event, actor="owner", now=now),
        member=Membership.objects.get(user=people["viewer"]),
        people=people,
        token=token,
        token_text=text,
        count=add_presence_count(venue=venue, people=30, counted_at=now - factories.HOUR, actor="owner", now=now),
    )


@pytest.fixture
def world(db: None) -> World:
    """Create a world with `build_world`."""
    return build_world()


@pytest.fixture(scope="module")
def shared_world(django_db_setup: None, django_db_blocker: Any) -> Iterator[World]:
    """Create one world for a file of many short tests, each of which is rolled back to it; none may really commit."""
    with django_db_blocker.unblock(), transaction.atomic():
        yield build_world()
        transaction.set_rollback(True)


@pytest.fixture
def as_(world: World) -> Callable[[str], Client]:
    """Return a function that logs a client in as one of `world.people`."""

    def client_of(who: str) -> Client:
        client = Client()
        client.force_login(world.people[who])
        return client

    return client_of


def call(client: Client, method: str, address: str, body: Any = None, **headers: str) -> Any:
    """Send one request with a JSON body; underscores in names of headers stand for hyphens."""
    named = {name.replace("_", "-"): value for name, value in headers.items()}
    text = "" if body is None else json.dumps(body)
    return client.generic(method, address, text, content_type="application/json", headers=named)


@pytest.fixture
def race() -> Race:
    """Call something several times concurrently, each on a separate connection; return results and exceptions."""

    def run(one_call: Callable[[], Any], times: int = 2) -> list[Any]:
        start = threading.Barrier(times)
        results: list[Any] = [None] * times

        def one(index: int) -> None:
            start.wait()
            try:
                results[index] = one_call()
            except Exception as error:  # the test looks at it
                results[index] = error
            finally:
                connection.close()

        threads = [threading.Thread(target=one, args=(index,)) for index in range(times)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        return results

    return run
