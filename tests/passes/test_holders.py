"""Actions of holders of passes: rate, show a name, revoke, report, render, erase."""

import datetime as dt
import io
import zipfile
from typing import Any

import ndef
import pytest
from django.apps import apps
from django.db import connection
from django.test.utils import CaptureQueriesContext
from hypothesis import HealthCheck, example, given, settings
from hypothesis import strategies as st

from common.purge import purge_expired
from passes import keys, selectors
from passes.clock import calendar
from passes.codec import Occupancy, open_bundle, rotating_text, static_text
from passes.codec.identity import encode_base64url
from passes.limits import VISIT_RETENTION
from passes.models import Change, Name, Pass, Rating, Scan, SpentOwner, Tombstone, Visit
from passes.services.erasure import ErasedCounts, erase_owners
from tests.factories import NOW, EnrolledDevice, join, make_device, make_event, make_user, make_venue
from tests.passes.people import HEALTHY, HeldPass, Phone, result, scan, send
from venues.kinds import Role
from venues.models import Venue
from venues.services.accounts import make_owner_token

pytestmark = pytest.mark.django_db
HOUR = dt.timedelta(hours=1)
DAY = dt.timedelta(days=1)
NOBODY = "A" * 43
TODAY = calendar().current(NOW.timestamp())


@pytest.fixture
def venue() -> Venue:
    return make_venue()


@pytest.fixture
def door(venue: Venue) -> EnrolledDevice:
    return make_device(venue=venue)


@pytest.fixture
def held(venue: Venue) -> HeldPass:
    return Phone().check_in(venue)


def post(path: str, body: Any, *, now: dt.datetime = NOW, method: str = "POST") -> int:
    return int(send(method, f"/api/v1/{path}", body, now=now).status_code)


def enter(door: EnrolledDevice, held: HeldPass, at: dt.datetime = NOW) -> None:
    assert result(scan(door, held.on_screen(at), now=at)) == "Approved"


# Ratings -------------------------------------------------------------------------------------------------------------
def rate(held: HeldPass, masks: int, distancing: int, now: dt.datetime = NOW + HOUR) -> None:
    assert post("ratings", {"owner": held.owner, "masks": masks, "distancing": distancing}, now=now) == 204


def rated() -> tuple[int, int]:
    return Rating.objects.values_list("masks", "distancing").get()


def test_a_rating_counts_once_and_can_be_changed(door: EnrolledDevice, held: HeldPass) -> None:
    enter(door, held)
    rate(held, 4, 2)
    rate(held, 4, 2)
    assert rated() == (4, 2)
    rate(held, 1, 5, NOW + 13 * DAY)
    assert rated() == (1, 5)
    assert Rating.objects.count() == 1


def test_a_rating_marks_its_hour_and_the_same_one_again_does_not(door: EnrolledDevice, held: HeldPass) -> None:
    enter(door, held, NOW + dt.timedelta(minutes=7))
    Change.objects.all().delete()
    rate(held, 4, 2)
    rate(held, 4, 2)
    assert Change.objects.get().since == NOW


def test_only_who_was_let_in_rates_and_only_for_two_weeks(door: EnrolledDevice, held: HeldPass) -> None:
    rate(held, 4, 2)
    assert not Rating.objects.exists()
    enter(door, held)
    rate(held, 4, 2, NOW + 15 * DAY)
    assert not Rating.objects.exists()
    assert post("ratings", {"owner": NOBODY, "masks": 1, "distancing": 1}) == 204


@pytest.mark.parametrize("changes", [{"masks": 0}, {"masks": 6}, {"distancing": 2.5}, {"owner": "short"}, {"more": 1}])
def test_a_rating_goes_from_one_to_five(changes: dict[str, Any]) -> None:
    assert post("ratings", {"owner": NOBODY, "masks": 3, "distancing": 3} | changes) == 400


# Names ---------------------------------------------------------------------------------------------------------------
def names(venue: Venue, now: dt.datetime) -> list[str]:
    return [one.name for one in selectors.names_present(venue, now)]


def test_a_name_is_seen_while_its_visitor_is_inside(venue: Venue, door: EnrolledDevice, held: HeldPass) -> None:
    assert post("names", {"owner": held.owner, "name": "Ada"}) == 204
    assert names(venue, NOW) == []
    enter(door, held)
    assert names(venue, NOW) == ["Ada"]
    assert names(make_venue(), NOW) == []
    assert names(venue, NOW + 3 * HOUR) == []


