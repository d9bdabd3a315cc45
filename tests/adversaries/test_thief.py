"""P5: a photo of a pass is worthless later."""

import datetime as dt
from typing import Any

import pytest

from passes.codec.identity import encode_base64url
from passes.models import Name, Pass, Rating, SpentOwner, Visit
from tests.factories import NOW, EnrolledDevice, make_device, make_venue
from tests.passes.people import HeldPass, Phone, result, scan, send
from venues.models import Venue

pytestmark = pytest.mark.django_db
MINUTE = dt.timedelta(minutes=1)


class TestAThiefWithAPhotoOfAScreen:
    @pytest.fixture
    def venue(self) -> Venue:
        return make_venue()

    @pytest.fixture
    def door(self, venue: Venue) -> EnrolledDevice:
        return make_device(venue=venue)

    @pytest.fixture
    def held(self, venue: Venue) -> HeldPass:
        return Phone().check_in(venue)

    @pytest.mark.parametrize("later", [2 * MINUTE, 60 * MINUTE, dt.timedelta(days=1), dt.timedelta(days=13)])
    def test_it_opens_nothing_later(self, door: EnrolledDevice, held: HeldPass, later: dt.timedelta) -> None:
        assert result(scan(door, held.on_screen(NOW), now=NOW + later)) == "Declined"

    def test_it_opens_nothing_elsewhere(self, held: HeldPass) -> None:
        assert result(scan(make_device(), held.on_screen(NOW), now=NOW)) == "Declined"

    def test_without_its_rotating_part_it_opens_nothing(self, door: EnrolledDevice, held: HeldPass) -> None:
        assert result(scan(door, held.on_paper(), now=NOW)) == "Declined"

    def test_once_used_it_does_not_open_again_within_the_same_minute(
        self, door: EnrolledDevice, held: HeldPass
    ) -> None:
        assert result(scan(door, held.on_screen(NOW), now=NOW)) == "Approved"
        assert result(scan(door, held.on_screen(NOW), now=NOW)) == "Declined"

    def test_the_code_before_a_used_one_can_be_computed_and_opens_nothing(
        self, door: EnrolledDevice, held: HeldPass
    ) -> None:
        assert result(scan(door, held.on_screen(NOW), now=NOW)) == "Approved"
        assert result(scan(door, held.on_screen(NOW - MINUTE), now=NOW)) == "Declined"

    def test_a_device_that_lies_about_the_time_gets_no_late_entry_for_it(
        self, door: EnrolledDevice, held: HeldPass
    ) -> None:
        scan(door, held.on_screen(NOW), now=NOW)
        replay = scan(door, held.on_screen(NOW), now=NOW + 60 * MINUTE, at=NOW, kiosk_result="Approved")
        assert result(replay) == "Declined"
        assert Visit.objects.count() == 1

    def test_its_bytes_are_not_a_credential_anywhere(self, held: HeldPass) -> None:
        stolen = [held.pass_bytes, held.secrets.anchor, held.secrets.owner_hash, held.pass_bytes[:32]]
        for secret in stolen:
            text = encode_base64url(secret)
            for method, path, body in PRIVATE:
                for scheme in ("Visitor", "Device", "Owner"):
                    answer = send(method, path, body, now=NOW, headers={"Authorization": f"{scheme} {text}"})
                    assert answer.status_code in (400, 401), (path, scheme)

    def test_it_reads_rates_names_revokes_and_reports_nothing(self, door: EnrolledDevice, held: HeldPass) -> None:
        scan(door, held.on_screen(NOW), now=NOW)
        guesses = [held.secrets.owner_hash, held.secrets.anchor * 2, held.pass_bytes[-32:], held.pass_bytes[:32]]
        for guess in map(encode_base64url, guesses):
            for path, body in (
                ("ratings", {"owner": guess, "masks": 1, "distancing": 1}),
                ("names", {"owner": guess, "name": "Thief"}),
                ("passes/revoke", {"owners": [guess]}),
                ("diagnoses", {"owners": [guess], "tested_on": "2026-05-13", "result": "positive"}),
            ):
                assert send("POST", f"/api/v1/{path}", body, now=NOW).status_code in (202, 204)
        assert not Pass.objects.filter(revoked=True).exists()
        assert not any(model.objects.exists() for model in MADE_BY_OWNERS)


MADE_BY_OWNERS: list[Any] = [Rating, Name, SpentOwner]
PRIVATE: list[tuple[str, str, Any]] = [
    ("POST", "/api/v1/passes", {}),
    ("DELETE", "/api/v1/visitors/me", {"erase_key": "A" * 43}),
    ("POST", "/api/v1/scans", {}),
    ("POST", "/api/v1/scans/batch", {"scans": []}),
    ("GET", "/api/v1/device/bundle", None),
    ("GET", "/api/v1/owner/venues/v_0000000000/names", None),
    ("GET", "/api/v1/owner/venues/v_0000000000/statistics", None),
]
