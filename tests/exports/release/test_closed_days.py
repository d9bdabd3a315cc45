"""The nightly release: drawn once, in resumable steps."""

import datetime as dt
import errno
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import pytest
import time_machine
from django.core.management import CommandError, call_command
from django.db import connection, transaction
from django.db.utils import IntegrityError
from django.test import Client

from common.logs import PrivateFormatter
from common.models import AuditEntry
from common.purge import purge_expired
from exports import tasks
from exports.dataset.tables import CROWD_TRACING, DP_COUNTS, ZIP3
from exports.engine import run
from exports.lake.deployment import deployment_lake
from exports.lake.storage import local_path
from exports.models import Release, Step
from exports.policy.draw import Drawn
from exports.policy.fit import fit
from exports.release import closed_days
from exports.release.closed_days import ReleaseFailed, release_day, release_waiting, waiting_days
from exports.selectors import UnknownReleaseError
from passes.models import Pass, Scan
from tests.exports.engine.factories import published
from tests.exports.ledger import SIZE, announce
from tests.exports.rows import CLOSED, DAY, Place, a_pass, a_place, a_scan, a_scanned_pass
from tests.factories import make_organisation
from venues.models import Organisation, Venue

pytestmark = [pytest.mark.django_db(transaction=True), pytest.mark.usefixtures("deployment")]


@pytest.fixture
def place() -> Place:
    made = a_place()
    for number in range(300):
        a_scanned_pass(made, hour=number % 24, symptoms=number % 10 == 0)
    return made


def rows_of(name: str = CROWD_TRACING.name) -> int:
    return int(run.run_query(sql=f'SELECT count(*) AS n FROM "covid-19"."{name}"').result.table["n"][0].as_py())


def lake_files(folder: Path) -> dict[str, bytes]:
    return {str(path.relative_to(folder)): path.read_bytes() for path in sorted(folder.rglob("*.parquet"))}


def test_a_closed_day_is_released_and_the_published_query_says_so(place: Place) -> None:
    release = release_day(day=DAY, now=CLOSED)
    assert release.step == Step.ANNOUNCED
    fitted = fit(Drawn.from_bytes(bytes(release.drawn or b"")))
    assert rows_of() == fitted.total == release.manifest["rows"]
    assert abs(fitted.total - 300 / 0.9) < 150
    assert rows_of(ZIP3.name) == 933
    assert rows_of(DP_COUNTS.name) > 500
    text = published("daily_counts.sql").replace("2020-10-01", "2026-05-01").replace("2020-10-16", "2026-05-16")
    assert run.run_query(sql=text).result.table["total_count"].to_pylist() == [fitted.total]


def test_the_manifest_states_the_guarantee_and_the_split(place: Place) -> None:
    manifest = release_day(day=DAY, now=CLOSED).manifest
    assert manifest["guarantee"]["epsilon"] <= manifest["guarantee"]["budget"] == 8.0
    spent = sum(table["epsilon"] for table in manifest["tables"]) + manifest["epsilon_of_pool"]
    assert spent == pytest.approx(8.0)
    assert sum(table["share_of_budget"] for table in manifest["tables"] if table["core"]) >= 0.85


def test_rows_of_zips_that_nobody_knows_are_counted_and_shown(place: Place, client: Client) -> None:
    nowhere = a_place()
    Venue.objects.filter(pk=nowhere.venue.pk).update(zip="00099")  # like a list of ZIPs that lost one
    for _ in range(400):
        a_scanned_pass(nowhere)
    manifest = release_day(day=DAY, now=CLOSED).manifest
    assert abs(manifest["rows_of_unknown_zip"] - 400 / 0.9) < 60
    assert manifest["rows_without_zip"] > 400
    shown = client.get("/api/v1/datasets/covid-19").json()["coverage"]
    assert shown["rows_of_unknown_zip"] == manifest["rows_of_unknown_zip"]
    unjoined = 'SELECT count(*) AS n FROM "covid-19"."aspirevc_crowd_tracing" WHERE scannerdevice_zipcode = \'\''
    assert run.run_query(sql=unjoined).result.table["n"].to_pylist() == [manifest["rows_without_zip"]]


