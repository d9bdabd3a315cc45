"""Scans through the API: the response to a door, and the effect on the visit."""

import datetime as dt
import json
from typing import Any

import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from django.db import IntegrityError, connection, transaction
from django.test.utils import CaptureQueriesContext

from passes import keys
from passes.codec import seal_scan, sign_pass, static_text
from passes.models import Change, Pass, Scan, Visit
from passes.services.erasure import erase_owners
from tests.factories import NOW, EnrolledDevice, door_of, make_device, make_event, make_venue
from tests.passes.people import HeldPass, Phone, result, scan, send, send_bytes
from venues.hours import NEVER_OPEN
from venues.kinds import Access
from venues.models import Venue
from venues.requirements import RequirementValues
from venues.services.venues import add_door

pytestmark = pytest.mark.django_db
MINUTE = dt.timedelta(minutes=1)
HOUR = dt.timedelta(hours=1)


@pytest.fixture
def venue() -> Venue:
    return make_venue()


@pytest.fixture
def door(venue: Venue) -> EnrolledDevice:
    return make_device(venue=venue)


@pytest.fixture
def held(venue: Venue) -> HeldPass:
    return Phone().check_in(venue)


def asking(**values: Any) -> tuple[Venue, EnrolledDevice]:
    """Return a venue with requirements, and its door."""
    place = make_venue(requirements=RequirementValues(**values))
    return place, make_device(venue=place)


# What opens a door ---------------------------------------------------------------------------------------------------
def test_a_pass_opens_the_door_and_makes_a_visit(door: EnrolledDevice, held: HeldPass) -> None:
    assert result(scan(door, held.on_screen(NOW), now=NOW)) == "Approved"

    visit = Visit.objects.get()
    assert (visit.arrived_at, visit.left_at) == (NOW, None)
    assert visit.times_out_at == NOW + 75 * MINUTE
    assert Change.objects.get().since == NOW


def test_a_known_scan_id_gets_its_first_answer_and_writes_nothing(door: EnrolledDevice, held: HeldPass) -> None:
    first = scan(door, held.on_screen(NOW), now=NOW, scan_id="the-very-same-scan-id")
    again = scan(door, "garbage", now=NOW + HOUR, scan_id="the-very-same-scan-id")

    assert result(first) == result(again) == "Approved"
    assert Scan.objects.count() == 1


def test_a_code_opens_once(door: EnrolledDevice, held: HeldPass) -> None:
    assert result(scan(door, held.on_screen(NOW), now=NOW)) == "Approved"
    assert result(scan(door, held.on_screen(NOW), now=NOW)) == "Declined"

    assert set(Scan.objects.values_list("cause", flat=True)) == {"", "replay"}
    assert Visit.objects.count() == 1


def test_going_in_again_in_a_later_slot_continues_the_visit(door: EnrolledDevice, held: HeldPass) -> None:
    later = NOW + 30 * MINUTE
    scan(door, held.on_screen(NOW), now=NOW)
    assert result(scan(door, held.on_screen(later), now=later)) == "Approved"

    visit = Visit.objects.get()
    assert (visit.arrived_at, visit.times_out_at) == (NOW, later + 75 * MINUTE)


def test_coming_back_after_a_checkout_is_another_visit_of_the_same_head(door: EnrolledDevice, held: HeldPass) -> None:
    out, back = NOW + 10 * MINUTE, NOW + 20 * MINUTE
    scan(door, held.on_screen(NOW), now=NOW)
    assert result(scan(door, held.on_screen(out), now=out, type="Checkout")) == "Approved"
    assert result(scan(door, held.on_screen(back), now=back)) == "Approved"

    first, second = Visit.objects.order_by("arrived_at")
    assert (first.left_at, second.arrived_at, second.left_at) == (out, back, None)
    assert first.tag == second.tag


def test_a_checkout_is_approved_outside_too_and_ends_nothing(door: EnrolledDevice, held: HeldPass) -> None:
    assert result(scan(door, held.on_screen(NOW), now=NOW, type="Checkout")) == "Approved"
    assert not Visit.objects.exists()


def test_a_visit_ends_at_closing_time() -> None:
    week = [[[0, 10 * 60 + 30]] for _ in range(7)]  # closes half an hour after NOW
    place, door = asking(hours=week)
    held = Phone().check_in(place)

    scan(door, held.on_screen(NOW), now=NOW)

    assert Visit.objects.get().times_out_at == NOW + 30 * MINUTE


