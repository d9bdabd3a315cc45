"""Weekly signals from released counts, and nothing but those."""

from __future__ import annotations

import datetime as dt
import math
from dataclasses import replace
from typing import Any

import numpy as np
import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext

from exports.dataset.tables import states_by_zip3
from exports.models import Release, Step
from exports.policy.domain import REFUSED
from exports.policy.draw import Drawn, Known, Usual, _draw, draw
from exports.policy.estimates import Estimates
from exports.policy.noise import variance
from exports.policy.signals import signals_of
from exports.radar.signals import Part, record_released_weeks, released_parts, weekly_numbers
from exports.release.closed_days import mark_served
from risk.models import Series, SeriesWeek
from risk.radar.series import week_of
from tests.exports.policy.factories import ZIPS, a_day_of, seeded_noise, tables, without_noise

pytestmark = pytest.mark.django_db
EVERYWHERE = tables(zip3=tuple(states_by_zip3()))
SATURDAY = dt.date(2026, 2, 7)
NOW = dt.datetime(2026, 2, 11, 6, tzinfo=dt.UTC)


@pytest.fixture(scope="module")
def drawn() -> Drawn:
    return draw(day=SATURDAY, counts=a_day_of(200_000, seed=5), tables=tables(), budget=4.0)


def release(drawn: Drawn, day: dt.date, **more: object) -> Release:
    values = {"step": Step.ANNOUNCED, "budget": 4.0, "epsilon": drawn.epsilon, "drawn": drawn.to_bytes(), **more}
    return Release.objects.create(day=day, **values)


def days(number: int, *, last: dt.date = SATURDAY) -> list[dt.date]:
    return [last - dt.timedelta(days=age) for age in range(number)]


def test_parts_are_those_of_the_table_of_signals(drawn: Drawn) -> None:
    found = {(one.signal, one.region): one for one in released_parts(release(drawn, SATURDAY))}
    table = {(each.signal, each.geo_value): each for each in signals_of(drawn, states_by_zip3())}
    for name, region in (("checkins", "902"), ("symptoms", "902"), ("symptoms", "ca"), ("diagnosed", "us")):
        part = found["check-ins" if name == "checkins" else name, region.upper()]
        assert (part.value, part.stderr) == (table[name, region].value, table[name, region].stderr)
        assert part.sample_size == table["checkins", region].value
    assert {region for _, region in found} == {"US", "MA", "NY", "CA", *ZIPS}
    assert {signal for signal, region in found if region == "US"} == {
        "check-ins", "symptoms", "diagnosed", "contact", "near", "masks", "distancing",
    }  # fmt: skip
    assert {signal for signal, region in found if region != "US"} == {"check-ins", "symptoms"}


def test_ratings_are_summed_with_the_error_of_their_stars(drawn: Drawn) -> None:
    table = drawn.table("risklevel_m_score")
    counts = table.noisy.sum(axis=(0, 1))[1:] / drawn.keep
    stars = np.arange(1, 6)
    [masks] = [one for one in released_parts(release(drawn, SATURDAY)) if one.signal == "masks"]
    assert (masks.value, masks.sample_size) == pytest.approx((stars @ counts, counts.sum()))
    noise = 55 * 9 * variance(table.scale) / drawn.keep**2
    assert masks.stderr == pytest.approx(math.sqrt(noise + stars**2 @ counts * 0.1 / 0.9))


def test_refusals_made_from_a_desk_bend_a_signal_no_more_than_the_release(drawn: Drawn) -> None:
    table = drawn.table("zip_risklevel_result")
    at = table.workload.axes[0].values.index("902")
    bent = table.noisy.copy()
    bent[at, 0, REFUSED] += 12_000
    usual = {"902": Usual(refused=5.0, scanned=60.0)}
    tables = tuple(replace(one, noisy=bent) if one is table else one for one in drawn.tables)
    values = [
        next(one.value for one in released_parts(release(each, day)) if one.region == "902")
        for each, day in (
            (replace(drawn, usual=usual), SATURDAY),
            (replace(drawn, usual=usual, tables=tables), SATURDAY - dt.timedelta(days=7)),
        )
    ]
    assert values[1] - values[0] < 500


