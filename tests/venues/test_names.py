"""Names of places, doors, devices, events and organisations are stored as they look."""

import importlib
from typing import Any

import pytest
from django.apps import apps
from django.db import connection

from common.web.problems import Invalid
from tests.factories import NOW, door_of, make_device, make_event, make_organisation, make_venue
from venues.models import Device, Door, Event, Organisation, Venue
from venues.selectors import find_venues
from venues.services.events import update_event
from venues.services.organisations import update_organisation
from venues.services.venues import add_door, update_door, update_venue

pytestmark = pytest.mark.django_db
TYPED = "\u202e The\u200b Cafe\u0301 \u2066\ufeff"
STORED = "The Café"
UNSEEN = "\u200b\u3164\u2060"


def make_all(name: str) -> dict[str, Any]:
    """Create one of everything that has a name."""
    venue = make_venue(name=name, organisation=make_organisation(name=name))
    door = add_door(venue=venue, name=name, actor="owner", now=NOW)
    device = make_device(door=door, name=name).device
    event = make_event(venue=venue, name=name)
    return {"organisation": venue.organisation, "venue": venue, "door": door, "device": device, "event": event}


def test_every_name_is_stored_in_one_form() -> None:
    for row in make_all(TYPED).values():
        row.refresh_from_db()
        assert row.name == STORED


@pytest.mark.parametrize("name", [UNSEEN, "", " \t"])
def test_an_invisible_name_is_refused(name: str) -> None:
    venue = make_venue()
    makers = (
        lambda: make_organisation(name=name),
        lambda: make_venue(name=name),
        lambda: add_door(venue=venue, name=name, actor="owner", now=NOW),
        lambda: make_event(venue=venue, name=name),
        lambda: make_device(venue=venue, name=name),
    )
    for make in makers:
        with pytest.raises(Invalid) as refused:
            make()
        assert [error.pointer for error in refused.value.errors] == ["/name"]


def test_a_changed_name_is_stored_likewise() -> None:
    made = make_all("Other")
    update_organisation(organisation=made["organisation"], actor="owner", now=NOW, name=TYPED)
    update_venue(venue=made["venue"], changes={"name": TYPED}, actor="owner", now=NOW)
    update_door(door=made["door"], actor="owner", now=NOW, name=TYPED)
    update_event(event=made["event"], actor="owner", now=NOW, name=TYPED)
    for kind in ("organisation", "venue", "door", "event"):
        made[kind].refresh_from_db()
        assert made[kind].name == STORED


def test_the_same_name_typed_otherwise_keeps_an_organisation_verified() -> None:
    organisation = make_organisation(name=STORED)
    assert update_organisation(organisation=organisation, actor="owner", now=NOW, name=TYPED).verified


def test_the_migration_cleans_what_was_stored_before() -> None:
    door_of(make_all("Other")["venue"])
    for model in (Organisation, Venue, Door, Device, Event):
        model.objects.update(name=TYPED)
    Venue.objects.update(words="")
    unseen = make_venue(name="Gone")
    Venue.objects.filter(pk=unseen.pk).update(name=UNSEEN)
    migration = importlib.import_module("venues.migrations.0006_names_as_they_look")
    migration.clean_stored(apps, connection.schema_editor())
    for model in (Organisation, Door, Device, Event):
        assert set(model.objects.values_list("name", flat=True)) <= {STORED, "Corner Ltd", "Entrance"}
    assert sorted(Venue.objects.values_list("name", flat=True)) == ["?", STORED]
    assert [found.venue.name for found in find_venues(q="cafe")] == [STORED]