def test_a_visit_ends_with_its_epoch_at_the_latest() -> None:
    place = make_venue(kind="hotel")
    door = make_device(venue=place)
    held = Phone().check_in(place)
    late = NOW.replace(hour=23)

    scan(door, held.on_screen(late), now=late)

    assert Visit.objects.get().times_out_at == dt.datetime(2026, 5, 14, 4, tzinfo=dt.UTC)


def test_an_event_opens_a_venue_that_has_no_hours() -> None:
    place, door = asking(hours=NEVER_OPEN)
    held = Phone().check_in(place)
    assert result(scan(door, held.on_screen(NOW), now=NOW)) == "Declined"

    make_event(venue=place, starts_at=NOW + HOUR, ends_at=NOW + 2 * HOUR, invitation_needed=False)
    later = NOW + 5 * MINUTE
    assert result(scan(door, held.on_screen(later), now=later)) == "Approved"
    assert Visit.objects.get().times_out_at == later + 75 * MINUTE


# What does not ------------------------------------------------------------------------------------------------------
def test_causes_are_stored_and_never_returned(venue: Venue, door: EnrolledDevice, held: HeldPass) -> None:
    other = make_venue(name="Elsewhere")
    foreign = Phone().check_in(other)
    forged = static_text(
        sign_pass(Ed25519PrivateKey.generate(), venue=venue.public_id, epoch_start=1778630400, anchor=bytes(16))
    )
    sent = {
        "prefix": "garbage",
        "base45": "GO1:::::a",
        "signature": foreign.on_screen(NOW),
        "key_unknown": forged,
        "rotating_required": held.on_paper(),
        "slot": held.on_screen(NOW - 5 * MINUTE),
    }
    answers = [scan(door, credential, now=NOW) for credential in sent.values()]

    assert {result(answer) for answer in answers} == {"Declined"}
    assert set(Scan.objects.values_list("cause", flat=True)) == set(sent)


def test_a_pass_of_yesterday_is_declined(venue: Venue, door: EnrolledDevice) -> None:
    before = NOW - dt.timedelta(days=1)
    held = Phone().check_in(venue, now=before)

    assert result(scan(door, held.on_paper(), now=NOW)) == "Declined"
    assert Scan.objects.get().cause == "expired"


def test_readings_are_used_once_and_not_stored(settings: Any) -> None:
    place, door = asking(max_temperature_f=100.4, min_o2=92)
    held = Phone().check_in(place)
    times = [NOW + minutes * MINUTE for minutes in range(0, 10, 3)]
    readings: list[dict[str, Any]] = [
        {},
        {"temperature_f": 101, "o2": 98},
        {"temperature_f": 98.6, "o2": 90},
        {"temperature_f": 100.4, "o2": 92},
    ]
    results = [result(scan(door, held.on_screen(at), now=at, **read)) for at, read in zip(times, readings, strict=True)]

    assert results == ["Declined", "Declined", "Declined", "Approved"]
    causes = list(Scan.objects.order_by("scanned_at").values_list("cause", flat=True))
    assert causes == ["reading_missing", "temperature", "o2", ""]
    assert not Scan.objects.exclude(temperature_f=None, o2=None).exists()


def test_readings_are_stored_where_the_deployment_publishes_them(
    settings: Any, door: EnrolledDevice, held: HeldPass
) -> None:
    settings.PUBLISH_READINGS = True
    scan(door, held.on_screen(NOW), now=NOW, temperature_f=98.6, o2=97)

    assert Scan.objects.values_list("temperature_f", "o2").get() == (98.6, 97)


@pytest.mark.parametrize(("kept", "words"), [(False, b"Used once for this answer"), (True, b"kept with the scan")])
def test_the_doors_page_says_what_becomes_of_a_reading(settings: Any, kept: bool, words: bytes) -> None:
    settings.PUBLISH_READINGS = kept
    assert words in send("GET", "/kiosk", now=NOW).content


