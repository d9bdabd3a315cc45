"""Authentication of devices, and the record of when they were last seen."""

import datetime as dt
import logging
from typing import Any

import pytest
import time_machine
from django.core.cache import cache
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext

from common.time import utc_now
from tests.factories import EnrolledDevice, make_device, make_user
from venues import presence, tasks
from venues.kinds import DeviceKind
from venues.models import Device
from venues.services.devices import quarter, revoke_device

pytestmark = [pytest.mark.django_db, pytest.mark.urls("tests.venues.views")]


@pytest.fixture(autouse=True)
def fresh_cache() -> None:
    """Clear the record of who was seen."""
    cache.clear()
    presence._asked.clear()
    presence.outage.clear()


def ask(enrolled: EnrolledDevice, method: str = "POST", name: str = "scans") -> Any:
    return Client().generic(method, f"/{name}", headers=enrolled.header)


def enrolled_now(kind: str = DeviceKind.GATE) -> EnrolledDevice:
    return make_device(kind=kind, now=utc_now())


def test_a_device_is_not_a_user() -> None:
    enrolled = enrolled_now()
    answer = ask(enrolled).json()
    assert answer == {
        "device": enrolled.device.public_id,
        "venue": enrolled.device.door.venue.public_id,
        "user": None,
    }


@pytest.mark.parametrize("kind", list(DeviceKind))
@pytest.mark.parametrize("method", ["GET", "POST"])
@pytest.mark.parametrize("name", ["device-bundle", "scans", "scans-batch", "air", "more"])
def test_a_token_opens_its_list_and_nothing_else(kind: DeviceKind, method: str, name: str) -> None:
    listed = {("GET", "device-bundle"), ("POST", "scans"), ("POST", "scans-batch")}
    listed |= {("POST", "air")} if kind == DeviceKind.GATE else set()
    expected = 200 if (method, name) in listed else 403
    assert ask(enrolled_now(kind), method, name).status_code == expected


@pytest.mark.parametrize(
    "header",
    ["", "Device", "Device ", "Device x", "Device x y", "device \u00e9", "Bearer x", "Owner x", "Device " + "x" * 600],
)
def test_anything_but_a_token_is_asked_for_one(header: str) -> None:
    response = Client().post("/scans", headers={"Authorization": header} if header else {})
    assert response.status_code == 401
    assert response["WWW-Authenticate"].startswith("Device")


def test_a_session_of_a_person_is_not_a_device() -> None:
    client = Client()
    client.force_login(make_user())
    assert client.post("/scans").status_code == 401


def test_a_revoked_device_is_refused_with_its_next_request() -> None:
    enrolled = enrolled_now()
    assert ask(enrolled).status_code == 200
    revoke_device(device=enrolled.device, actor="owner", now=utc_now())
    assert ask(enrolled).status_code == 401


def test_a_request_takes_one_statement() -> None:
    enrolled = enrolled_now()
    with CaptureQueriesContext(connection) as statements:
        ask(enrolled)
    assert len(statements) == 1


def test_a_device_is_limited_by_itself(settings: Any) -> None:
    settings.THROTTLES = settings.THROTTLES | {"device": "2/minute"}
    one, other = enrolled_now(), enrolled_now()
    assert [ask(one).status_code for _time in range(3)] == [200, 200, 429]
    assert ask(other).status_code == 200


class TestLastSeen:
    def not_seen_for_an_hour(self) -> EnrolledDevice:
        enrolled = enrolled_now()
        Device.objects.update(last_seen=quarter(utc_now() - dt.timedelta(hours=1)))
        return enrolled

    @pytest.mark.usefixtures("tasks_at_once")
    def test_it_is_written_by_the_worker_to_the_quarter_of_an_hour(self) -> None:
        enrolled = self.not_seen_for_an_hour()
        before = utc_now()
        ask(enrolled)
        enrolled.device.refresh_from_db()
        assert enrolled.device.last_seen in {quarter(before), quarter(utc_now())}

    def test_the_request_itself_writes_nothing_and_hands_it_over_once(self, monkeypatch: pytest.MonkeyPatch) -> None:
        enrolled = self.not_seen_for_an_hour()
        handed: list[Any] = []
        monkeypatch.setattr(tasks.mark_seen, "apply_async", lambda *args, **_more: handed.append(args))
        with time_machine.travel(utc_now(), tick=False), CaptureQueriesContext(connection) as statements:
            for _time in range(5):
                ask(enrolled)
        assert len(statements) == 5
        assert len(handed) == 1

    def test_a_broker_that_is_away_does_not_hold_up_the_door(
        self, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
    ) -> None:
        enrolled = self.not_seen_for_an_hour()

        def away(*_args: object, **_more: object) -> None:
            raise ConnectionError("no broker")

        monkeypatch.setattr(tasks.mark_seen, "apply_async", away)
        with caplog.at_level(logging.WARNING, presence.__name__):
            assert ask(enrolled).status_code == 200
        assert "last seen" in caplog.text
        assert enrolled.token not in caplog.text

    def test_one_seen_in_this_quarter_asks_no_cache(self, monkeypatch: pytest.MonkeyPatch) -> None:
        enrolled = enrolled_now()
        moment = enrolled.device.enrolled_at
        asked: list[str] = []
        monkeypatch.setattr(cache, "add", lambda name, *_args, **_more: asked.append(name))
        presence.note(device_id=enrolled.device.pk, last_seen=enrolled.device.last_seen, now=moment)
        assert asked == []

    def test_a_process_asks_the_cache_once_a_quarter_though_no_worker_writes(
        self, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        enrolled = enrolled_now()
        asked: list[str] = []
        monkeypatch.setattr(cache, "add", lambda name, *_args, **_more: asked.append(name))
        start = quarter(utc_now()) + dt.timedelta(hours=1)
        for minutes in (0, 1, 14, 15, 16):
            moment = start + dt.timedelta(minutes=minutes)
            presence.note(device_id=enrolled.device.pk, last_seen=enrolled.device.last_seen, now=moment)
        assert len(asked) == 2