def test_a_name_is_encrypted_replaced_and_retracted(venue: Venue, door: EnrolledDevice, held: HeldPass) -> None:
    enter(door, held)
    for name in ("Ada", "Grace"):
        post("names", {"owner": held.owner, "name": name})
        assert name.encode() not in bytes(Name.objects.get().text)
    assert names(venue, NOW) == ["Grace"]
    assert post("names", {"owner": held.owner}, method="DELETE") == 204
    assert post("names", {"owner": held.owner}, method="DELETE") == 204
    assert names(venue, NOW) == []


def test_a_name_ends_with_its_epoch(held: HeldPass) -> None:
    assert post("names", {"owner": held.owner, "name": "Ada"}, now=NOW.replace(day=14, hour=4)) == 204
    assert post("names", {"owner": NOBODY, "name": "Ada"}) == 204
    assert not Name.objects.exists()


def test_owners_of_the_venue_read_names_and_nobody_else(venue: Venue, door: EnrolledDevice, held: HeldPass) -> None:
    enter(door, held)
    post("names", {"owner": held.owner, "name": "Ada"})
    path = f"/api/v1/owner/venues/{venue.public_id}/names"

    def read(user: Any) -> Any:
        token = make_owner_token(user=user, name="test", days=1, now=NOW)[1]
        return send("GET", path, now=NOW, headers={"Authorization": f"Owner {token}"})

    answer = read(join(venue.organisation, Role.VIEWER))
    assert answer.json() == {"results": [{"name": "Ada"}]}
    assert answer.headers["Cache-Control"] == "no-store"
    assert read(make_user()).status_code == 404
    assert send("GET", path, now=NOW).status_code == 401


# Statistics ----------------------------------------------------------------------------------------------------------
def test_the_operator_sees_causes_of_days_that_are_over(door: EnrolledDevice) -> None:
    for number in range(10):
        scan(door, f"garbage {number}", now=NOW)
    assert selectors.causes_of_day(NOW.date(), NOW) == {}
    assert selectors.causes_of_day(NOW.date(), NOW + DAY) == {"prefix": 10}


# Revocation and bundle -----------------------------------------------------------------------------------------------
def bundle(door: EnrolledDevice, now: dt.datetime) -> Any:
    answer = send("GET", "/api/v1/device/bundle", now=now, headers=door.header)
    assert answer.status_code == 200, answer.content
    from passes.codec.identity import decode_base64url

    return open_bundle(decode_base64url(answer.json()["bundle"]), root_keys=[keys.root_public_key()])


def test_a_revoked_pass_is_declined_at_once_and_offline_within_twelve_hours(
    door: EnrolledDevice, held: HeldPass
) -> None:
    before = bundle(door, NOW).revocations
    assert before.entries  # random ones, whatever happens
    assert post("passes/revoke", {"owners": [held.owner, NOBODY]}) == 204
    assert result(scan(door, held.on_screen(NOW), now=NOW)) == "Declined"
    assert bundle(door, NOW).revocations.entries == before.entries
    assert bundle(door, NOW + 12 * HOUR).revocations.holds(held.secrets.anchor)


def test_the_bundle_says_what_the_door_asks(venue: Venue, door: EnrolledDevice) -> None:
    event = make_event(venue=venue, starts_at=NOW + 2 * HOUR, ends_at=NOW + 4 * HOUR)
    found = bundle(door, NOW)
    assert (found.venue, found.server_time) == (venue.public_id, int(NOW.timestamp()))
    assert found.good_until == int((NOW + DAY).timestamp())
    assert {start for key in found.keys for start in key.epochs} >= {1778630400, 1778716800}
    assert found.requirements.capacity == 100
    assert found.requirements.invitation_epochs == {1778630400}
    assert found.requirements.openings == ((int((event.starts_at - HOUR).timestamp()), int(event.ends_at.timestamp())),)
    assert found.sealing_key == keys.sealing_key(NOW)
    assert found.requirements.usual_dwell_min == 75
    assert found.occupancy == Occupancy(int(NOW.timestamp()), ())


def test_the_bundle_counts_who_is_inside_and_for_how_long(venue: Venue, door: EnrolledDevice) -> None:
    for minutes, leaves in ((0, False), (0, True), (20, False), (70, False)):
        came = NOW + dt.timedelta(minutes=minutes)
        guest = Phone().check_in(venue)
        assert result(scan(door, guest.on_screen(came), now=came)) == "Approved"
        if leaves:
            out = came + dt.timedelta(minutes=1)
            assert result(scan(door, guest.on_screen(out), now=out, type="Checkout")) == "Approved"
    # At minute 72 three are inside; they time out at minutes 75, 95 and 145.
    at = NOW + dt.timedelta(minutes=72)
    assert bundle(door, at).occupancy == Occupancy(int(at.timestamp()), (3, 2, 1, 1, 1))