def test_the_people_limit_holds_and_counts_nobody_twice() -> None:
    place, door = asking(capacity=3, enforced_limit_percent=70)  # two at once
    first, second, third = (Phone().check_in(place) for _ in range(3))
    assert [result(scan(door, one.on_screen(NOW), now=NOW)) for one in (first, second, third)] == [
        "Approved",
        "Approved",
        "Declined",
    ]
    again = NOW + 2 * MINUTE
    assert result(scan(door, first.on_screen(again), now=again)) == "Approved"
    assert result(scan(door, second.on_screen(again), now=again, type="Checkout")) == "Approved"
    assert result(scan(door, third.on_screen(again), now=again)) == "Approved"


def test_a_private_door_opens_on_days_by_invitation_only(venue: Venue) -> None:
    private = add_door(venue=venue, name="Back", access=Access.PRIVATE, actor="owner", now=NOW)
    door = make_device(door=private)
    held = Phone().check_in(venue)
    assert result(scan(door, held.on_screen(NOW), now=NOW)) == "Declined"

    make_event(venue=venue, starts_at=NOW + HOUR)
    later = NOW + 2 * MINUTE
    assert result(scan(door, held.on_screen(later), now=later)) == "Approved"


def test_a_static_pass_needs_a_checkout_before_it_opens_again() -> None:
    place, door = asking(rotating_code=False)
    held = Phone().check_in(place)
    steps = [("Checkin", 0), ("Checkin", 5), ("Checkout", 10), ("Checkin", 15)]
    results = [result(scan(door, held.on_paper(), now=NOW + minute * MINUTE, type=kind)) for kind, minute in steps]
    assert results == ["Approved", "Declined", "Approved", "Approved"]


# Lateness ------------------------------------------------------------------------------------------------------------
@pytest.mark.parametrize(
    ("received", "expected"),
    [
        (dt.timedelta(days=7), "Approved"),
        (dt.timedelta(days=7, seconds=1), "Declined"),
        (dt.timedelta(seconds=-120), "Approved"),
        (dt.timedelta(seconds=-121), "Declined"),
    ],
)
def test_a_scan_may_come_a_week_late_and_two_minutes_early(
    door: EnrolledDevice, held: HeldPass, received: dt.timedelta, expected: str
) -> None:
    answer = scan(door, held.on_screen(NOW), now=NOW + received, at=NOW)

    assert result(answer) == expected
    assert Visit.objects.filter(arrived_at=NOW).count() == (expected == "Approved")


def test_a_scan_from_the_far_future_is_filed_under_the_present(door: EnrolledDevice) -> None:
    far = dt.datetime(9999, 12, 31, 23, 59, 59, tzinfo=dt.UTC)
    assert result(scan(door, "GO1:", now=NOW, at=far)) == "Declined"
    assert Scan.objects.values_list("epoch", "scanned_at").get() == (NOW.date(), NOW)


@pytest.mark.parametrize("at", ["0001-01-01T00:00:00Z", "1970-01-01T00:00:00Z", "9999-12-31T23:59:59-23:59"])
def test_no_time_breaks_a_scan(door: EnrolledDevice, held: HeldPass, at: str) -> None:
    body = {"scan_id": "x" * 16, "credential": held.on_paper(), "type": "Checkin", "scanned_at": at}
    answer = send("POST", "/api/v1/scans", body, now=NOW, headers=door.header)
    assert answer.status_code in (200, 400)


def test_a_late_scan_of_an_erased_pass_is_declined_and_stores_nothing(door: EnrolledDevice, held: HeldPass) -> None:
    erase_owners([held.secrets.owner_hash], NOW)

    assert result(scan(door, held.on_screen(NOW), now=NOW + 2 * HOUR, at=NOW)) == "Declined"

    assert not Scan.objects.exists()
    assert not Change.objects.exists()


def test_whom_an_offline_kiosk_let_in_makes_a_visit_although_the_server_would_not_have(venue: Venue) -> None:
    place, door = asking(capacity=1)
    inside, let_in = Phone().check_in(place), Phone().check_in(place)
    scan(door, inside.on_screen(NOW), now=NOW)
    answer = scan(door, let_in.on_screen(NOW), now=NOW + HOUR, at=NOW, kiosk_result="Approved")

    assert result(answer) == "Declined"
    assert Scan.objects.get(kiosk_approved=True).cause == "full"
    assert Visit.objects.count() == 2


