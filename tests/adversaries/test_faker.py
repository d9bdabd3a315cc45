"""P11: nobody fakes another venue's crowd."""

import datetime as dt
import secrets
from collections import Counter
from dataclasses import replace
from typing import Any

import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from exports.models import Release, Step
from exports.policy.domain import REFUSED
from exports.policy.draw import Drawn
from exports.policy.fit import fit
from exports.policy.profile import Limits, drift_failures
from exports.policy.signals import signals_of
from exports.release.closed_days import draw_once
from passes import keys
from passes.clock import calendar
from passes.codec import rotating_text, sign_pass
from passes.codec.identity import derive_pass, derive_seed, encode_base64url
from passes.models import Pass, Scan, Visit
from tests.exports.rows import CLOSED, Place, a_place, a_scanned_pass
from tests.factories import NOW, EnrolledDevice, make_device, make_venue
from tests.passes.people import HEALTHY, Phone, result, scan, send
from tests.passes.wallet import body_of
from venues.models import Venue

pytestmark = pytest.mark.django_db
MINUTE = dt.timedelta(minutes=1)


class TestAVenueThatFakesACrowd:
    @pytest.fixture
    def rival(self) -> Venue:
        return make_venue(name="The Rival")

    @pytest.fixture
    def door(self) -> EnrolledDevice:
        return make_device()

    def test_its_devices_make_no_visit_elsewhere(self, rival: Venue, door: EnrolledDevice) -> None:
        held = Phone().check_in(rival)
        assert result(scan(door, held.on_screen(NOW), now=NOW, kiosk_result="Approved")) == "Declined"
        assert not Visit.objects.exists()
        assert set(Scan.objects.values_list("venue", flat=True)) == {door.device.door.venue_id}

    @pytest.mark.parametrize("kiosk_result", [None, "Approved"])
    def test_passes_that_the_deployment_did_not_sign_make_no_visit(
        self, door: EnrolledDevice, kiosk_result: str | None
    ) -> None:
        epoch = calendar().current(NOW.timestamp())
        own = derive_pass(derive_seed(bytes(32), epoch.start), epoch.start, 0)
        venue = door.device.door.venue.public_id
        forged = sign_pass(Ed25519PrivateKey.generate(), venue=venue, epoch_start=epoch.start, anchor=own.anchor)
        shown = rotating_text(forged, *own.code_at(NOW.timestamp()))
        assert result(scan(door, shown, now=NOW, kiosk_result=kiosk_result)) == "Declined"
        assert not Visit.objects.exists()

    def test_a_signed_pass_without_a_row_makes_no_visit(self, door: EnrolledDevice) -> None:
        """A thief of the issuer key would still need a check-in for each visit."""
        epoch = calendar().current(NOW.timestamp())
        own = derive_pass(derive_seed(bytes(32), epoch.start), epoch.start, 0)
        key = keys.signer(epoch, NOW)
        assert key is not None
        venue = door.device.door.venue.public_id
        signed = sign_pass(key, venue=venue, epoch_start=epoch.start, anchor=own.anchor)
        shown = rotating_text(signed, *own.code_at(NOW.timestamp()))
        assert result(scan(door, shown, now=NOW, kiosk_result="Approved")) == "Declined"
        assert not Visit.objects.exists()
        assert not Scan.objects.exists()

    def test_one_pass_is_one_head_however_often_it_is_scanned(self, door: EnrolledDevice) -> None:
        held = Phone().check_in(door.device.door.venue)
        for minute in range(0, 40, 2):
            kind = "Checkin" if minute % 4 == 0 else "Checkout"
            now = NOW + minute * MINUTE
            scan(door, held.on_screen(now), now=now, type=kind)
        assert len(set(Visit.objects.values_list("tag", flat=True))) == 1
        assert Visit.objects.filter(left_at=None).count() <= 1

    def test_a_secret_makes_sixteen_passes_a_day_of_which_three_may_count(self, rival: Venue) -> None:
        """Each ticket works once: neither other anchors nor registering the same key again give a seventeenth."""
        phone, epoch, others = Phone(), calendar().current(NOW.timestamp()), (Phone(), Phone())
        for number in range(16):
            ticket = phone.ticket(number, epoch)
            statuses = [phone.ask(rival, other.next_pass(epoch), ticket=ticket).status_code for other in others]
            assert statuses == [201, 409]
        body = {"erase_key": encode_base64url(phone.keys.erase)}
        send("DELETE", "/api/v1/visitors/me", body, now=NOW, headers=phone.header)
        phone.register()
        second = replace(phone.wallet, secret=bytes(32), sets={})
        assert second.ask([body_of(epoch, second.derive(epoch))], now=NOW).status_code == 409
        assert Pass.objects.count() == 16
        assert Pass.objects.filter(counted=True).count() <= 3

    def test_a_network_registers_keys_at_a_bounded_rate(self, settings: Any) -> None:
        settings.THROTTLES = settings.THROTTLES | {"registration": "4/minute"}
        assert [Phone().register().status_code for _ in range(6)] == [201] * 4 + [429] * 2

    def test_a_device_scans_at_a_bounded_rate(self, settings: Any, door: EnrolledDevice) -> None:
        settings.THROTTLES = settings.THROTTLES | {"device": "5/minute"}
        statuses = Counter(scan(door, "", now=NOW).status_code for _ in range(9))
        assert statuses == {200: 5, 429: 4}
        assert Scan.objects.count() == 5


