"""The operator's page of scores, and its actions."""

import datetime as dt
from typing import Any

import pytest
from django.test import Client
from django.urls import reverse

from common.models import AuditEntry
from common.time import utc_now
from exports.models import LeftOutDay
from exports.release.left_out import open_days
from passes.models import AbuseThreshold, Exemption, Scan
from passes.services.scoring import DAYS_BACK
from tests.factories import EnrolledDevice, make_device, make_organisation, make_user, make_venue
from tests.passes.people import scan
from tests.plans import explained

pytestmark = pytest.mark.django_db
ABUSE = reverse("owner-page-abuse")


@pytest.fixture
def operator(client: Client) -> Client:
    client.force_login(make_user(username="olga", is_staff=True, now=utc_now()))
    return client


@pytest.fixture(autouse=True)
def _noon(time_machine: Any) -> None:
    """Keep scans of the last seconds in one day and one hour, at any time of a run."""
    time_machine.move_to(utc_now().replace(hour=12, minute=30))


@pytest.fixture
def door() -> EnrolledDevice:
    return make_device(venue=make_venue(now=utc_now()), now=utc_now())


def page_of(name: str, door: EnrolledDevice) -> str:
    return reverse(f"owner-page-abuse-{name}", args=[door.device.public_id])


def guess(door: EnrolledDevice, times: int, score: float | None) -> None:
    for number in range(times):
        scan(door, "GO1:HELLO", now=utc_now() - dt.timedelta(seconds=number))
    Scan.objects.update(abuse_score=score)


def test_only_operators_open_it(client: Client, door: EnrolledDevice) -> None:
    client.force_login(make_user(now=utc_now()))
    for address in (ABUSE, page_of("days", door), page_of("exemption", door)):
        assert client.get(address).status_code == 403
        assert client.post(address, {"value": "0.9"}).status_code == 403
    assert not AbuseThreshold.objects.exists()


def test_it_opens_while_nothing_was_scanned(operator: Client) -> None:
    shown = operator.get(ABUSE)
    assert shown.status_code == 200
    assert "Nothing was scanned" in shown.content.decode()


def test_it_says_what_is_not_computed_and_which_device_looks_odd(operator: Client, door: EnrolledDevice) -> None:
    guess(door, 10, None)
    shown = operator.get(ABUSE)
    assert (shown.context["not_computed"], shown.context["odd"]) == (10, [])
    assert sum(scans for _low, _high, scans in shown.context["bins"]) == 0
    Scan.objects.update(abuse_score=0.75)
    shown = operator.get(ABUSE)
    assert [scans for _low, _high, scans in shown.context["bins"]] == [0] * 7 + [10, 0, 0]
    assert [one.is_marked for one in shown.context["chart"].bars] == [False] * 5 + [True] * 5
    text = shown.content.decode()
    assert "10 / 10" in text
    assert page_of("days", door) in text


@pytest.mark.parametrize("value", ["0.05", "1.1", "nan", "", "many"])
def test_an_invalid_threshold_is_refused(operator: Client, value: str) -> None:
    shown = operator.post(ABUSE, {"value": value})
    assert (shown.status_code, shown.context["form"].is_valid()) == (200, False)
    assert not AbuseThreshold.objects.exists()


def test_the_threshold_is_changed_and_logged(operator: Client) -> None:
    assert operator.post(ABUSE, {"value": "0.8"}).status_code == 302
    assert AbuseThreshold.objects.get().value == 0.8
    entry = AuditEntry.objects.get(verb="abuse.threshold")
    assert entry.actor == "olga"
    assert operator.get(ABUSE).context["threshold"] == 0.8


def test_days_are_left_out_and_counted_again(operator: Client, door: EnrolledDevice) -> None:
    address, days = page_of("days", door), open_days(utc_now())
    assert operator.post(address, {"days": [days[0].isoformat(), days[2].isoformat()]}).status_code == 302
    assert set(LeftOutDay.objects.values_list("day", flat=True)) == {days[0], days[2]}
    assert operator.get(address).context["form"].initial["days"] == [days[2].isoformat(), days[0].isoformat()]
    closed = (days[2] - dt.timedelta(days=1)).isoformat()
    assert operator.post(address, {"days": [closed]}).status_code == 200
    assert LeftOutDay.objects.count() == 2
    assert operator.post(address, {}).status_code == 302
    assert not LeftOutDay.objects.exists()
    assert AuditEntry.objects.filter(verb="abuse.counted_again", actor="olga").count() == 2


def test_a_device_is_exempt_until_the_end_of_a_day_and_that_is_ended(operator: Client, door: EnrolledDevice) -> None:
    address, today = page_of("exemption", door), utc_now().date()
    for until in (today - dt.timedelta(days=1), today + dt.timedelta(days=91)):
        shown = operator.post(address, {"until": until.isoformat(), "reason": "turnstile"})
        assert shown.status_code == 200
        assert "90 days" in shown.content.decode()
    assert operator.post(address, {"until": today.isoformat(), "reason": "turnstile"}).status_code == 302
    assert Exemption.objects.get().until.date() == today + dt.timedelta(days=1)
    guess(door, 10, 1.0)
    shown = operator.get(ABUSE)
    assert shown.context["odd"] == []
    assert "turnstile" in shown.content.decode()
    assert operator.post(address, {}).status_code == 302
    assert not Exemption.objects.exists()
    assert len(operator.get(ABUSE).context["odd"]) == 1


def test_a_device_of_an_unverified_organisation_is_never_exempt(operator: Client) -> None:
    venue = make_venue(organisation=make_organisation(verified=False, now=utc_now()), now=utc_now())
    address = page_of("exemption", make_device(venue=venue, now=utc_now()))
    shown = operator.post(address, {"until": utc_now().date().isoformat(), "reason": "turnstile"})
    assert "verified organisation" in shown.content.decode()
    assert not Exemption.objects.exists()


def test_an_unknown_device_does_not_exist(operator: Client) -> None:
    assert operator.get("/owner/operator/abuse/k_aaaaaaaaaa/days").status_code == 404


@pytest.mark.parametrize("address", [ABUSE, reverse("owner-page-operator")])
def test_it_finds_the_scans_of_its_days_by_an_index(operator: Client, door: EnrolledDevice, address: str) -> None:
    """The table of scans holds those of all places for two weeks."""
    guess(door, 10, 1.0)
    LeftOutDay.objects.create(device=door.device, day=utc_now().date())
    with explained() as plans:
        assert operator.get(address).status_code == 200
    tables = ("passes_scan", "passes_visit", "passes_pass")
    read = [plan for plan in plans if any(f"on {table}" in plan for table in tables)]
    assert len(read) >= DAYS_BACK
    assert not [plan for plan in read for table in tables if f"Seq Scan on {table}" in plan]
