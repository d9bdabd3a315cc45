"""Subscriptions to the alert that a place is filling up, by the API and on the page."""

import pytest
from django.contrib.auth.models import User
from django.test import Client

from common.models import AuditEntry
from tests.factories import confirm_email
from tests.venues.conftest import World, call
from venues.models import AlertMail, Membership
from venues.services.alerts import set_alert_mail
from venues.services.export import export_organisation

pytestmark = pytest.mark.django_db


@pytest.fixture
def viewer(world: World) -> User:
    user = world.people["viewer"]
    user.email = "vera@example.org"
    user.save()
    return user


def browser(user: User) -> Client:
    client = Client()
    client.force_login(user)
    return client


def test_a_member_asks_twice_and_ends_it_twice(world: World, viewer: User) -> None:
    client, address = browser(viewer), f"/api/v1/owner/venues/{world.venue.public_id}/alert"
    assert client.get(address).json() == {"percent": 90, "mail": False, "email_confirmed": False}
    for wanted in (True, True, False, False):
        assert call(client, "PUT", address, {"mail": wanted}).json()["mail"] is wanted
        assert client.get(address).json()["mail"] is wanted
    assert [entry.verb for entry in AuditEntry.objects.filter(verb__startswith="alert").order_by("at")] == [
        "alert.asked",
        "alert.ended",
    ]


def test_without_an_address_there_is_nowhere_to_mail(world: World) -> None:
    client, address = browser(world.people["owner"]), f"/api/v1/owner/venues/{world.venue.public_id}/alert"
    refused = call(client, "PUT", address, {"mail": True})
    assert (refused.status_code, refused.json()["errors"][0]["code"]) == (409, "no_email")
    assert call(client, "PUT", address, {"mail": False}).status_code == 200
    page = client.post(f"/owner/venues/{world.venue.public_id}/alert", {"percent": "70", "mail": "on"})
    assert "Your account has no e-mail address. Add one first." in page.content.decode()
    world.venue.refresh_from_db()
    assert (world.venue.alert_percent, AlertMail.objects.count()) == (90, 0)


def test_the_page_sets_the_share_for_all_and_the_mail_for_oneself(world: World) -> None:
    manager = world.people["manager"]
    manager.email = "m@example.org"
    manager.save()
    confirm_email(manager)
    address = f"/owner/venues/{world.venue.public_id}/alert"
    assert browser(manager).post(address, {"percent": "70", "mail": "on"}).status_code == 302
    world.venue.refresh_from_db()
    assert world.venue.alert_percent == 70
    assert AlertMail.objects.get().membership == Membership.objects.get(user=manager)
    shown = browser(manager).get(f"/owner/venues/{world.venue.public_id}").content.decode()
    assert "This page warns you at 70 % of the limit. You will get an e-mail." in shown
    assert (
        "You will not get an e-mail."
        in browser(world.people["owner"]).get(f"/owner/venues/{world.venue.public_id}").content.decode()
    )


def test_a_viewer_sets_the_own_mail_and_no_share(world: World, viewer: User) -> None:
    address = f"/owner/venues/{world.venue.public_id}/alert"
    assert 'name="percent"' not in browser(viewer).get(address).content.decode()
    assert browser(viewer).post(address, {"percent": "1", "mail": "on"}).status_code == 302
    world.venue.refresh_from_db()
    assert (world.venue.alert_percent, AlertMail.objects.count()) == (90, 1)


def test_the_export_lists_who_wants_alert_mails(world: World, viewer: User) -> None:
    set_alert_mail(venue=world.venue, user=viewer, wanted=True, origin="https://x", now=world.venue.created_at)
    data = export_organisation(organisation=world.organisation, actor="owner", now=world.venue.created_at)
    assert data["venues"][0]["alert_mails"] == [viewer.username]


def test_the_page_of_another_team_is_unknown(world: World) -> None:
    other = browser(world.people["other"])
    assert other.get(f"/owner/venues/{world.venue.public_id}/alert").status_code == 404
