"""The demonstration is created once, stays as its owner leaves it, and tells other programs how to use it."""

import datetime as dt
import io
import json
import urllib.request
from typing import Any

import pytest
from django.contrib.auth.models import User
from django.core.management import call_command
from django.core.management.base import CommandError
from django.test import override_settings

from crowdtrace.town import demonstration, simulation
from embedded.processes import wait_until
from passes.models import Pass, Scan, Visit
from tests.factories import NOW
from tests.live import Copy
from venues.models import Organisation, Venue
from venues.requirements import RequirementValues
from venues.services.accounts import check_log_in
from venues.services.devices import enrol_device
from venues.services.venues import close_venue, update_venue

pytestmark = pytest.mark.django_db


def told(*options: str) -> dict[str, Any]:
    out = io.StringIO()
    call_command("demo", "--json", *options, stdout=out)
    answer: dict[str, Any] = json.loads(out.getvalue())
    return answer


def test_it_tells_address_owner_and_venues_with_fresh_codes() -> None:
    first, second = told(), told()
    assert set(first) == {"url", "owner", "venues"}
    assert set(first["owner"]) == {"username", "password"}
    assert len(first["venues"]) >= 2
    for one, other in zip(first["venues"], second["venues"], strict=True):
        assert set(one) == {"id", "name", "zip", "enrolment_code"}
        assert one["id"] == other["id"]
        assert one["enrolment_code"] != other["enrolment_code"]
        device, _token = enrol_device(
            code=one["enrolment_code"], name="Kiosk", kind="Gate", now=dt.datetime.now(dt.UTC)
        )
        assert device.door.venue.public_id == one["id"]


def test_its_venues_ask_what_is_promised() -> None:
    organisation = demonstration.ensure_demonstration(now=NOW)
    assert Organisation.objects.get(pk=organisation.pk).verified_at is not None
    for venue in Venue.objects.filter(organisation=organisation):
        assert RequirementValues.of(venue.requirements) == RequirementValues(capacity=500)
        assert not venue.events.exists()


def test_its_owner_can_log_in_and_the_password_is_kept_nowhere() -> None:
    owner = told()["owner"]
    user = check_log_in(username=owner["username"], password=owner["password"], now=NOW)
    assert owner["password"] not in user.password
    user.set_password("something quite different")
    user.save()
    check_log_in(**told()["owner"], now=NOW)


def test_making_it_again_changes_nothing() -> None:
    demonstration.ensure_demonstration(now=NOW)
    venue = Venue.objects.order_by("pk")[0]
    update_venue(venue=venue, changes={"name": "My hall"}, actor="demo", now=NOW)
    demonstration.ensure_demonstration(now=NOW)
    assert Venue.objects.count() == 2
    assert Venue.objects.get(pk=venue.pk).name == "My hall"
    assert User.objects.count() == 1


def test_a_venue_that_was_closed_is_replaced() -> None:
    organisation = demonstration.ensure_demonstration(now=NOW)
    close_venue(venue=Venue.objects.order_by("pk")[0], actor="demo", now=NOW)
    demonstration.ensure_demonstration(now=NOW)
    assert organisation.venues.filter(closed_at=None).count() == 2


def test_the_first_start_simulates_a_town_that_ends_today() -> None:
    demonstration.ensure_demonstration(now=NOW)
    simulation.simulate_demonstration_town(now=NOW)
    assert Pass.objects.count() > 500
    assert Visit.objects.filter(arrived_at__gt=NOW).count() == 0
    assert Scan.objects.filter(scanned_at__gt=NOW).count() == 0
    assert Visit.objects.filter(epoch=NOW.date()).exists()
    assert Visit.objects.earliest("epoch").epoch == NOW.date() - dt.timedelta(days=13)
    assert not Organisation.objects.exclude(simulated_until=None).exists()
    assert not simulation.holds_more_than_the_demonstration()
    demo = Organisation.objects.get(name=demonstration.ORGANISATION)
    assert not Visit.objects.filter(venue__organisation=demo).exists()


def test_it_is_refused_outside_of_the_embedded_mode() -> None:
    with override_settings(EMBEDDED=False), pytest.raises(CommandError, match="embedded mode"):
        call_command("demo")


def test_a_copy_that_runs_publishes_its_simulated_past_by_itself(copy: Copy) -> None:
    """The worker does it after the start: a visitor of the open data page finds days there a little later."""
    address = f"http://127.0.0.1:{copy.port}/api/v1/datasets/covid-19"

    def coverage() -> dict[str, Any]:
        with urllib.request.urlopen(address, timeout=10) as answer:
            found: dict[str, Any] = json.load(answer)
        return found

    wait_until(lambda: coverage()["coverage"]["days"] >= 3, seconds=120)
    found = coverage()
    assert found["coverage"]["days"] >= 3
    assert found["coverage"]["rows"] > 0
    assert found["title"].endswith("(demonstration)")