def test_a_day_is_not_released_before_it_is_closed(place: Place) -> None:
    early = CLOSED - dt.timedelta(days=1)
    assert waiting_days(now=early) == []
    with pytest.raises(ReleaseFailed):
        release_day(day=DAY, now=early)
    assert not Release.objects.exists()


class TestCatchingUp:
    """A machine that was off at night publishes the days it missed, one in each task, oldest first."""

    @pytest.fixture
    def asked(self, monkeypatch: pytest.MonkeyPatch) -> list[tuple[Any, ...]]:
        """Return the tasks sent meanwhile."""
        asked: list[tuple[Any, ...]] = []
        monkeypatch.setattr(tasks, "utc_now", lambda: CLOSED)
        monkeypatch.setattr(tasks.catch_up, "apply_async", lambda args, **_: asked.append(tuple(args)))
        return asked

    def test_each_task_releases_one_day_and_asks_for_the_next(self, place: Place, asked: list[tuple[Any, ...]]) -> None:
        days = [DAY - dt.timedelta(days=back) for back in (2, 1, 0)]
        closed_days.mark_served(days=set(days))
        arguments: tuple[Any, ...] = ()
        for number, day in enumerate(days, start=1):
            tasks.catch_up(*arguments)
            assert list(Release.objects.order_by("day").values_list("day", "step")) == [
                (done, Step.ANNOUNCED) for done in days[:number]
            ]
            arguments = asked[-1]
            assert arguments == (day.isoformat(),)
        tasks.catch_up(*arguments)
        assert len(asked) == len(days)

    def test_a_day_that_fails_holds_up_none_after_it_and_is_not_tried_for_ever(
        self, place: Place, asked: list[tuple[Any, ...]], monkeypatch: pytest.MonkeyPatch
    ) -> None:
        bad = DAY - dt.timedelta(days=1)
        closed_days.mark_served(days={bad})
        whole = closed_days.release_day

        def failing(*, day: dt.date, now: dt.datetime) -> Release:
            if day == bad:
                raise ReleaseFailed("a check")
            return whole(day=day, now=now)

        monkeypatch.setattr(closed_days, "release_day", failing)
        tasks.catch_up()
        tasks.catch_up(*asked[-1])
        tasks.catch_up(*asked[-1])
        assert asked == [(bad.isoformat(),), (DAY.isoformat(),)]
        assert waiting_days(now=CLOSED) == [bad]


def test_a_day_that_nobody_served_is_never_guessed(place: Place) -> None:
    before = DAY - dt.timedelta(days=1)
    with pytest.raises(ReleaseFailed):
        release_day(day=before, now=CLOSED)
    assert waiting_days(now=CLOSED) == [DAY]


def test_an_empty_day_that_was_served_is_released_as_such() -> None:
    closed_days.mark_served(days={DAY})
    [release] = release_waiting(now=CLOSED)
    assert release.step == Step.ANNOUNCED
    assert release.manifest["rows"] < 100


