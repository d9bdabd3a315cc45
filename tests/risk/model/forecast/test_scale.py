"""The scale, and revisions."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from risk.model.forecast.panel import Panel, known_at, panel_of
from risk.model.forecast.revisions import corrected, correction
from risk.model.forecast.scale import Unit, in_season, scale_of
from tests.risk.model.forecast.seasons import made, rows_of, saturdays

WEEKS = saturdays(np.datetime64("2022-10-01"), np.datetime64("2023-04-01"))


def panel(values: np.ndarray) -> Panel:
    names = [f"{number}" for number in range(values.shape[1])]
    return panel_of(rows_of(WEEKS, names, values), as_of=WEEKS[-1])


@settings(deadline=None, max_examples=40)
@given(
    st.lists(st.floats(0.0, 1e5), min_size=len(WEEKS), max_size=len(WEEKS)),
    st.sampled_from(("count", "percent")),
    st.sampled_from((np.nan, 6e5, 3e7)),
)
def test_x_leads_back_to_the_value(series: list[float], unit: Unit, people: float) -> None:
    values = np.array(series)[:, None]
    scale = scale_of(panel(values), unit=unit, used=in_season(WEEKS), population=np.array([people]))
    np.testing.assert_allclose(scale.values(scale.x(values)), values, rtol=1e-6, atol=1e-4)


def test_series_of_one_shape_and_other_sizes_are_the_same_on_the_scale() -> None:
    shape = 20.0 + 1000.0 * np.exp(-0.5 * ((np.arange(len(WEEKS)) - 12.0) / 4.0) ** 2)
    values = np.column_stack([shape, 10.0 * shape])
    scale = scale_of(panel(values), unit="count", used=in_season(WEEKS), population=np.array([1e6, 1e7]))
    x = scale.x(values)
    np.testing.assert_allclose(x[:, 0], x[:, 1], atol=1e-9)
    alone = scale_of(panel(values), unit="count", used=in_season(WEEKS))
    x = alone.x(values)
    np.testing.assert_allclose(x[:, 0], x[:, 1], atol=1e-9)


def test_a_short_series_takes_the_level_of_the_others_and_says_so() -> None:
    values = np.column_stack([np.full(len(WEEKS), 50.0), np.full(len(WEEKS), np.nan), np.full(len(WEEKS), 70.0)])
    values[-3:, 1] = 60.0
    scale = scale_of(panel(values), unit="count", used=in_season(WEEKS), population=np.full(3, 1e6))
    assert scale.short.tolist() == [False, True, False]
    assert scale.top[0] < scale.top[1] < scale.top[2]


def test_revisions_are_learned_from_earlier_vintages_and_shrunk() -> None:
    season = made()
    panels = [known_at(season.history, vintage) for vintage in season.vintages[:12]]
    newest, before = correction(panels[-1], panels[:-1])
    assert newest == pytest.approx(-np.log(0.85) * 8 / 10, abs=0.02)
    assert before == pytest.approx(-np.log(0.95) * 8 / 10, abs=0.02)


def test_without_an_earlier_vintage_nothing_is_corrected() -> None:
    season = made()
    assert correction(known_at(season.history, season.vintages[0]), []).tolist() == [0.0, 0.0]


def test_a_correction_multiplies_the_newest_two_weeks() -> None:
    values = np.full((len(WEEKS), 1), 100.0)
    after = corrected(panel(values), np.log([1.2, 1.1])).values[:, 0]
    np.testing.assert_allclose(after[-3:], [100.0, 110.0, 120.0])
