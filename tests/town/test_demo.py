"""The demonstration is created once, stays as its owner leaves it, and describes itself to other programs."""

import datetime as dt
import io
import json
import urllib.request
from collections.abc import Iterable, Iterator
from contextlib import closing
from itertools import cycle
from typing import Any
from unittest.mock import patch

import pytest
from cryptography.hazmat.primitives.asymmetric.rsa import RSAPrivateKey
from django.contrib.auth.models import User
from django.core.management import call_command
from django.core.management.base import CommandError
from django.db import transaction
from django.test import Client, override_settings
from playwright.sync_api import Playwright, expect

from crowdtrace.site.owner.statistics import guarantee
from crowdtrace.town import demonstration, past, simulation
from crowdtrace.town.example_key import SECRET
from embedded.home import CHECKOUT
from embedded.processes import wait_until
from exports.models import StatisticsDraw
from exports.statistics.draws import draw_waiting
from passes.clock import calendar
from passes.codec.identity import derive_keys, derive_pass, derive_seed
from passes.limits import PASSES_PER_EPOCH
from passes.models import Pass, Scan, Visit
from risk.scouting.cards import cards_of
from risk.shield.answer import shield_of
from tests.browser.conftest import launch
from tests.factories import NOW
from tests.live import Copy
from venues.kinds import VenueKind
from venues.models import Event, Organisation, Venue
from venues.requirements import RequirementValues
from venues.services.accounts import check_log_in
from venues.services.devices import enrol_device
from venues.services.organisations import create_organisation
from venues.services.venues import VenueFacts, close_venue, create_venue, update_venue

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


@pytest.fixture(scope="class")
def first_start(django_db_setup: None, django_db_blocker: Any, rsa_keys: tuple[RSAPrivateKey, ...]) -> Iterator[None]:
    """Simulate the town of a first start once; each test of a class is rolled back to it."""
    turns = cycle(rsa_keys)
    with django_db_blocker.unblock(), transaction.atomic():
        demonstration.ensure_demonstration(now=NOW)
        with patch("passes.codec.blind.new_key", lambda: next(turns)):
            simulation.simulate_demonstration_town(now=NOW)
        yield
        transaction.set_rollback(True)


@pytest.mark.usefixtures("first_start")
class TestTheFirstStart:
    def test_it_simulates_a_town_that_ends_today(self) -> None:
        assert Pass.objects.count() > 500
        assert Visit.objects.filter(arrived_at__gt=NOW).count() == 0
        assert Scan.objects.filter(scanned_at__gt=NOW).count() == 0
        assert Visit.objects.filter(epoch=NOW.date()).exists()
        assert Visit.objects.earliest("epoch").epoch == NOW.date() - dt.timedelta(days=13)
        assert not Organisation.objects.exclude(simulated_until=None).exists()
        assert not simulation.holds_more_than_the_demonstration()
        demo = Organisation.objects.get(name=demonstration.ORGANISATION)
        assert not Visit.objects.filter(venue__organisation=demo).exists()

    def test_it_has_somebody_whose_shield_is_lowered_and_places_with_a_past(self) -> None:
        shield = shield_of(owners=owners_of_example(), budget=0.01, now=NOW)
        assert len(shield.visits) > 5
        assert shield.spent > 0
        assert any(visit.shield_cost > 0 for visit in shield.visits)
        assert len(StatisticsDraw.objects.filter(period="week", budget=past.EPSILON)) >= 4
        town = Venue.objects.all()
        for venue, card in zip(town, shown_cards(town), strict=True):
            assert card["ratings"]["count"], venue.name
            assert card["counted"], venue.name
            assert card["opening_hours"], venue.name
        own = shown_cards(town.filter(organisation__name=demonstration.ORGANISATION))
        assert all(any(band != "empty" for day in card["occupancy"]["usual"] for band in day) for card in own)
        assert (
            sum(
                any(band != "empty" for day in card["occupancy"]["usual"] for band in day) for card in shown_cards(town)
            )
            > 12
        )
        always = [card for card in shown_cards(town) if card["open"] and card["changes_at"] is None]
        assert len(always) >= 5
        assert "ε = 20 a day" in guarantee()
        day = StatisticsDraw.objects.filter(period="day").latest("first_day")
        assert day.first_day == NOW.date() - dt.timedelta(days=3)


@pytest.mark.long
def test_days_after_the_first_start_are_drawn_at_the_budget_of_real_people() -> None:
    demonstration.ensure_demonstration(now=NOW)
    simulation.simulate_demonstration_town(now=NOW)
    draw_waiting(now=NOW + dt.timedelta(days=1))
    assert StatisticsDraw.objects.filter(period="day", budget=0.5).count() == 1