def test_a_sealing_key_serves_a_week_and_older_ones_still_open(door: EnrolledDevice) -> None:
    first = keys.sealing_key(NOW)
    assert keys.sealing_key(NOW + 4 * DAY) == first  # Sunday
    assert keys.sealing_key(NOW + 5 * DAY) != first
    assert len(keys.opening_keys(NOW + 5 * DAY)) == 2


# Lists ---------------------------------------------------------------------------------------------------------------
def test_lists_of_owners_hold_a_thousand() -> None:
    assert post("passes/revoke", {"owners": [NOBODY] * 1000}) == 204
    assert post("passes/revoke", {"owners": [NOBODY] * 1001}) == 400
    assert post("passes/revoke", {"owners": "all"}) == 400


# Drawing -------------------------------------------------------------------------------------------------------------
def drawn(credential: str, form: str) -> Any:
    return send("POST", "/api/v1/passes/render", {"credential": credential, "format": form}, now=NOW)


def test_a_credential_is_drawn_in_every_form(held: HeldPass) -> None:
    svg, png = drawn(held.on_screen(NOW), "svg"), drawn(held.on_paper(), "png")
    assert (svg.headers["Content-Type"], svg.content[:5]) == ("image/svg+xml", b"<?xml")
    assert (png.headers["Content-Type"], png.content[:4]) == ("image/png", b"\x89PNG")
    (record,) = ndef.message_decoder(drawn(held.on_screen(NOW), "ndef").content)
    assert record.data == held.pass_bytes
    wallet = drawn(held.on_paper(), "pkpass")
    assert wallet.headers["Content-Type"] == "application/vnd.apple.pkpass"
    assert {"pass.json", "manifest.json", "signature"} <= set(zipfile.ZipFile(io.BytesIO(wallet.content)).namelist())


def test_a_wallet_file_is_made_only_for_a_pass_whose_signature_holds(venue: Venue, held: HeldPass) -> None:
    forged = static_text(held.pass_bytes[:-1] + bytes([held.pass_bytes[-1] ^ 1]))
    assert drawn(forged, "pkpass").status_code == 400


def test_a_wallet_file_does_not_tell_whether_a_pass_was_revoked_or_erased(venue: Venue) -> None:
    drawn(Phone().check_in(venue).on_paper(), "pkpass")  # keys are read once
    made = []
    for begin in (lambda _: None, lambda one: post("passes/revoke", {"owners": [one.owner]}), erase):
        held = Phone().check_in(venue)
        begin(held)
        with CaptureQueriesContext(connection) as captured:
            answer = drawn(held.on_paper(), "pkpass")
        made.append((answer.status_code, answer.headers["Content-Type"], len(captured)))
    assert made == [(200, "application/vnd.apple.pkpass", made[0][2])] * 3


def erase(held: HeldPass) -> None:
    assert erase_owners([held.secrets.owner_hash], NOW).passes == 1


@pytest.mark.parametrize("credential", ["", "GO1:", "https://example.org", "GO1:" + "A" * 300])
def test_only_passes_are_drawn(credential: str) -> None:
    assert drawn(credential, "svg").status_code == 400


@given(
    signature=st.binary(min_size=64, max_size=64)
    | st.tuples(st.integers(0, 64), st.sampled_from([b"\0", b"\xff"])).map(
        lambda cut: (cut[1] * cut[0]).ljust(64, b"\1")
    ),
    slot=st.none() | st.tuples(st.integers(0, 2**16 - 1), st.binary(min_size=16, max_size=16) | st.just(bytes(16))),
    form=st.sampled_from(["svg", "png", "ndef", "pkpass"]),
)
@example(signature=bytes(64), slot=None, form="svg")
@example(signature=bytes(64), slot=(0, bytes(16)), form="svg")
@example(signature=bytes(64), slot=(0, bytes(16)), form="png")
@settings(max_examples=60, suppress_health_check=[HealthCheck.function_scoped_fixture])
def test_any_bytes_in_place_of_the_signature_are_drawn_or_refused(
    held: HeldPass, signature: bytes, slot: tuple[int, bytes] | None, form: str
) -> None:
    forged = held.pass_bytes[:-64] + signature
    credential = static_text(forged) if slot is None else rotating_text(forged, *slot)
    assert drawn(credential, form).status_code in ({400} if form == "pkpass" else {200, 400})


# Erasure -------------------------------------------------------------------------------------------------------------
def rows() -> dict[str, list[Any]]:
    models: list[Any] = [Pass, Scan, Visit, Rating, Name, SpentOwner]
    return {model.__name__: sorted(map(str, model.objects.values_list())) for model in models}