class TestDaysWhoseRowsAreGone:
    """Rows are kept a fortnight. A day not counted by then is a gap with a reason, never an empty day."""

    LATE = CLOSED + dt.timedelta(days=14)

    def test_a_day_that_was_purged_before_its_release_is_given_up_once_and_says_why(
        self, place: Place, caplog: pytest.LogCaptureFixture
    ) -> None:
        later = DAY + dt.timedelta(days=12)
        a_scanned_pass(place, day=later)
        closed_days.mark_served(days={DAY, later})
        purge_expired(now=self.LATE)
        assert not Pass.objects.filter(epoch=DAY).exists()
        assert [release.day for release in release_waiting(now=self.LATE)] == [later]
        lost = Release.objects.get(day=DAY)
        assert (lost.step, lost.epsilon, lost.lost_at) == (Step.OPENED, None, self.LATE)
        assert f"{DAY} published nothing: rows were past their term" in caplog.text
        assert closed_days.failures(now=self.LATE) == [f"{DAY}: {lost.failure}"]
        after = self.LATE + dt.timedelta(days=1)
        assert waiting_days(now=after) == []
        assert (release_waiting(now=after), closed_days.failures(now=after)) == ([], [])

    def test_it_is_not_counted_either_while_the_purge_is_due_or_at_work(self, place: Place) -> None:
        last_call = dt.datetime(2026, 5, 28, 4, tzinfo=dt.UTC)  # 13 days after the end of the epoch
        with pytest.raises(ReleaseFailed, match="past their term"):
            release_day(day=DAY, now=last_call)
        assert Pass.objects.filter(epoch=DAY).count() == 300
        assert release_day(day=DAY, now=last_call - dt.timedelta(seconds=1)).step == Step.ANNOUNCED

    def test_a_day_that_a_wrong_clock_gave_up_is_released_when_somebody_names_it(self, place: Place) -> None:
        assert release_waiting(now=CLOSED + dt.timedelta(days=4000)) == []
        assert waiting_days(now=CLOSED) == []
        release = release_day(day=DAY, now=CLOSED)
        assert (release.step, release.lost_at, release.failure) == (Step.ANNOUNCED, None, "")

    def test_a_day_drawn_in_time_is_published_although_its_rows_are_gone(
        self, place: Place, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        with monkeypatch.context() as patched:
            patched.setattr(closed_days, "_write", lambda *_: (_ for _ in ()).throw(OSError))
            assert release_waiting(now=CLOSED) == []
        purge_expired(now=self.LATE)
        [release] = release_waiting(now=self.LATE)
        assert release.manifest["rows"] > 200

    def test_a_simulated_town_ages_by_its_own_clock(self, place: Place) -> None:
        Organisation.objects.update(simulated_until=CLOSED)
        [release] = release_waiting(now=CLOSED + dt.timedelta(days=4000))
        assert release.manifest["rows"] > 200

    def test_an_organisation_that_came_later_had_no_rows_to_lose(self, place: Place) -> None:
        Organisation.objects.update(simulated_until=CLOSED)
        make_organisation(now=CLOSED)
        make_organisation(verified=False)
        assert len(release_waiting(now=CLOSED + dt.timedelta(days=4000))) == 1

    def test_a_served_day_without_any_rows_left_is_not_an_empty_day(self) -> None:
        closed_days.mark_served(days={DAY})
        assert release_waiting(now=self.LATE) == []
        assert Release.objects.get().lost_at == self.LATE


def test_days_are_released_oldest_first(place: Place) -> None:
    earlier = DAY - dt.timedelta(days=2)
    a_scanned_pass(place, day=earlier)
    assert [release.day for release in release_waiting(now=CLOSED)] == [earlier, DAY]
    assert waiting_days(now=CLOSED) == []


class TestDrawnOnce:
    """Retries, races, late scans and erasures change no published number."""

    def test_a_released_day_is_not_drawn_again(self, place: Place) -> None:
        first = release_day(day=DAY, now=CLOSED)
        again = release_day(day=DAY, now=CLOSED + dt.timedelta(days=1))
        assert bytes(again.drawn or b"") == bytes(first.drawn or b"")
        assert again.announced_at == first.announced_at

    @pytest.mark.parametrize("killed", ["_check", "_write", "_catalogue", "_announce"])
    def test_killed_at_any_step_and_run_again_it_writes_the_same_files(
        self, place: Place, killed: str, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
    ) -> None:
        def die(*_: object) -> None:
            raise KeyboardInterrupt

        with monkeypatch.context() as patched:
            patched.setattr(closed_days, killed, die)
            with pytest.raises(KeyboardInterrupt):
                release_day(day=DAY, now=CLOSED)
        drawn = bytes(Release.objects.get().drawn or b"")
        left = lake_files(tmp_path / "lake")
        Pass.objects.filter(symptoms=True).delete()
        release = release_day(day=DAY, now=CLOSED)
        assert bytes(release.drawn or b"") == drawn
        files = lake_files(tmp_path / "lake")
        assert left.items() <= files.items()
        assert rows_of() == fit(Drawn.from_bytes(drawn)).total

    def test_an_erasure_or_a_late_scan_between_two_tries_changes_nothing(
        self, place: Place, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        def refuse(*_: object) -> None:
            raise ReleaseFailed("not today")

        with monkeypatch.context() as patched:
            patched.setattr(closed_days, "_check", refuse)
            with pytest.raises(ReleaseFailed):
                release_day(day=DAY, now=CLOSED)
        drawn = bytes(Release.objects.get().drawn or b"")
        Scan.objects.filter(tag__in=Pass.objects.values("tag")[:50]).delete()
        for _ in range(40):
            a_scanned_pass(place)
        assert bytes(release_day(day=DAY, now=CLOSED).drawn or b"") == drawn

    def test_two_workers_at_once_draw_one_day_once(self, place: Place) -> None:
        def work() -> bytes:
            try:
                return bytes(release_day(day=DAY, now=CLOSED).drawn or b"")
            finally:
                connection.close()

        with ThreadPoolExecutor(2) as pool:
            one, two = pool.submit(work), pool.submit(work)
            assert one.result() == two.result()
        assert Release.objects.count() == 1
        assert rows_of() == Release.objects.get().manifest["rows"]

    def test_the_exact_counts_and_the_draw_go_together_or_not_at_all(
        self, place: Place, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.setattr(closed_days, "draw", lambda **_: (_ for _ in ()).throw(MemoryError))
        with pytest.raises(ReleaseFailed):
            release_day(day=DAY, now=CLOSED)
        row = Release.objects.get()
        assert (row.step, row.drawn, row.epsilon) == (Step.OPENED, None, None)

    def test_the_ledger_itself_refuses_more_than_the_budget_and_a_second_row(self, place: Place) -> None:
        release = release_day(day=DAY, now=CLOSED)
        with pytest.raises(IntegrityError), transaction.atomic():
            Release.objects.filter(pk=release.pk).update(epsilon=release.budget * 1.01)
        with pytest.raises(IntegrityError), transaction.atomic():
            Release.objects.create(day=DAY, budget=1.0)

    def test_a_changed_setting_does_not_change_a_day_that_was_opened(
        self, place: Place, monkeypatch: pytest.MonkeyPatch, settings: Any
    ) -> None:
        with monkeypatch.context() as patched:
            patched.setattr(closed_days, "exact_counts", lambda **_: (_ for _ in ()).throw(OSError))
            with pytest.raises(ReleaseFailed):
                release_day(day=DAY, now=CLOSED)
        settings.DATASET_EPSILON = 50.0
        assert release_day(day=DAY, now=CLOSED).budget == 8.0


def test_a_failed_check_publishes_nothing_and_says_why(place: Place, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(closed_days, "release_failures", lambda **_: ["userid is not empty"])
    with pytest.raises(ReleaseFailed, match="userid"):
        release_day(day=DAY, now=CLOSED)
    assert Release.objects.get().failure == "userid is not empty"
    assert rows_of() == 0
    assert run.run_query(sql="SELECT 1 AS one").as_of is None


def test_tries_are_bounded_and_other_days_go_on(place: Place, monkeypatch: pytest.MonkeyPatch) -> None:
    later = DAY + dt.timedelta(days=1)
    a_scanned_pass(place, day=later)
    now = CLOSED + dt.timedelta(days=1)
    real = closed_days._write
    tried: list[dt.date] = []

    def broken(lake: Any, drawn: Drawn, fitted: Any, job: Any) -> None:
        tried.append(drawn.day)
        if drawn.day == DAY:
            raise OSError("bucket is gone")
        real(lake, drawn, fitted, job)

    monkeypatch.setattr(closed_days, "_write", broken)
    for _ in range(closed_days.TRIES + 3):
        release_waiting(now=now)
    assert tried.count(DAY) == closed_days.TRIES
    assert tried.count(later) == 1
    assert Release.objects.get(day=later).step == Step.ANNOUNCED
    assert closed_days.failures(now=now) == [f"{DAY}: step write: OSError (tried 5 times; --date {DAY} tries again)"]
    monkeypatch.undo()
    assert release_day(day=DAY, now=now).step == Step.ANNOUNCED


def test_a_failure_names_its_step_and_kind_in_log_and_ledger_and_nothing_secret(
    place: Place, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    def no_space(*_: object) -> None:
        raise OSError(errno.ENOSPC, "canary", "/canary/of/a/path")

    monkeypatch.setattr(closed_days, "_write", no_space)
    release_waiting(now=CLOSED)
    [record] = [each for each in caplog.records if each.levelname == "ERROR"]
    line = PrivateFormatter().format(record)
    assert f"the release of {DAY} published nothing: step write: OSError errno 28" in line
    assert "exports/release/closed_days.py" in line
    assert Release.objects.get().failure == "step write: OSError errno 28"
    assert "canary" not in line + Release.objects.get().failure


def test_the_command_says_why_days_were_not_released(place: Place, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(closed_days, "exact_counts", lambda **_: (_ for _ in ()).throw(MemoryError))
    with (
        time_machine.travel(CLOSED, tick=False),
        pytest.raises(CommandError, match=f"{DAY}: step draw: MemoryError"),
    ):
        call_command("release")


def test_a_release_is_in_the_audit_log(place: Place) -> None:
    release_day(day=DAY, now=CLOSED)
    assert AuditEntry.objects.filter(verb="release", subject="2026-05-14").count() == 1


def test_a_query_goes_back_to_the_release_of_a_day(place: Place) -> None:
    release_day(day=DAY, now=CLOSED)
    first = rows_of()
    later = DAY + dt.timedelta(days=1)
    for _ in range(200):
        a_scanned_pass(place, day=later)
    release_day(day=later, now=CLOSED + dt.timedelta(days=1))
    assert rows_of() > first
    back = run.run_query(sql='SELECT count(*) AS n FROM "covid-19"."aspirevc_crowd_tracing"', as_of=DAY)
    assert (back.result.table["n"][0].as_py(), back.as_of) == (first, DAY)
    with pytest.raises(UnknownReleaseError):
        run.run_query(sql="SELECT 1", as_of=dt.date(2020, 1, 1))


def test_no_tag_or_owner_of_a_pass_reaches_the_lake(place: Place, tmp_path: Path) -> None:
    row = a_pass(place)
    a_scan(place, row)
    release_day(day=DAY, now=CLOSED)
    with deployment_lake() as lake:
        files = [path for path in local_path(lake.storage.url).rglob("*") if path.is_file()]
    canaries = [bytes(row.tag), bytes(row.owner_hash), row.id.bytes]
    for body in (path.read_bytes() for path in files):
        assert not any(canary in body or canary.hex().encode() in body for canary in canaries)


def test_a_day_that_moved_too_far_is_published_only_when_somebody_has_looked(settings: Any) -> None:
    announce(DAY, now=CLOSED)
    settings.DATASET_DRIFT_LIMITS = {"factor": 1.5}
    later = DAY + dt.timedelta(days=1)
    with pytest.raises(ReleaseFailed, match="2 times that of 2026-05-14"):
        announce(later, now=CLOSED, size=2 * SIZE)
    assert Release.objects.get(day=later).step == Step.DRAWN
    assert run.run_query(sql="SELECT 1 AS one").as_of == DAY
    release = release_day(day=later, now=CLOSED, accept_drift=True)
    assert release.step == Step.ANNOUNCED
    assert "2 times" in release.manifest["drift_accepted"][0]


def test_the_command_accepts_drift_only_of_a_day_that_is_named() -> None:
    with pytest.raises(CommandError, match="--date"):
        call_command("release", "--accept-drift")