# Batches -------------------------------------------------------------------------------------------------------------
def batch(door: EnrolledDevice, items: list[Any], now: dt.datetime) -> Any:
    answer = send("POST", "/api/v1/scans/batch", {"scans": items}, now=now, headers=door.header)
    assert answer.status_code == 200, answer.content
    return answer.json()["results"]


def item(held: HeldPass, at: dt.datetime, kind: str, **more: Any) -> dict[str, Any]:
    return {"credential": held.on_screen(at), "type": kind, "scanned_at": at.isoformat()} | more


def test_a_batch_takes_plain_and_sealed_scans_in_any_order(door: EnrolledDevice, held: HeldPass) -> None:
    out = NOW + 20 * MINUTE
    plain = {"scan_id": "scan-plain-0123456"} | item(held, out, "Checkout")
    sealed_id = "scan-sealed-012345"
    text = json.dumps(item(held, NOW, "Checkin", kiosk_result="Approved")).encode()
    sealed = {"scan_id": sealed_id, "sealed": seal_scan(text, scan_id=sealed_id, public_key=keys.sealing_key(NOW))}

    results = batch(door, [plain, sealed], NOW + HOUR)

    assert results == [
        {"scan_id": plain["scan_id"], "result": "Approved"},
        {"scan_id": sealed_id, "result": "Approved"},
    ]
    assert Visit.objects.values_list("arrived_at", "left_at").get() == (NOW, out)


def test_a_bad_item_is_declined_in_its_place_and_blocks_nothing(door: EnrolledDevice, held: HeldPass) -> None:
    good = {"scan_id": "scan-good-01234567"} | item(held, NOW, "Checkin")
    stolen = {
        "scan_id": "scan-other-0123456",
        "sealed": seal_scan(b"{}", scan_id="z" * 16, public_key=keys.sealing_key(NOW)),
    }
    bad: list[Any] = [7, None, [], {}, {"scan_id": "short"}, {"scan_id": "scan-bare-01234567"}, stolen]

    results = batch(door, [*bad, good], NOW)

    assert [one["result"] for one in results] == ["Declined"] * len(bad) + ["Approved"]
    assert [one["scan_id"] for one in results[-3:]] == ["scan-bare-01234567", "scan-other-0123456", good["scan_id"]]
    assert Scan.objects.filter(cause="malformed").count() == 2
    assert batch(door, [stolen], NOW)[0]["result"] == "Declined"


@pytest.mark.parametrize("flaw", ['"a\\u0000b"', '"\\ud800"', "NaN", '"GO1:", "credential": "twice"', "9" * 30])
def test_what_json_forbids_spoils_one_item_and_not_the_batch(door: EnrolledDevice, held: HeldPass, flaw: str) -> None:
    good = json.dumps({"scan_id": "scan-good-01234567"} | item(held, NOW, "Checkin"))
    body = f'{{"scans": [{{"scan_id": "scan-spoilt-012345", "credential": {flaw}}}, {good}]}}'
    answer = send_bytes("/api/v1/scans/batch", body.encode(), now=NOW, headers=door.header)

    assert answer.status_code == 200, answer.content
    assert answer.json()["results"] == [
        {"scan_id": "scan-spoilt-012345", "result": "Declined"},
        {"scan_id": "scan-good-01234567", "result": "Approved"},
    ]


@pytest.mark.parametrize(
    "body", [b"", b"[", b'{"scans": [{}], "more": NaN}', b'{"scans": [], "scans": []}', b'"scans"']
)
def test_an_invalid_batch_is_refused(door: EnrolledDevice, body: bytes) -> None:
    assert send_bytes("/api/v1/scans/batch", body, now=NOW, headers=door.header).status_code == 400


def test_scans_of_a_batch_are_counted_one_by_one(door: EnrolledDevice, settings: Any) -> None:
    settings.THROTTLES = settings.THROTTLES | {"queued": "5/minute"}
    items = [{"scan_id": f"queued-scan-number-{number}"} for number in range(3)]
    first, second = (
        send("POST", "/api/v1/scans/batch", {"scans": items}, now=NOW, headers=door.header) for _ in range(2)
    )
    assert first.status_code == 200
    assert '"queued";q=5;w=60' in first["RateLimit-Policy"]
    assert second.status_code == 429
    assert int(second["Retry-After"]) >= 1


