"""Chances from quantiles, and areas that agree with their state."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy.stats import norm

from risk.model.forecast.levels import LEVELS, MEDIAN
from risk.model.forecast.outlook import chance_above, reconciled

NORMAL = norm.ppf(LEVELS)


@pytest.mark.parametrize("threshold", [-2.0, -0.3, 0.0, 0.4, 1.9])
def test_the_chance_of_a_normal_forecast_is_that_of_the_normal_distribution(threshold: float) -> None:
    found = chance_above(NORMAL[None], np.array([threshold]))
    assert found == pytest.approx([norm.sf(threshold)], abs=1e-9)


def test_nothing_is_surer_than_the_outer_quantiles() -> None:
    assert chance_above(NORMAL, np.array(50.0)) == pytest.approx(0.01)
    assert chance_above(NORMAL, np.array(-50.0)) == pytest.approx(0.99)


def test_a_forecast_that_is_one_number_reaches_it() -> None:
    assert chance_above(np.full(23, 4.0), np.array(4.0)) == pytest.approx(0.99)
    assert chance_above(np.full(23, 4.0), np.array(4.1)) == pytest.approx(0.01)


def test_without_a_threshold_there_is_no_chance() -> None:
    assert np.isnan(chance_above(NORMAL, np.array(np.nan)))


@given(st.lists(st.floats(0.0, 100.0), min_size=23, max_size=23), st.floats(0.0, 120.0), st.floats(0.0, 20.0))
def test_a_higher_threshold_is_never_likelier(values: list[float], threshold: float, more: float) -> None:
    quantiles = np.sort(values)
    assert chance_above(quantiles, np.array(threshold)) >= chance_above(quantiles, np.array(threshold + more)) - 1e-12


def fan(median: float, spread: float) -> np.ndarray:
    """Return four horizons around a median, each wider than the one before."""
    return np.array([np.maximum(median + spread * step * NORMAL, 0.0) for step in (1, 2, 3, 4)])


@given(
    st.lists(st.tuples(st.floats(5.0, 500.0), st.floats(0.01, 0.3), st.floats(0.5, 2.0)), min_size=1, max_size=6),
    st.floats(0.5, 2.0),
)
def test_areas_agree_with_their_state_afterwards(areas: list[tuple[float, float, float]], growth: float) -> None:
    level = np.array([one[0] for one in areas])
    parts = np.array([fan(size * factor, size * spread) for size, spread, factor in areas])
    whole = fan(1.25 * level.sum() * growth, 0.1 * level.sum())
    weights = np.ones(len(level))
    ours, theirs = reconciled(parts, whole, weights=weights, level=level, whole_level=1.25 * level.sum())
    assert ours[..., MEDIAN].sum(axis=0) == pytest.approx(0.8 * theirs[..., MEDIAN], rel=1e-6)
    assert (np.diff(ours, axis=-1) >= -1e-9).all()
    assert (ours >= 0.0).all()


def test_the_uncertain_one_moves_most() -> None:
    parts = np.array([fan(100.0, 1.0), fan(100.0, 20.0)])
    ours, theirs = reconciled(
        parts, fan(240.0, 2.0), weights=np.ones(2), level=np.array([100.0, 100.0]), whole_level=200.0
    )
    sure, unsure = ours[:, 0, MEDIAN]
    assert 100.0 < sure < 101.0 < 135.0 < unsure
    assert 239.0 < theirs[0, MEDIAN] < 240.0


def test_an_area_whose_median_is_zero_stays_and_the_others_agree_without_it() -> None:
    parts = np.array([fan(0.0, 3.0), fan(100.0, 10.0), fan(60.0, 5.0)])
    level = np.array([1.0, 90.0, 60.0])
    ours, theirs = reconciled(parts, fan(200.0, 10.0), weights=np.ones(3), level=level, whole_level=151.0)
    assert (ours[0] == parts[0]).all()
    assert ours[..., MEDIAN].sum(axis=0) == pytest.approx(theirs[..., MEDIAN])


def test_an_unsure_area_falls_to_half_at_most_so_that_its_range_does_not_vanish() -> None:
    parts = np.array([fan(150.0, 90.0), fan(500.0, 6.0)])
    ours, theirs = reconciled(
        parts, fan(520.0, 10.0), weights=np.ones(2), level=np.array([20.0, 500.0]), whole_level=520.0
    )
    assert ours[0, :, MEDIAN] == pytest.approx(75.0)
    assert (ours[0, :, -1] - ours[0, :, 0] >= 0.5 * (parts[0, :, -1] - parts[0, :, 0]) - 1e-9).all()
    assert ours[..., MEDIAN].sum(axis=0) == pytest.approx(theirs[..., MEDIAN])


def test_a_state_whose_median_is_zero_moves_nothing() -> None:
    parts, whole = np.array([fan(2.0, 1.0)]), fan(0.0, 1.0)
    ours, theirs = reconciled(parts, whole, weights=np.ones(1), level=np.ones(1), whole_level=1.0)
    assert (ours == parts).all()
    assert (theirs == whole).all()


def test_means_are_weighted_by_people() -> None:
    parts = np.array([fan(2.0, 0.1), fan(4.0, 0.1)])
    weights = np.array([0.75, 0.25])
    ours, theirs = reconciled(parts, fan(3.0, 0.1), weights=weights, level=np.array([2.0, 4.0]), whole_level=2.5)
    assert weights @ ours[:, 0, MEDIAN] == pytest.approx(theirs[0, MEDIAN])


def test_without_a_level_of_the_state_nothing_is_moved() -> None:
    parts, whole = np.array([fan(2.0, 0.1)]), fan(3.0, 0.1)
    ours, theirs = reconciled(parts, whole, weights=np.ones(1), level=np.zeros(1), whole_level=0.0)
    assert (ours == parts).all()
    assert (theirs == whole).all()