class TestRefusalsFromADesk:
    """Refusals at check-in need no device: 300 random keys made 794 counted rows at a verified venue in 16 s."""

    EPOCH = dt.date(2026, 5, 12)
    MADE = 794

    @pytest.fixture
    def place(self) -> Place:
        place = a_place()
        for back in range(4):
            day = self.EPOCH - dt.timedelta(days=back)
            rows = [a_scanned_pass(place, day=day) for _ in range(60)]
            refuse(place, day, 3)
            assert len(rows) == 60
        return place

    def released(self, back: int) -> Release:
        """Return the draw of a day, as if it had been announced."""
        day = self.EPOCH - dt.timedelta(days=back)
        row = draw_once(release=Release.objects.create(day=day, budget=1.0), now=CLOSED)
        row.step = Step.ANNOUNCED
        row.save()
        return row

    def test_keys_alone_make_refusals_that_count_at_a_venue_nobody_went_to(self) -> None:
        venue = make_venue()
        for _ in range(3):
            assert Phone().check_in(venue, answers=HEALTHY | {"diagnosed": True}).credential is None
        assert Pass.objects.filter(go=False).count() == 3
        assert not Scan.objects.exists()

    @pytest.mark.parametrize("made", [MADE, 12_000])
    def test_they_add_at_most_noise_and_half_of_the_scans_and_stop_no_release(self, place: Place, made: int) -> None:
        before = [self.released(back) for back in (3, 2, 1)]
        refuse(place, self.EPOCH, made)
        drawn = Drawn.from_bytes(bytes(self.released(0).drawn or b""))
        refused = fit(drawn).answers[:, REFUSED].sum()
        # Half of 60 scans a day, and noise: that of the cut's limit, and that of the scans it is based on.
        assert refused < 200 < made / drawn.keep
        signals = {each.signal: each for each in signals_of(drawn, {}) if each.geo_type == "nation"}
        assert signals["refused"].value < 200
        assert signals["symptoms"].value < 200 + 4 * signals["symptoms"].stderr
        yesterday = Drawn.from_bytes(bytes(before[-1].drawn or b""))
        assert drift_failures(drawn=drawn, before=yesterday, limits=Limits()) == []


def refuse(place: Place, day: dt.date, count: int) -> None:
    """Make refusals with all answers yes, as anybody's keys can."""
    answers = dict.fromkeys(("symptoms", "diagnosed", "contact", "near"), True)
    made = (
        Pass(
            tag=secrets.token_bytes(16), owner_hash=secrets.token_bytes(32), venue=place.venue, epoch=day, go=False,
            refused_hour=3, counted=True, survey_seconds=20, **answers,
        )
        for _ in range(count)
    )  # fmt: skip
    Pass.objects.bulk_create(made, batch_size=2000)
