"""Enrolment, tokens, revocation, and what a device's look-up returns."""

import datetime as dt
from collections.abc import Callable
from typing import Any

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext

from common.models import AuditEntry
from common.web.problems import Conflict, Gone, Invalid
from tests.factories import NOW, door_of, make_device, make_event, make_organisation, make_venue
from venues.hours import Interval
from venues.models import Device, EnrolmentCode
from venues.requirements import RequirementValues
from venues.selectors import device_context
from venues.services import devices
from venues.services.devices import enrol_device, make_enrolment_code, mark_seen, revoke_device
from venues.services.events import cancel_event
from venues.services.organisations import close_organisation
from venues.services.venues import close_door, close_venue, set_requirements

pytestmark = pytest.mark.django_db
MINUTE = dt.timedelta(minutes=1)


def enrol(code: str, now: dt.datetime = NOW) -> tuple[Device, str]:
    return enrol_device(code=code, name="Kiosk", kind="Gate", now=now)


def refused(code: str, now: dt.datetime = NOW) -> dict[str, Any]:
    with pytest.raises(Invalid) as caught:
        enrol(code, now)
    return caught.value.body()


def new_code(now: dt.datetime = NOW) -> str:
    return make_enrolment_code(door=door_of(make_venue()), actor="owner", now=now).code


def test_a_code_makes_one_device_with_a_token_that_is_kept_as_a_hash() -> None:
    device, token = enrol(new_code())
    context = device_context(token, NOW)
    assert context is not None
    assert context.public_id == device.public_id
    assert token.encode() not in bytes(Device.objects.get().token_hash)
    assert len(bytes(Device.objects.get().token_hash)) == 32


def test_a_code_may_be_typed_with_spaces_hyphens_and_capitals() -> None:
    code = new_code()
    device, _token = enrol(f" {code[:4]}-{code[4:8]} {code[8:]}".upper())
    assert Device.objects.get() == device


def test_unknown_used_late_and_closed_codes_look_alike() -> None:
    used = new_code()
    enrol(used)
    closed = make_enrolment_code(door=door_of(make_venue()), actor="owner", now=NOW)
    for door in {code.door for code in EnrolmentCode.objects.filter(used_at=None).select_related("door__venue")}:
        close_door(door=door, actor="owner", now=NOW)
    late = new_code()
    answers = [
        refused("0" * 12),
        refused(used),
        refused(closed.code),
        refused(late, NOW + 10 * MINUTE),
    ]
    assert all(answer == answers[0] for answer in answers)
    assert answers[0]["errors"][0]["pointer"] == "/code"


def test_a_code_lives_ten_minutes() -> None:
    in_time, late = new_code(), new_code()
    device, _token = enrol(in_time, NOW + 10 * MINUTE - dt.timedelta(seconds=1))
    assert Device.objects.get() == device
    refused(late, NOW + 10 * MINUTE)


def test_a_code_with_a_bad_name_is_not_spent() -> None:
    code = new_code()
    with pytest.raises(Invalid):
        enrol_device(code=code, name="", kind="Gate", now=NOW)
    enrol(code)


@pytest.mark.django_db(transaction=True)
def test_one_of_two_concurrent_enrolments_gets_the_device(race: "Callable[..., list[Any]]") -> None:
    code = new_code()
    results = race(lambda: enrol(code), 4)
    assert sum(isinstance(one, tuple) for one in results) == 1
    assert sum(isinstance(one, Invalid) for one in results) == 3
    assert Device.objects.count() == 1


def test_revocation_works_with_the_next_request() -> None:
    enrolled = make_device()
    revoke_device(device=enrolled.device, actor="owner", now=NOW)
    assert device_context(enrolled.token, NOW) is None


def test_revoking_twice_is_one_action() -> None:
    enrolled = make_device()
    for _time in range(2):
        revoke_device(device=enrolled.device, actor="owner", now=NOW)
    assert AuditEntry.objects.filter(verb="device.revoked").count() == 1


@pytest.mark.parametrize("what", ["door", "venue", "organisation"])
def test_closing_the_place_of_a_device_ends_its_token(what: str) -> None:
    enrolled = make_device()
    door = enrolled.device.door
    if what == "door":
        close_door(door=door, actor="owner", now=NOW)
    elif what == "venue":
        close_venue(venue=door.venue, actor="owner", now=NOW)
    else:
        close_organisation(organisation=door.venue.organisation, actor="owner", now=NOW)
    assert device_context(enrolled.token, NOW) is None
    enrolled.device.refresh_from_db()
    assert enrolled.device.revoked_at == NOW


def test_no_code_is_made_for_a_closed_door() -> None:
    door = door_of(make_venue())
    close_door(door=door, actor="owner", now=NOW)
    with pytest.raises(Gone):
        make_enrolment_code(door=door, actor="owner", now=NOW)


def test_a_door_has_a_bound_on_devices(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(devices, "MOST_DEVICES", 1)
    enrolled = make_device()
    with pytest.raises(Conflict):
        make_enrolment_code(door=enrolled.device.door, actor="owner", now=NOW)


def test_the_look_up_brings_everything_in_one_statement() -> None:
    asked = RequirementValues(capacity=40, enforced_limit_percent=50, max_temperature_f=100.4, min_o2=92)
    venue = make_venue(requirements=asked, time_zone="America/Los_Angeles", organisation=make_organisation())
    event = make_event(venue=venue)
    cancel_event(event=make_event(venue=venue, name="Off"), actor="owner", now=NOW)
    enrolled = make_device(venue=venue)
    with CaptureQueriesContext(
        connection,
    ) as statements:
        context = device_context(enrolled.token, NOW)
    assert len(statements) == 1
    assert context is not None
    assert (context.venue_id, context.venue) == (venue.pk, venue.public_id)
    assert (context.kind, context.access) == ("Gate", "Public")
    assert context.verified
    assert str(context.zone) == "America/Los_Angeles"
    assert context.events == (Interval(event.starts_at, event.ends_at),)
    rules = context.rules
    assert (rules.version, rules.capacity, rules.enforced_limit_percent) == (1, 40, 50)
    assert (rules.max_temperature_f, rules.min_o2, rules.rotating_code) == (100.4, 92, True)
    assert rules.hours == [[[0, 1440]]] * 7


def test_the_look_up_of_a_device_knows_no_rule_on_answers() -> None:
    context = device_context(make_device().token, NOW)
    assert context is not None
    assert not [name for name in context.rules._fields if name.startswith("refuse")]


def test_a_change_of_requirements_reaches_the_door_at_once() -> None:
    enrolled = make_device()
    set_requirements(venue=enrolled.device.door.venue, values=RequirementValues(capacity=7), actor="owner", now=NOW)
    context = device_context(enrolled.token, NOW)
    assert context is not None
    assert (context.rules.capacity, context.rules.version) == (7, 2)


@pytest.mark.parametrize("token", ["", "x", "\0", "\ud800", "x" * 5000])
def test_any_text_is_an_unknown_token(token: str) -> None:
    assert device_context(token, NOW) is None


def test_last_seen_is_coarse_and_never_goes_back() -> None:
    device = make_device().device
    mark_seen(device_id=device.pk, seen=NOW + 20 * MINUTE)
    mark_seen(device_id=device.pk, seen=NOW + 3 * MINUTE)
    device.refresh_from_db()
    assert device.last_seen == NOW + 15 * MINUTE