def test_a_device_may_send_a_hundred_scans_a_second_live_or_queued(settings: Any) -> None:
    amount, window = settings.THROTTLES["queued"].split("/")
    assert (int(amount) >= 6_000, window) == (True, "minute")
    assert settings.THROTTLES["device"].endswith("/second")
    assert int(settings.THROTTLES["device"].split("/")[0]) >= 100


def test_a_batch_holds_a_thousand_scans_at_most(door: EnrolledDevice) -> None:
    answer = send("POST", "/api/v1/scans/batch", {"scans": [{}] * 1001}, now=NOW, headers=door.header)
    assert answer.status_code == 400
    assert answer.json()["errors"][0]["pointer"] == "/scans"


# The path ------------------------------------------------------------------------------------------------------------
def queries(door: EnrolledDevice, credential: str, now: dt.datetime, **more: Any) -> int:
    with CaptureQueriesContext(connection) as captured:
        scan(door, credential, now=now, **more)
    return len(captured)


def test_a_scan_takes_two_statements_whatever_it_is(venue: Venue, door: EnrolledDevice, held: HeldPass) -> None:
    erased = Phone().check_in(venue)
    erase_owners([erased.secrets.owner_hash], NOW)
    keys.keyring(NOW)  # reads the keys
    later = NOW + 2 * MINUTE

    assert queries(door, held.on_screen(NOW), NOW) == 2
    assert queries(door, held.on_screen(NOW), NOW) == 2  # a replay
    assert queries(door, held.on_screen(later), later, type="Checkout") == 2
    assert queries(door, "GO1:nothing", NOW) == 2
    assert queries(door, erased.on_screen(NOW), NOW) == 2


def test_a_scan_near_the_limit_takes_two_statements_too() -> None:
    place, door = asking(capacity=1)
    first, second = Phone().check_in(place), Phone().check_in(place)
    keys.keyring(NOW)

    assert queries(door, first.on_screen(NOW), NOW) == 2
    assert queries(door, second.on_screen(NOW), NOW) == 2


@pytest.mark.parametrize(
    ("changes", "pointer"),
    [
        ({"scan_id": "short"}, "/scan_id"),
        ({"scan_id": "x" * 65}, "/scan_id"),
        ({"scan_id": "with space in it!"}, "/scan_id"),
        ({"type": "Sideways"}, "/type"),
        ({"scanned_at": "yesterday"}, "/scanned_at"),
        ({"scanned_at": 1778666400}, "/scanned_at"),
        ({"credential": 7}, "/credential"),
        ({"kiosk_result": "Maybe"}, "/kiosk_result"),
        ({"temperature_f": "98"}, "/temperature_f"),
        ({"o2": 101}, "/o2"),
        ({"colour": "red"}, "/colour"),
    ],
)
def test_an_invalid_scan_is_refused_with_its_field(door: EnrolledDevice, changes: dict[str, Any], pointer: str) -> None:
    body = {"scan_id": "x" * 16, "credential": "", "type": "Checkin", "scanned_at": NOW.isoformat()} | changes
    answer = send("POST", "/api/v1/scans", body, now=NOW, headers=door.header)

    assert answer.status_code == 400
    assert [error["pointer"] for error in answer.json()["errors"]] == [pointer]
    assert not Scan.objects.exists()


def test_a_visitors_key_opens_no_scan(venue: Venue, held: HeldPass) -> None:
    body = {"scan_id": "x" * 16, "credential": held.on_paper(), "type": "Checkin", "scanned_at": NOW.isoformat()}
    for headers in ({}, Phone().header, {"Authorization": "Device nobody"}):
        answer = send("POST", "/api/v1/scans", body, now=NOW, headers=headers)
        assert answer.status_code == 401
    assert door_of(venue).devices.count() == 0
    assert Pass.objects.count() == 1


def test_no_visit_ends_before_it_begins(door: EnrolledDevice, held: HeldPass) -> None:
    scan(door, held.on_screen(NOW), now=NOW)
    visit = Visit.objects.get()
    with pytest.raises(IntegrityError, match="left_after_arrival"), transaction.atomic():
        Visit.objects.update(left_at=visit.arrived_at - dt.timedelta(seconds=1))
    Visit.objects.update(left_at=visit.arrived_at)
