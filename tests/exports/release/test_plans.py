"""The cells of a day are fixed before the day, from public facts only."""

import datetime as dt
from typing import Any

import pytest
from django.db import transaction
from django.db.utils import IntegrityError

from exports.dataset.tables import CROWD_TRACING, SIGNALS, states_by_zip3
from exports.engine import run
from exports.lake.deployment import deployment_lake
from exports.models import Plan, Release, Step
from exports.policy.domain import ZIP_RISK_RESULT
from exports.policy.draw import Drawn, draw
from exports.policy.signals import first_of_week, signals_of
from exports.release.closed_days import ReleaseFailed, mark_served, release_day, waiting_days
from exports.release.plans import freeze_ahead, plan_of
from exports.release.signals import stored_signals
from tests.exports.ledger import BUDGET
from tests.exports.policy.factories import a_day_of, tables
from tests.exports.rows import a_place, a_scanned_pass
from tests.factories import make_organisation

MONDAY = dt.date(2026, 5, 4)
SUNDAY = dt.date(2026, 5, 10)
BEFORE = dt.datetime(2026, 5, 3, 5, 0, tzinfo=dt.UTC)
CLOSED = dt.datetime(2026, 5, 13, 6, 0, tzinfo=dt.UTC)
ONE_DAY = dt.timedelta(days=1)


def query(sql: str) -> list[tuple[Any, ...]]:
    return list(zip(*(column.to_pylist() for column in run.run_query(sql=sql).result.table.columns), strict=True))


@pytest.mark.django_db
class TestPlans:
    def test_tomorrow_s_areas_are_those_with_a_verified_venue_today(self) -> None:
        a_place(zip_code="94110")
        a_place(zip_code="02139", organisation=make_organisation(verified=False))
        plan = freeze_ahead(now=BEFORE)
        assert (plan.first_day, plan.last_day, plan.zips, plan.frozen_at) == (MONDAY, MONDAY, ["941"], BEFORE)

    def test_a_plan_never_changes(self) -> None:
        a_place(zip_code="94110")
        freeze_ahead(now=BEFORE)
        a_place(zip_code="02139")
        assert freeze_ahead(now=BEFORE + dt.timedelta(hours=3)).zips == ["941"]
        assert plan_of(MONDAY).zips == ["941"]

    def test_a_past_day_without_a_plan_gets_one_and_keeps_it(self) -> None:
        a_place(zip_code="94110")
        made = plan_of(MONDAY)
        a_place(zip_code="02139")
        assert plan_of(MONDAY) == made
        assert (made.zips, made.frozen_at) == (["941"], None)

    def test_weeks_begin_on_the_monday_that_is_set(self, settings: Any) -> None:
        settings.DATASET_WEEKLY_FROM = MONDAY.isoformat()
        week = freeze_ahead(now=BEFORE)
        assert (week.first_day, week.last_day) == (MONDAY, SUNDAY)
        assert freeze_ahead(now=BEFORE + ONE_DAY) == week
        assert plan_of(MONDAY - ONE_DAY).last_day == MONDAY - ONE_DAY

    def test_a_setting_that_changes_within_a_week_changes_nothing_of_it(self, settings: Any) -> None:
        freeze_ahead(now=BEFORE)
        settings.DATASET_WEEKLY_FROM = MONDAY.isoformat()
        tuesday = freeze_ahead(now=BEFORE + ONE_DAY)
        assert (tuesday.first_day, tuesday.last_day) == (MONDAY + ONE_DAY, MONDAY + ONE_DAY)
        assert plan_of(SUNDAY).first_day == SUNDAY

    def test_no_day_has_two_plans(self) -> None:
        Plan.objects.create(first_day=MONDAY, last_day=SUNDAY, zips=[])
        with pytest.raises(IntegrityError), transaction.atomic():
            Plan.objects.create(first_day=SUNDAY, last_day=SUNDAY + ONE_DAY, zips=[])

    def test_no_day_is_drawn_twice(self) -> None:
        Release.objects.create(day=SUNDAY, days=7, budget=1.0)
        for day, days in ((MONDAY, 1), (SUNDAY + ONE_DAY, 2)):
            with pytest.raises(IntegrityError, match="a_day_is_drawn_once"), transaction.atomic():
                Release.objects.create(day=day, days=days, budget=1.0)
        Release.objects.create(day=SUNDAY + ONE_DAY, budget=1.0)


