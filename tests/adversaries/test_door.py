"""P1: a door learns one bit, and nothing else about health."""

import datetime as dt
import itertools
from collections.abc import Callable
from typing import Any

import pytest
from django.db import connection

from common.web.moments import moments_of
from passes.models import Scan
from passes.services.erasure import erase_owners
from passes.services.holders import revoke_passes
from tests.factories import NOW, EnrolledDevice, make_device, make_venue
from tests.passes.people import HeldPass, Phone, result, scan, send
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
        """Return one red light for each cause that a door can produce."""

        def held() -> HeldPass:
            return Phone().check_in(venue)

        def show(one: HeldPass, *, now: dt.datetime = NOW, temperature_f: float | None = 98.0, **more: Any) -> Any:
            return scan(door, one.on_screen(now), now=now, temperature_f=temperature_f, **more)

        revoked, erased, used, hot, unread, late = (held() for _ in range(6))
        foreign = Phone().check_in(make_venue())
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
            "temperature": lambda: show(hot, temperature_f=101.0),
            "reading_missing": lambda: show(unread, temperature_f=None),
            "full": lambda: show(late),
            "closed": lambda: show(late, now=afternoon),
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

    def test_every_red_light_takes_the_same_statements(self, venue: Venue, door: EnrolledDevice) -> None:
        """The server does the same work for every red light; moments hide the remaining differences."""
        asked = self.causes(venue, door)
        taken = {cause: statements_of(ask) for cause, ask in asked.items()}
        assert len(set(taken.values())) == 1, taken
        assert len(taken["erased"]) == 2

    def test_answers_leave_at_moments_above_the_slowest_cause(self) -> None:
        """`tests/common/web/test_moments.py` tests that the front uses them; `benchmarks/door_timing.py` measures."""
        for path in ("/api/v1/scans", "/api/v1/scans/batch"):
            moments = moments_of(path)
            assert moments is not None
            assert len({moments.after(ready, 300) for ready in (0.001, 0.005, 0.02, moments.first)}) == 1

    @pytest.mark.parametrize("cause", ["revoked", "erased", "temperature", "signature", "prefix"])
    def test_repeats_of_one_code_end_whatever_they_would_tell(
        self, venue: Venue, door: EnrolledDevice, cause: str, settings: Any
    ) -> None:
        settings.THROTTLES = settings.THROTTLES | {"code": "5/minute"}
        other = make_device(venue=venue)
        ask = self.codes(venue)[cause]
        statuses = [ask(each).status_code for each in (door, other) * 4]
        assert statuses == [200] * 5 + [429] * 3
        assert result(scan(door, "another code", now=NOW)) == "Declined"

    def test_repeats_in_small_batches_end_as_well(self, venue: Venue, door: EnrolledDevice, settings: Any) -> None:
        settings.THROTTLES = settings.THROTTLES | {"code": "5/minute"}
        held, numbers = Phone().check_in(venue), itertools.count()

        def upload(device: EnrolledDevice, *codes: str) -> int:
            read = {"type": "Checkin", "scanned_at": NOW.isoformat()}
            items = [read | {"scan_id": f"scan-{next(numbers):016}", "credential": code} for code in codes]
            answered = send("POST", "/api/v1/scans/batch", {"scans": items}, now=NOW, headers=device.header)
            return int(answered.status_code)

        other = make_device(venue=venue)
        assert upload(door, *[held.on_paper()] * 20) == 200, "a queue may hold one code many times"
        assert [upload(each, held.on_paper(), "filler") for each in (door, other) * 3] == [200] * 4 + [429] * 2
        assert upload(door, "another code") == 200

    def test_repeats_of_one_code_wait_equally(self, venue: Venue, door: EnrolledDevice) -> None:
        ask = self.codes(venue)
        parts = {cause: {one(door).moment_part for _ in range(3)} for cause, one in ask.items()}
        assert all(len(each) == 1 for each in parts.values())
        assert len(set.union(*parts.values())) == len(parts)

    def codes(self, venue: Venue) -> dict[str, Callable[[EnrolledDevice], Any]]:
        """Return one code for each cause, displayed in three slots in turn, because its text alone is not the code."""
        revoked, erased, good = (Phone().check_in(venue) for _ in range(3))
        foreign = Phone().check_in(make_venue())
        revoke_passes(owner_hashes=[revoked.secrets.owner_hash], now=NOW)
        erase_owners([erased.secrets.owner_hash], NOW)
        slots = itertools.cycle([NOW - MINUTE, NOW, NOW + MINUTE])

        def showing(one: HeldPass) -> Callable[[EnrolledDevice], Any]:
            return lambda door: scan(door, one.on_screen(next(slots)), now=NOW, temperature_f=101.0)

        return {
            "revoked": showing(revoked),
            "erased": showing(erased),
            "temperature": showing(good),
            "signature": showing(foreign),
            "prefix": lambda door: scan(door, "garbage", now=NOW),
        }

    def test_uploads_of_one_device_end_too(self, door: EnrolledDevice, settings: Any) -> None:
        settings.THROTTLES = settings.THROTTLES | {"batch": "2/minute"}
        body = {"scans": [{"scan_id": "one-scan-as-a-batch", "credential": "GO1:A"}]}
        asked = [send("POST", "/api/v1/scans/batch", body, now=NOW, headers=door.header) for _ in range(3)]
        assert [answer.status_code for answer in asked] == [200, 200, 429]


def statements_of(ask: Cause) -> tuple[str, ...]:
    """Return the statements of a red light, without their values."""
    taken: list[str] = []

    def note(execute: Callable[..., Any], sql: str, *rest: Any) -> Any:
        taken.append(sql)
        return execute(sql, *rest)

    with connection.execute_wrapper(note):
        assert result(ask()) == "Declined"
    return tuple(taken)