def test_erasure_leaves_everything_as_if_the_visit_had_not_been(venue: Venue, door: EnrolledDevice) -> None:
    stays = Phone().check_in(venue)
    enter(door, stays)
    rate(stays, 3, 3)
    before = rows()
    held = Phone().check_in(venue)
    enter(door, held)
    rate(held, 5, 1)
    post("names", {"owner": held.owner, "name": "Ada"})
    body = {"owners": [held.owner], "tested_on": "2026-05-13", "result": "negative"}
    assert post("diagnoses", body) == 202

    counts = erase_owners([held.secrets.owner_hash, bytes(32)], NOW)

    assert counts == ErasedCounts(passes=1, scans=1, visits=1, ratings=1, names=1)
    assert rows() == before
    assert Change.objects.order_by("-since").filter(since=NOW).exists()
    assert erase_owners([held.secrets.owner_hash], NOW) == ErasedCounts()


def test_an_erased_pass_is_declined_offline_until_its_epoch_ends(door: EnrolledDevice, held: HeldPass) -> None:
    erase_owners([held.secrets.owner_hash], NOW)
    assert bundle(door, NOW + 12 * HOUR).revocations.holds(held.secrets.anchor)
    with_end = NOW.replace(day=14, hour=4)
    assert not bundle(door, with_end).revocations.holds(held.secrets.anchor)


@pytest.mark.parametrize("answers", [HEALTHY, dict.fromkeys(HEALTHY, True)])
def test_erased_passes_stay_erased(venue: Venue, answers: dict[str, bool]) -> None:
    """Its anchor and its owner hash make no second pass, at no venue and on no day, with no answers."""
    phone, other = Phone(), Phone()
    other.register()
    phone.register()
    holder, fresh = phone.next_pass(TODAY), other.next_pass(TODAY)
    assert phone.ask(venue, holder, answers=answers).status_code == 201
    erase_owners([holder.owner_hash], NOW)
    for place in (venue, make_venue()):
        assert phone.ask(place, holder, answers=answers).status_code == 409
        assert phone.ask(place, holder, answers=HEALTHY, day=calendar().following(TODAY)).status_code == 409
    assert other.ask(venue, fresh, anchor=encode_base64url(holder.anchor)).status_code == 409
    assert other.ask(venue, fresh, owner_hash=encode_base64url(holder.owner_hash)).status_code == 409
    assert other.ask(venue, fresh).status_code == 201
    assert Pass.objects.count() == 1


def test_a_revoked_pass_is_not_given_again(venue: Venue) -> None:
    phone = Phone()
    held = phone.check_in(venue)
    assert post("passes/revoke", {"owners": [held.owner]}) == 204
    assert phone.ask(venue, held.secrets).status_code == 409


def test_a_tombstone_says_nothing_and_goes_when_the_row_would_have_gone(venue: Venue) -> None:
    held = Phone().check_in(venue)
    row = Pass.objects.get()
    values = [bytes(row.tag), bytes(row.owner_hash), held.secrets.anchor, venue.pk.to_bytes(8, "big")]
    erase_owners([held.secrets.owner_hash], NOW)
    kept = b"".join(bytes(one.mark) + bytes(one.sealed_venue) for one in Tombstone.objects.all())
    assert len(kept) == 2 * 24
    assert not [value for value in values if value in kept or value[:8] in kept]
    end = NOW.replace(hour=4) + DAY + VISIT_RETENTION
    purge_expired(now=end - HOUR)
    assert Tombstone.objects.count() == 2
    purge_expired(now=end)
    assert not Tombstone.objects.exists()


# Budgets -------------------------------------------------------------------------------------------------------------
@pytest.mark.parametrize(
    ("path", "body", "most"),
    [
        ("ratings", {"masks": 4, "distancing": 2}, 9),
        ("names", {"name": "Ada"}, 10),
        ("passes/render", None, 2),
    ],
)
def test_actions_of_holders_take_few_statements(
    door: EnrolledDevice, held: HeldPass, path: str, body: Any, most: int
) -> None:
    enter(door, held)
    sent = {"owner": held.owner} | body if body else {"credential": held.on_paper(), "format": "pkpass"}
    with CaptureQueriesContext(connection) as captured:
        send("POST", f"/api/v1/{path}", sent, now=NOW)
    assert len(captured) <= most, [query["sql"] for query in captured]


def test_every_model_of_the_app_declares_its_privacy() -> None:
    assert all(hasattr(model, "privacy") for model in apps.get_app_config("passes").get_models())
