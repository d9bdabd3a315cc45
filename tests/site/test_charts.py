"""Charts: every value is inside the drawing, ticks are round, and labels have space."""

import datetime as dt
import json
import re
from itertools import pairwise
from pathlib import Path

import pytest
from django.template.loader import render_to_string
from django.utils import translation
from hypothesis import given
from hypothesis import strategies as st

from crowdtrace.site.charts import bars, factors
from crowdtrace.site.charts.axes import Axis, path, points_top, round_values
from crowdtrace.site.charts.fan import FanData, fan_chart
from crowdtrace.site.charts.series import Point, series_chart

WEEK = dt.timedelta(weeks=1)
DAY = dt.date(2020, 10, 14)


# Axes -----------------------------------------------------------------------------------------------------------------
@given(st.floats(0.0, 1e9, allow_subnormal=False))
def test_ticks_reach_the_highest_value_in_few_steps(highest: float) -> None:
    ticks = round_values(highest)
    assert ticks[0] == 0.0
    assert ticks[-1] >= highest * (1 - 1e-6)
    assert 2 <= len(ticks) <= 6


@given(st.integers(0, 10**9))
def test_ticks_of_people_are_whole(people: int) -> None:
    ticks = round_values(people, whole=True)
    assert all(tick.is_integer() for tick in ticks)
    assert ticks[-1] >= people
    assert 2 <= len(ticks) <= 6


def test_an_axis_of_points_is_the_same_on_the_device_and_leaves_room() -> None:
    vectors = json.loads((Path(__file__).parents[1] / "data/rounding.json").read_text())["axis"]
    assert [points_top(most) for most, _ in vectors] == [top for _, top in vectors]
    for tenths in range(1_600):
        most = tenths / 10
        assert points_top(most) >= max(10.0, most)
        assert most <= 10.0 or points_top(most) <= 2.5 * most


def test_values_beyond_an_axis_are_placed_at_its_ends() -> None:
    axis = Axis(0, 8, 100, 20)
    assert [axis.at(value) for value in (-1, 0, 4, 8, 9)] == [100, 100, 60, 20, 20]


def test_a_path_without_points_is_empty() -> None:
    assert path([]) == path([], closed=True) == ""
    assert path([(0, 1.5), (2, 3)], closed=True) == "M0 1.5L2 3z"


# Bars -----------------------------------------------------------------------------------------------------------------
def test_the_smallest_bar_is_drawn_and_labels_of_hours_do_not_overlap() -> None:
    start = dt.datetime(2020, 10, 14, 9, tzinfo=dt.UTC)
    hours = [bars.HourCost(start + dt.timedelta(hours=at), "", at / 10, at < 5) for at in range(24)]
    chart = bars.costs_chart(hours, limit=0.5, today=DAY)
    assert min(bar.height for bar in chart.bars) == bars.LEAST_BAR
    assert all(bar.y + bar.height == chart.floor for bar in chart.bars)
    assert [bar.is_marked for bar in chart.bars] == [True] * 5 + [False] * 19
    labelled = [at for at, bar in enumerate(chart.bars) if bar.label]
    assert all(after - before >= bars.BARS_OF_LABEL for before, after in pairwise(labelled))
    assert labelled[-1] + bars.BARS_OF_LABEL <= len(hours)
    assert [chart.bars[at].label for at in labelled] == ["noon", "4 p.m.", "8 p.m.", "Thu", "4 a.m."]


def test_a_chart_has_decimal_points_and_right_labels_in_every_language() -> None:
    with translation.override("es"):
        text = render_to_string("site/charts/bars.html", {"chart": bars.scores_chart([9, 0, 99, 5], threshold=0.5)})
    numbers = re.findall(r' (?:x|y|width|height|y1|y2)="([^"]*)"', text)
    assert numbers
    assert all(re.fullmatch(r"-?\d+(\.\d+)?", number) for number in numbers)
    assert ">0,5</text>" in text, "a label has the language's decimal comma"


# Factors --------------------------------------------------------------------------------------------------------------
def test_factors_are_in_order_on_the_axis_and_halves_mirror_doubles() -> None:
    places = [factors.ACROSS.at(value) for value in (0.01, 0.2, 0.5, 1.0, 2.0, 5.0, 100.0)]
    assert places == sorted(places)
    assert (places[0], places[-1]) == (0.0, factors.WIDTH)
    assert factors.ACROSS.at(0.5) + factors.ACROSS.at(2.0) == pytest.approx(2 * factors.ACROSS.at(1.0), abs=0.2)
    assert factors.UPWARD.at(5.0) < factors.UPWARD.at(1.0) < factors.UPWARD.at(0.2)


# Series ---------------------------------------------------------------------------------------------------------------
def test_a_series_shows_values_below_zero_and_no_line_across_missing_days() -> None:
    days = [DAY + dt.timedelta(days=past) for past in (0, 1, 2, 5, 6)]
    values = [10, -10, 0, 5, 10]
    made = series_chart([Point(day, value, value - 10, value + 10) for day, value in zip(days, values, strict=True)])
    assert made is not None
    assert (made.top, made.bottom) == (20, -20)
    assert made.zero == made.height / 2
    assert [y for _x, y, _point in made.dots] == [made.height * (20 - value) / 40 for value in values]
    assert made.line.count("M") == made.band.count("M") == 2


# Fan ------------------------------------------------------------------------------------------------------------------
def test_nothing_is_drawn_outside_of_a_fan_chart() -> None:
    weeks = [DAY + number * WEEK for number in (1, 2, 3, 4)]
    data = FanData(
        as_of=DAY,
        past=[(DAY - number * WEEK, 10.0 * number) for number in range(30, -1, -1)],
        medians=[(week, 50.0) for week in weeks],
        intervals=[(95, [(week, 0.0, 400.0) for week in weeks]), (50, [(week, 20.0, 80.0) for week in weeks])],
        later=[(weeks[0], 55.0), (weeks[3] + WEEK, 9e9)],
    )
    made = fan_chart(data, width=340, height=270)
    points = [*made.dots, *made.later]
    for _share, outline in made.bands:
        points += [(float(x), float(y)) for x, y in re.findall(r"([\d.]+) ([\d.]+)", outline)]
    assert all(made.left <= x <= made.right and made.top <= y <= made.base for x, y in points)
    assert len(made.later) == 1
    assert made.days[-1].day == DAY
    assert fan_chart(data, width=760, height=320).days[-1].day == weeks[3]
