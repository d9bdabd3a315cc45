"""P7: a thief who gets everything the server stores later finds what retention allows, and no more."""

import datetime as dt
from collections.abc import Iterator

import pytest
import time_machine

from common.purge import purge_expired
from common.tasks import purge
from common.time import deployment_zone
from passes.codec.epochs import epoch_end
from passes.models import IssuerKey, Name, Pass, Rating, RevokedEntry, Scan, Visit
from passes.tasks import make_and_blank_keys
from risk.crowd.reports import fold_reports
from tests.adversaries.stores import dump_tables, traces
from tests.factories import NOW, make_device, make_venue
from tests.passes.people import HeldPass, Phone, result, scan, send

pytestmark = pytest.mark.django_db
FORTNIGHT = dt.timedelta(days=14)
SECOND = dt.timedelta(seconds=1)
SCAN_ID = "canary-of-a-scan-id-0001"


class TestAThiefWhoComesLate:
    """A visitor checks in twice, is scanned, rates, shows a name, reports and revokes; then time passes."""

    @pytest.fixture
    def held(self) -> HeldPass:
        place = make_venue()
        door = make_device(venue=place)
        phone = Phone()
        one = phone.check_in(place)
        assert result(scan(door, one.on_screen(NOW), now=NOW, scan_id=SCAN_ID)) == "Approved"
        assert result(scan(door, "GO1:NONSENSE", now=NOW)) == "Declined"
        for path, body in (
            ("ratings", {"owner": one.owner, "masks": 4, "distancing": 2}),
            ("names", {"owner": one.owner, "name": "Canary"}),
            ("diagnoses", {"owners": [one.owner], "tested_on": NOW.date().isoformat(), "result": "negative"}),
            ("passes/revoke", {"owners": [one.owner]}),
        ):
            answer = send("POST", f"/api/v1/{path}", body, now=NOW)
            assert answer.status_code < 300, (path, answer.content)
        return one

    @pytest.fixture
    def end(self, held: HeldPass) -> dt.datetime:
        """Return the end of the pass's epoch, after the nightly run has counted the report."""
        over = epoch_end(NOW.date(), deployment_zone())
        fold_reports(now=over)
        return over

    def found(self, secret: bytes) -> Iterator[str]:
        """Yield tables that contain any of it."""
        needles = set(traces(secret))
        for name, content in dump_tables().items():
            if any(needle in content for needle in needles):
                yield name

    def test_until_the_epoch_ends_the_pass_id_is_kept_for_the_revocation_list(
        self, held: HeldPass, end: dt.datetime
    ) -> None:
        purge_expired(now=end - SECOND)
        assert list(self.found(held.secrets.anchor)) == ["public.passes_pass"]

    def test_after_the_epoch_the_pass_id_is_nowhere(self, held: HeldPass, end: dt.datetime) -> None:
        purge_expired(now=end)
        assert not list(self.found(held.secrets.anchor))
        assert "public.passes_pass" in set(self.found(held.secrets.owner_hash)), "the visit itself stays a fortnight"

    def test_the_key_that_signed_the_passes_is_gone_too(self, held: HeldPass, end: dt.datetime) -> None:
        with time_machine.travel(end, tick=False):
            make_and_blank_keys()
        assert IssuerKey.objects.get(epoch=NOW.date()).private is None

    def test_a_second_before_a_fortnight_is_over_the_visit_is_still_there(
        self, held: HeldPass, end: dt.datetime
    ) -> None:
        purge_expired(now=end + FORTNIGHT - SECOND)
        assert "public.passes_pass" in set(self.found(held.secrets.owner_hash))
        assert "public.passes_scan" in set(self.found(SCAN_ID.encode()))

    def test_after_a_fortnight_visits_scans_answers_and_ratings_are_gone(
        self, held: HeldPass, end: dt.datetime
    ) -> None:
        tag = bytes(Pass.objects.get().tag)
        purge_expired(now=end + FORTNIGHT)
        for secret in (held.secrets.anchor, held.secrets.owner_hash, tag, SCAN_ID.encode()):
            assert not list(self.found(secret))
        assert [model.objects.count() for model in (Pass, Scan, Visit, Rating, Name, RevokedEntry)] == [0] * 6

    def test_the_task_of_the_night_does_it(self, held: HeldPass, end: dt.datetime) -> None:
        with time_machine.travel(end + FORTNIGHT, tick=False):
            purge()
        assert not list(self.found(held.secrets.owner_hash))