def test_weeks_are_recorded_once_they_are_over(drawn: Drawn) -> None:
    for day in days(6, last=SATURDAY - dt.timedelta(days=1)):
        release(drawn, day)
    assert record_released_weeks(now=NOW) == 0
    release(drawn, SATURDAY)
    assert record_released_weeks(now=NOW) > 0
    assert set(SeriesWeek.objects.values_list("week", flat=True)) == {SATURDAY}
    row = SeriesWeek.objects.get(series__signal="check-ins", region="US")
    assert row.value == pytest.approx(7 * Estimates(drawn).total)
    share = SeriesWeek.objects.get(series__signal="symptoms", region="US")
    assert 0.0 < share.value < 100.0
    assert Series.objects.get(signal="masks").unit == "score"
    assert 1.0 <= SeriesWeek.objects.get(series__signal="masks").value <= 5.0


def test_recording_again_adds_nothing(drawn: Drawn) -> None:
    for day in days(7):
        release(drawn, day)
    record_released_weeks(now=NOW)
    before = SeriesWeek.objects.count()
    assert record_released_weeks(now=NOW + dt.timedelta(days=1)) == 0
    assert SeriesWeek.objects.count() == before


def test_a_day_that_is_released_late_is_a_revision(drawn: Drawn) -> None:
    for day in days(6):
        release(drawn, day)
    record_released_weeks(now=NOW)
    first = SeriesWeek.objects.get(series__signal="symptoms", region="US")
    release(drawn, days(7)[-1])
    later = NOW + dt.timedelta(days=1)
    record_released_weeks(now=later)
    rows = SeriesWeek.objects.filter(series__signal="symptoms", region="US").order_by("recorded_at")
    assert [row.recorded_at for row in rows] == [NOW, later]
    assert rows[0].sample_size == first.sample_size
    assert first.sample_size is not None
    assert rows[1].sample_size == pytest.approx(7 / 6 * first.sample_size)


def test_a_day_that_is_not_announced_yet_is_not_read(drawn: Drawn) -> None:
    for day in days(7):
        release(drawn, day, step=Step.CATALOGUED)
    assert record_released_weeks(now=NOW) == 0


def test_only_the_ledger_of_releases_is_read(drawn: Drawn) -> None:
    for day in days(7):
        release(drawn, day)
    with CaptureQueriesContext(connection) as asked:
        record_released_weeks(now=NOW)
    read = " ".join(query["sql"] for query in asked)
    assert "exports_release" in read
    assert "passes_" not in read
    assert "venues_" not in read


def a_weekly_draw(sunday: dt.date) -> Drawn:
    monday = sunday - dt.timedelta(days=6)
    counts = a_day_of(5_000, seed=7)
    return draw(day=sunday, counts=counts, tables=tables(), budget=1.0, known=Known(first_day=monday))


def test_a_week_that_is_drawn_as_one_has_a_value() -> None:
    sunday = SATURDAY + dt.timedelta(days=1)
    weekly = a_weekly_draw(sunday)
    release(weekly, sunday, days=7)
    assert record_released_weeks(now=NOW + dt.timedelta(days=1)) > 0
    row = SeriesWeek.objects.get(series__signal="check-ins", region="US")
    assert row.week == SATURDAY
    assert row.sample_size == pytest.approx(Estimates(weekly).total)
    assert row.value == pytest.approx(row.sample_size)
    share = SeriesWeek.objects.get(series__signal="symptoms", region="US")
    assert share.stderr is not None
    assert share.stderr < 2.5


