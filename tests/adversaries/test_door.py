"""P1: a door learns one bit, and nothing of health beyond it."""

import datetime as dt
import statistics
import time
from collections.abc import Callable
from typing import Any

import pytest

from passes.models import Scan
from passes.services.erasure import erase_owners
from passes.services.holders import revoke_passes
from tests.factories import NOW, EnrolledDevice, make_device, make_venue
from tests.passes.people import HeldPass, Phone, result, scan
from venues.models import Venue
from venues.requirements import RequirementValues

pytestmark = pytest.mark.django_db
MINUTE = dt.timedelta(minutes=1)
FULL_WEEK = [[[0, 12 * 60]] for _ in range(7)]  # closes at noon
Cause = Callable[[], Any]


class TestADoorThatWantsToKnowWhy:
    @pytest.fixture
    def venue(self) -> Venue:
        asked = RequirementValues(capacity=1, max_temperature_f=100.4, hours=FULL_WEEK)
        return make_venue(requirements=asked)

    @pytest.fixture
    def door(self, venue: Venue) -> EnrolledDevice:
        return make_device(venue=venue)

    def causes(self, venue: Venue, door: EnrolledDevice) -> dict[str, Cause]:
        """One red light for each cause that a door can bring about."""

        def held() -> HeldPass:
            return Phone().check_in(venue)

        def show(one: HeldPass, *, now: dt.datetime = NOW, temperature_f: float | None = 98.0, **more: Any) -> Any:
            return scan(door, one.on_screen(now), now=now, temperature_f=temperature_f, **more)

        revoked, erased, used, foreign = held(), held(), held(), Phone().check_in(make_venue())
        revoke_passes(owner_hashes=[revoked.secrets.owner_hash], now=NOW)
        erase_owners([erased.secrets.owner_hash], NOW)
        assert result(show(used)) == "Approved"
        afternoon = NOW.replace(hour=13)
        return {
            "prefix": lambda: scan(door, "garbage", now=NOW, temperature_f=98.0),
            "base45": lambda: scan(door, "GO1:" + "a" * 168, now=NOW, temperature_f=98.0),
            "text_length": lambda: scan(door, "GO1:" + "A" * 5000, now=NOW, temperature_f=98.0),
            "signature": lambda: show(foreign),
            "slot": lambda: scan(door, used.on_screen(NOW - 5 * MINUTE), now=NOW, temperature_f=98.0),
            "too_late": lambda: show(used, at=NOW - dt.timedelta(days=8)),
            "rotating_required": lambda: scan(door, used.on_paper(), now=NOW, temperature_f=98.0),
            "replay": lambda: show(used),
            "revoked": lambda: show(revoked),
            "erased": lambda: show(erased),
            "temperature": lambda: show(held(), temperature_f=101.0),
            "reading_missing": lambda: show(held(), temperature_f=None),
            "full": lambda: show(held()),
            "closed": lambda: show(held(), now=afternoon),
        }

    def test_every_red_light_has_the_same_status_headers_and_bytes(self, venue: Venue, door: EnrolledDevice) -> None:
        answers = {cause: ask() for cause, ask in self.causes(venue, door).items()}

        bodies = {(answer.status_code, answer.content) for answer in answers.values()}
        headers = {
            tuple(sorted((name, value) for name, value in answer.headers.items() if not name.startswith("RateLimit")))
            for answer in answers.values()
        }
        assert bodies == {(200, b'{"result":"Declined"}')}
        assert len(headers) == 1
        assert set(Scan.objects.filter(approved=False).values_list("cause", flat=True)) == set(answers) - {"erased"}

    def test_the_time_of_a_red_light_does_not_tell_its_cause(self, venue: Venue, door: EnrolledDevice) -> None:
        """What the server knows of a pass (revoked, erased, readings, limits) must not show; garbage the door sees."""
        secret = ("revoked", "erased", "replay", "rotating_required", "too_late")
        asked = self.causes(venue, door)
        times: dict[str, list[float]] = {cause: [] for cause in secret}
        for _ in range(15):
            for cause in secret:
                began = time.perf_counter()
                assert result(asked[cause]()) == "Declined"
                times[cause].append(time.perf_counter() - began)
        lowest = max(statistics.quantiles(of, n=10)[0] for of in times.values())
        highest = min(statistics.quantiles(of, n=10)[-1] for of in times.values())
        assert lowest < highest