def test_there_is_an_event_tonight_and_only_one() -> None:
    demonstration.ensure_demonstration(now=NOW)
    demonstration.ensure_event(now=NOW)
    assert demonstration.event_tonight(now=NOW) is None  # no theatre of the town yet
    mine = Organisation.objects.get(name=demonstration.ORGANISATION)
    town = create_organisation(owner=User.objects.get(), name="Simulated businesses", kind=mine.kind, now=NOW)
    create_venue(
        organisation=town,
        facts=VenueFacts(name="Ash Theatre", kind=VenueKind.THEATRE, zip="94110"),
        requirements=RequirementValues(capacity=100),
        actor="demo",
        now=NOW,
    )
    for _ in range(2):
        demonstration.ensure_event(now=NOW)
    [event] = Event.objects.all()
    assert event == demonstration.event_tonight(now=NOW)
    assert NOW < event.starts_at <= NOW + dt.timedelta(days=1)
    later = event.ends_at + dt.timedelta(hours=1)
    demonstration.ensure_event(now=later)
    assert Event.objects.count() == 2


def test_a_copy_that_is_ready_answers_both_published_queries_with_rows(copy: Copy) -> None:
    for name in ("daily_counts", "counts_by_state_and_risklevel"):
        sql = (CHECKOUT / "exports" / "queries" / f"{name}.sql").read_text()
        body = json.dumps({"sql": sql}).encode()
        asked = urllib.request.Request(
            f"http://127.0.0.1:{copy.port}/api/v1/queries", body, {"Content-Type": "application/json"}
        )
        with urllib.request.urlopen(asked, timeout=240) as answer:
            rows = json.load(answer)["rows"]
        assert len(rows) >= 15
    with urllib.request.urlopen(
        f"http://127.0.0.1:{copy.port}/api/v1/datasets/covid-19/releases/2020-10-15", timeout=60
    ) as answer:
        manifest = json.load(answer)["manifest"]
    assert manifest["simulated"] is True
    assert manifest["rows"] > 5000


def test_the_example_visitor_is_shown_in_a_browser_that_keeps_nothing_of_them(
    copy: Copy, playwright: Playwright
) -> None:
    with closing(launch(playwright)) as browser, closing(browser.new_page()) as page:
        page.goto(f"http://127.0.0.1:{copy.port}/shield/example")
        expect(page.locator('[data-state="shown"]')).to_be_visible(timeout=60_000)
        expect(page.locator("[data-visits] li").first).to_be_visible()
        expect(page.get_by_text("A simulated visitor.")).to_be_visible()
        assert page.locator("[data-part=rate]:visible").count() == 0
        page.click("[data-do=profile][data-value=relaxed]")
        names = page.evaluate("indexedDB.databases().then((all) => all.map(({ name }) => name))")
        assert "crowdtrace" not in names
        assert page.evaluate("localStorage.length + sessionStorage.length") == 0


def test_the_example_visitor_is_part_of_a_demonstration_alone() -> None:
    with override_settings(EMBEDDED=False):
        assert Client().get("/shield/example").status_code == 404
    assert Client().get("/shield/example").status_code == 200


def shown_cards(venues: Iterable[Venue]) -> list[dict[str, Any]]:
    return cards_of(venues=list(venues), profile="standard", now=NOW)


def owners_of_example() -> list[bytes]:
    keys = derive_keys(SECRET)
    days = [NOW.date() - dt.timedelta(days=back) for back in range(14)]
    seeds = [(calendar().epoch_of(day).start, derive_seed(keys.passes, calendar().epoch_of(day).start)) for day in days]
    return [derive_pass(seed, start, at).owner for start, seed in seeds for at in range(PASSES_PER_EPOCH)]


def test_it_is_refused_outside_of_the_embedded_mode() -> None:
    with override_settings(EMBEDDED=False), pytest.raises(CommandError, match="embedded mode"):
        call_command("demo")


def test_a_copy_that_runs_publishes_its_simulated_past_by_itself(copy: Copy) -> None:
    """The worker does it after the start: a visitor of the open data page finds days there a little later."""
    address = f"http://127.0.0.1:{copy.port}/api/v1/datasets/covid-19"

    def coverage() -> dict[str, Any]:
        with urllib.request.urlopen(address, timeout=60) as answer:
            found: dict[str, Any] = json.load(answer)
        return found

    wait_until(lambda: coverage()["coverage"]["days"] >= 3, seconds=120)
    found = coverage()
    assert found["coverage"]["days"] >= 3
    assert found["coverage"]["rows"] > 0
    assert found["title"].endswith("(demonstration)")