def test_the_day_before_the_first_week_that_is_drawn_as_one_counts_in_its_proportion(drawn: Drawn) -> None:
    sunday = SATURDAY + dt.timedelta(days=1)
    release(drawn, SATURDAY - dt.timedelta(days=6))
    weekly = a_weekly_draw(sunday)
    release(weekly, sunday, days=7)
    record_released_weeks(now=NOW + dt.timedelta(days=1))
    row = SeriesWeek.objects.get(series__signal="check-ins", region="US")
    assert row.week == SATURDAY
    assert row.value == pytest.approx((Estimates(drawn).total + Estimates(weekly).total) * 7 / 8)


def test_a_share_needs_as_many_check_ins_as_the_document_says() -> None:
    """For a standard error of one percentage point, of which the noise is most."""
    domain = tables(zip3=tuple(sorted(states_by_zip3()))[:20], readings=False)
    empty = {name: np.zeros_like(counts) for name, counts in a_day_of(0, domain=domain).items()}
    found = signals_of(_draw(day=SATURDAY, counts=empty, tables=domain, budget=1.0, mechanism=without_noise), {})
    errors = {each.geo_type: each.stderr for each in found if each.signal == "symptoms"}
    needed = {kind: (100 * error * math.sqrt(7), 100 * error) for kind, error in errors.items()}
    assert needed["zip3"] == pytest.approx((135_000, 51_000), rel=0.01)
    assert needed["nation"] == pytest.approx((21_000, 8_000), rel=0.03)


def test_a_series_that_gets_simulated_days_says_so_from_then_on(drawn: Drawn, settings: Any) -> None:
    settings.EMBEDDED = False
    for day in days(7):
        release(drawn, day)
    record_released_weeks(now=NOW)
    assert not Series.objects.filter(simulated=True).exists()
    mark_served(days={SATURDAY}, simulated=True)
    record_released_weeks(now=NOW)
    assert not Series.objects.filter(simulated=False).exists()


def check_ins(number: float) -> list[Part]:
    return signal(number, 5.0, number, "check-ins")


def signal(value: float, stderr: float, sample: float, name: str = "symptoms") -> list[Part]:
    return [Part("902", name, value, stderr, sample) for _ in days(7)]


@pytest.mark.parametrize(
    ("value", "stderr", "sample"),
    [(1.0, 0.1, 5.0), (20.0, 500.0, 1000.0), (-40.0, 30.0, -100.0), (0.0, 50.0, 100.0)],
    ids=["few check-ins", "much noise", "negative", "nothing but noise"],
)
def test_a_signal_below_the_noise_has_no_value(value: float, stderr: float, sample: float) -> None:
    found = dict(weekly_numbers(SATURDAY, check_ins(sample) + signal(value, stderr, sample)))
    assert "symptoms" not in found
    assert list(weekly_numbers(SATURDAY, signal(value, 200.0, value, "check-ins"))) == []


def test_a_share_of_check_ins_that_may_be_noise_has_no_value() -> None:
    noise = signal(120.0, 150.0, 120.0, "check-ins")
    assert list(weekly_numbers(SATURDAY, noise + signal(100.0, 5.0, 120.0))) == []


def test_noise_alone_gives_no_area_a_value() -> None:
    empty = {name: np.zeros_like(counts) for name, counts in a_day_of(0, domain=EVERYWHERE).items()}
    drawn = [
        _draw(day=day, counts=empty, tables=EVERYWHERE, budget=1.0, mechanism=seeded_noise(number))
        for number, day in enumerate(days(7))
    ]
    found = [one for made in drawn for one in released_parts(release(made, made.day))]
    assert len({one.region for one in found}) > 900
    assert list(weekly_numbers(SATURDAY, found)) == []


def test_a_share_says_how_uncertain_it_is() -> None:
    number = dict(weekly_numbers(SATURDAY, check_ins(1000.0) + signal(30.0, 10.0, 1000.0)))["symptoms"]
    assert number.value == pytest.approx(3.0)
    noise = 100 * math.sqrt(7) * 10.0 / 7000.0
    assert number.stderr == pytest.approx(math.hypot(noise, 100 * math.sqrt(0.03 * 0.97 / 7000.0)))
    assert number.week == week_of(SATURDAY)
