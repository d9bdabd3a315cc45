"""A ledger that lost a draw: the lake still has it, and no day is drawn twice."""

import datetime as dt
from typing import Any, Final

import pytest

from exports.dataset.tables import CROWD_TRACING, DP_COUNTS
from exports.lake.deployment import deployment_lake
from exports.models import Release, Step
from exports.release import closed_days, draw_log
from exports.release.closed_days import ReleaseFailed, release_day, release_waiting
from passes.models import Pass
from tests.exports.rows import CLOSED, DAY, a_place, a_scanned_pass

pytestmark = [pytest.mark.django_db(transaction=True), pytest.mark.usefixtures("passes")]

LATER: Final = CLOSED + dt.timedelta(hours=20)
LONG_AFTER: Final = CLOSED + dt.timedelta(days=400)
COLUMNS: Final = ("day", "budget", "epsilon", "drawn", "drawn_at", "announced_at", "step", "failure")


@pytest.fixture(params=["deployment", "deployment_in_s3"])
def storage_kind(request: pytest.FixtureRequest) -> None:
    """Use a lake in a folder, and in a bucket."""
    request.getfixturevalue(request.param)


@pytest.fixture
def passes(storage_kind: None) -> None:
    place = a_place()
    for number in range(120):
        a_scanned_pass(place, hour=number % 24, symptoms=number % 10 == 0)


@pytest.fixture
def never_again(passes: None, monkeypatch: pytest.MonkeyPatch) -> None:
    """Release the day; from then on every draw fails."""
    release_day(day=DAY, now=CLOSED)
    monkeypatch.setattr(closed_days, "draw", refuse)


def refuse(**_: object) -> None:
    raise AssertionError("drawn a second time")


def rows() -> list[list[dict[str, Any]]]:
    """Return what readers see."""
    with deployment_lake() as lake:
        return [lake.table(each).scan().to_arrow().to_pylist() for each in (CROWD_TRACING, DP_COUNTS)]


def ledger() -> list[dict[str, Any]]:
    found = list(Release.objects.order_by("day").values(*COLUMNS))
    return [row | {"drawn": bytes(row["drawn"] or b"")} for row in found]


def clear_log() -> None:
    with deployment_lake() as lake:
        objects = lake.storage.objects()
        objects.remove(list(objects.versions(lake.storage.at(draw_log.FOLDER))))


@pytest.mark.usefixtures("never_again")
class TestForgottenByTheLedger:
    def test_the_same_numbers_and_the_same_spending_come_back_though_rows_changed(self) -> None:
        before = ledger(), rows()
        Release.objects.all().delete()
        Pass.objects.filter(symptoms=True).delete()
        [release] = release_waiting(now=LATER)
        assert (ledger(), rows()) == before
        assert release.manifest["announced_at"] == "2026-05-17T06:00:00Z"

    def test_a_day_unknown_to_the_database_is_restored_too(self) -> None:
        before = ledger(), rows()
        Release.objects.all().delete()
        Pass.objects.all().delete()
        assert [release.day for release in release_waiting(now=LATER)] == [DAY]
        assert (ledger(), rows()) == before

    def test_a_release_of_the_day_by_name_gives_the_same(self) -> None:
        before = ledger(), rows()
        Release.objects.all().delete()
        release_day(day=DAY, now=LATER)
        assert (ledger(), rows()) == before

    def test_a_day_that_was_given_up_meanwhile_is_back_once_its_draw_is(self) -> None:
        before = ledger()
        Release.objects.update(
            step=Step.OPENED, drawn=None, epsilon=None, announced_at=None, number=None, lost_at=LATER, tries=9
        )
        release_waiting(now=LONG_AFTER)
        assert ledger() == before

    def test_a_changed_budget_holds_for_other_days(self, settings: Any) -> None:
        Release.objects.all().delete()
        settings.DATASET_EPSILON = 0.5
        release_waiting(now=LATER)
        assert Release.objects.get().budget == 8.0

    def test_a_release_whose_draw_is_lost_is_refused_with_advice(self) -> None:
        before = rows()
        clear_log()
        Release.objects.all().delete()
        with pytest.raises(ReleaseFailed, match=f"put draws/{DAY} of the newer lake back"):
            release_day(day=DAY, now=LATER)
        assert Release.objects.get().failure.startswith("a release of this day is in the lake")
        assert (Release.objects.get().epsilon, rows()) == (None, before)

    def test_an_unreadable_draw_is_not_drawn_again(self) -> None:
        with deployment_lake() as lake:
            lake.storage.objects().write(lake.storage.at(draw_log.FOLDER, DAY.isoformat()), b"{}")
        Release.objects.all().delete()
        with pytest.raises(ReleaseFailed, match=f"draws/{DAY} in the lake cannot be read"):
            release_day(day=DAY, now=LATER)

    def test_ledgers_of_before_the_log_fill_it_at_night(self) -> None:
        clear_log()
        release_waiting(now=LATER)
        before = ledger()
        Release.objects.all().delete()
        release_waiting(now=LATER)
        assert ledger() == before


class TestDrawnAndNotAnnounced:
    """No number of a draw is published before the lake has it; an unfinished check is repeated."""

    def test_a_draw_whose_check_failed_is_checked_again_and_not_drawn(self, monkeypatch: pytest.MonkeyPatch) -> None:
        with monkeypatch.context() as patched:
            patched.setattr(closed_days, "release_failures", lambda **_: ["moved by 0.61"])
            assert release_waiting(now=CLOSED) == []
            drawn = bytes(Release.objects.get().drawn or b"")
            Release.objects.all().delete()
            patched.setattr(closed_days, "draw", refuse)
            assert release_waiting(now=LATER) == []
            assert Release.objects.get().failure == "moved by 0.61"
        [release] = release_waiting(now=LATER)
        assert (bytes(release.drawn or b""), release.announced_at) == (drawn, LATER)

    def test_a_lake_that_does_not_take_the_draw_gets_it_before_the_check(self, monkeypatch: pytest.MonkeyPatch) -> None:
        def no_space(**_: object) -> None:
            raise OSError(28, "no space left")

        with monkeypatch.context() as patched:
            patched.setattr(draw_log, "keep", no_space)
            patched.setattr(closed_days, "_check", refuse)
            with pytest.raises(ReleaseFailed, match="step check: OSError"):
                release_day(day=DAY, now=CLOSED)
        assert Release.objects.get().step == Step.DRAWN
        assert release_day(day=DAY, now=CLOSED).step == Step.ANNOUNCED