@pytest.mark.django_db(transaction=True)
@pytest.mark.usefixtures("deployment")
class TestAWeekDrawnAsOne:
    def test_it_waits_for_its_last_day_and_is_one_entry_of_the_ledger(self, settings: Any) -> None:
        settings.DATASET_WEEKLY_FROM = MONDAY.isoformat()
        place = a_place()
        for number in range(7):
            for _ in range(40):
                a_scanned_pass(place, day=MONDAY + number * ONE_DAY)
        mark_served(days={SUNDAY})
        assert waiting_days(now=CLOSED - ONE_DAY) == []
        assert waiting_days(now=CLOSED) == [SUNDAY]
        with pytest.raises(ReleaseFailed):
            release_day(day=MONDAY, now=CLOSED)
        release = release_day(day=SUNDAY, now=CLOSED)
        drawn = Drawn.from_bytes(bytes(release.drawn or b""))
        assert (release.days, drawn.first_day, drawn.days) == (7, MONDAY, 7)
        assert release.manifest["first_day"] == MONDAY.isoformat()
        assert abs(release.manifest["rows"] - 280 / 0.9) < 100
        assert drawn.epsilon <= 8.0
        assert waiting_days(now=CLOSED) == []
        [(days,)] = query(f'SELECT count(DISTINCT scan_date) FROM "covid-19"."{CROWD_TRACING.name}"')
        assert days == 1
        assert query(f'SELECT DISTINCT time_value FROM "covid-19"."{SIGNALS.name}"') == [("2026-W19",)]


@pytest.mark.django_db(transaction=True)
@pytest.mark.usefixtures("deployment")
class TestSignalsOfAWeek:
    def drawn(self, day: dt.date, step: Step) -> Release:
        drawn = draw(day=day, counts=a_day_of(500), tables=tables(), budget=BUDGET)
        signals = stored_signals(signals_of(drawn, states_by_zip3()))
        return Release.objects.create(
            day=day, step=step, budget=BUDGET, epsilon=drawn.epsilon, drawn=drawn.to_bytes(), drawn_at=CLOSED,
            signals=signals, number=day.day if step == Step.ANNOUNCED else None,
        )  # fmt: skip

    def release(self, day: dt.date) -> Release:
        self.drawn(day, Step.DRAWN)
        return release_day(day=day, now=CLOSED)

    def test_a_late_day_completes_the_week_in_the_lake(self) -> None:
        days = [MONDAY + number * ONE_DAY for number in range(6)]
        late = days.pop(2)
        made = [*(self.drawn(day, Step.ANNOUNCED) for day in days), self.release(SUNDAY)]
        weekly = f'SELECT count(*) FROM "covid-19"."{SIGNALS.name}" WHERE time_value LIKE \'%W%\''
        assert query(weekly) == [(0,)]
        made.append(self.release(late))
        whole = (
            f'SELECT value, scan_date FROM "covid-19"."{SIGNALS.name}" '
            "WHERE geo_type = 'nation' AND signal = 'checkins' AND time_value = '2026-W19'"
        )
        [(value, partition)] = query(whole)
        sums = sum(line[4] for row in made for line in row.signals if (line[0], line[3]) == ("nation", "checkins"))
        assert (value, partition) == (pytest.approx(sums, abs=0.01), SUNDAY)
        assert first_of_week(partition) == MONDAY

    def test_a_lake_whose_columns_could_not_be_null_takes_nulls_from_now_on(self) -> None:
        with deployment_lake() as lake:
            table = lake.table(CROWD_TRACING)
            with table.update_schema(allow_incompatible_changes=True) as update:
                update.update_column("accesslevel", required=True)
            assert lake.table(CROWD_TRACING).schema().find_field("accesslevel").required
        self.release(MONDAY)
        with deployment_lake() as lake:
            assert lake.table(CROWD_TRACING).schema().find_field("accesslevel").optional


def test_the_areas_of_a_draw_are_those_of_its_plan() -> None:
    drawn = draw(day=MONDAY, counts=a_day_of(10), tables=tables(zip3=("021", "100", "902")), budget=BUDGET)
    assert drawn.table(ZIP_RISK_RESULT).workload.axes[0].values == ("", "021", "100", "902")
