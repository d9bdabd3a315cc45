"""Noisy counts become integers that agree with each other."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from exports.policy.domain import KEEP, PASSES, RISK_RESULT_ANSWERS, TOTAL, ZIP_RISK_RESULT, ZIP_SYMPTOMS
from exports.policy.draw import Drawn, _draw, draw
from exports.policy.fit import Fitted, fit, onto_simplex
from exports.policy.noise import Counts
from tests.exports.policy.factories import DAY, a_day_of, counts_of, empty_counts, tables, without_noise


def assert_consistent(fitted: Fitted) -> None:
    everything = [fitted.cells, fitted.answers, fitted.symptoms, *fitted.attributes.values()]
    assert all((counts >= 0).all() for counts in everything)
    assert fitted.cells.sum() == fitted.total
    assert (fitted.cells.sum(axis=0) == fitted.answers.sum(axis=(2, 3, 4, 5))).all()
    assert (fitted.symptoms <= fitted.cells).all()
    assert (fitted.symptoms.sum(axis=0) == fitted.answers[:, :, 1].sum(axis=(2, 3, 4))).all()
    by_risk = fitted.cells.sum(axis=(0, 2))
    for counts in fitted.attributes.values():
        if counts.ndim == 1:
            assert counts.sum() == fitted.total
        else:
            assert (counts.sum(axis=1) == by_risk).all()


@settings(max_examples=40, deadline=None)
@given(st.integers(0, 5000), st.sampled_from([0.05, 0.5, 1.0, 4.0]), st.booleans(), st.integers(0, 1000))
def test_whatever_the_noise_the_counts_are_whole_numbers_that_agree(
    size: int, budget: float, readings: bool, seed: int
) -> None:
    domain = tables(readings=readings)
    counts = a_day_of(size, seed=seed, domain=domain)
    assert_consistent(fit(draw(day=DAY, counts=counts, tables=domain, budget=budget)))


@settings(max_examples=40, deadline=None)
@given(st.integers(0, 2**32 - 1), st.integers(1, 10_000))
def test_noise_of_any_size_is_survived(seed: int, reach: int) -> None:
    rng = np.random.default_rng(seed)
    domain = tables()

    def rough(counts: Counts, scale: float, l1: int) -> tuple[Counts, float]:
        return counts + rng.integers(-reach, reach + 1, counts.shape), l1 / scale

    drawn = _draw(day=DAY, counts=a_day_of(300), tables=domain, budget=1.0, mechanism=rough)
    assert_consistent(fit(drawn))


def test_without_noise_a_large_day_comes_back_with_the_coin_undone() -> None:
    domain = tables()
    counts = a_day_of(90_000)
    counts[PASSES] = np.array(100_000)
    fitted = fit(_draw(day=DAY, counts=counts, tables=domain, budget=1.0, mechanism=without_noise))
    assert fitted.total == 100_000
    assert fitted.factor == pytest.approx(1 / KEEP)
    assert np.abs(fitted.cells - counts[ZIP_RISK_RESULT] / KEEP).max() <= 2
    assert np.abs(fitted.answers - counts[RISK_RESULT_ANSWERS] / KEEP).max() <= 1
    assert fitted.published.all()


def test_passes_beyond_the_cap_are_added_back_where_they_stand_out() -> None:
    domain = tables()
    counts = a_day_of(900_000)
    counts[PASSES] = np.array(1_050_000)
    fitted = fit(_draw(day=DAY, counts=counts, tables=domain, budget=1.0, mechanism=without_noise))
    assert fitted.total == pytest.approx(1_050_000, rel=1e-4)


def test_passes_beyond_the_cap_are_not_guessed_from_noise() -> None:
    domain = tables()
    counts = a_day_of(900)
    counts[PASSES] = np.array(1_100)
    fitted = fit(_draw(day=DAY, counts=counts, tables=domain, budget=1.0, mechanism=without_noise))
    assert fitted.total == pytest.approx(1000, rel=0.01)


def test_an_empty_day_stays_nearly_empty() -> None:
    domain = tables(zip3=tuple(f"{number:03d}" for number in range(5, 905)))
    totals = [fit(draw(day=DAY, counts=empty_counts(domain), tables=domain, budget=1.0)).total for _ in range(20)]
    # The scale of the total's own noise is 100; clipping 5,400 empty cells would have made about 15,000.
    assert np.mean(totals) < 300


def test_what_is_too_small_goes_to_the_empty_zip_and_the_day_stays_whole() -> None:
    domain = tables()
    rows = [{"zip": 1}] * 5000 + [{"zip": 2}] * 3
    fitted = fit(_draw(day=DAY, counts=counts_of(domain, rows), tables=domain, budget=1.0, mechanism=without_noise))
    assert fitted.cells[1].sum() == pytest.approx(5000 / KEEP, abs=2)
    assert fitted.cells[2].sum() == 0
    assert not fitted.published[2].any()
    assert fitted.cells[0].sum() == fitted.total - fitted.cells[1].sum()


def test_a_zip_with_more_symptoms_than_its_groups_suggest_shows_them() -> None:
    domain = tables()
    rows = [{"zip": 1}] * 50_000 + [{"zip": 2}] * 45_000 + [{"zip": 2, "symptoms": 1}] * 5_000
    fitted = fit(_draw(day=DAY, counts=counts_of(domain, rows), tables=domain, budget=1.0, mechanism=without_noise))
    assert fitted.symptoms[2].sum() > 0.9 * 5_000 / KEEP
    assert fitted.symptoms[1].sum() < 0.1 * 5_000 / KEEP


def test_the_fit_reads_nothing_but_the_drawn_counts() -> None:
    domain = tables()
    drawn = draw(day=DAY, counts=a_day_of(2000), tables=domain, budget=1.0)
    one, two = fit(drawn), fit(Drawn.from_bytes(drawn.to_bytes()))
    assert (one.cells == two.cells).all()
    assert (one.symptoms == two.symptoms).all()
    assert one.total == two.total


@given(st.lists(st.floats(-1e6, 1e6), min_size=1, max_size=30), st.floats(0, 1e6))
def test_the_projection_is_the_nearest_point_with_that_sum(values: list[float], total: float) -> None:
    given_values = np.array(values)
    nearest = onto_simplex(given_values, total)
    assert (nearest >= 0).all()
    assert nearest.sum() == pytest.approx(total, abs=1e-6 * (1 + np.abs(given_values).max()))
    # Optimality (Karush-Kuhn-Tucker): all positive values moved by the same amount, the others by no less.
    moved = given_values - nearest
    if (nearest > 0).any():
        common = moved[nearest > 0]
        assert np.ptp(common) <= 1e-6 * (1 + np.abs(given_values).max())
        assert (moved[nearest == 0] <= common.max() + 1e-6 * (1 + np.abs(given_values).max())).all()


def test_the_aims_of_accuracy_hold_on_a_million_scans() -> None:
    from benchmarks.days import simulated_day
    from benchmarks.release import released
    from exports.dataset.tables import states_by_zip3
    from exports.policy.domain import workloads

    everywhere = workloads(zip3=tuple(states_by_zip3()), readings=True)
    errors = released(simulated_day(rows=1_000_000, seed=7), everywhere, 1.0)
    assert errors.total < 0.005
    assert errors.symptoms < 0.025
    assert errors.large_cells < 0.04


def test_every_table_of_the_workload_is_used() -> None:
    domain = tables()
    fitted = fit(draw(day=DAY, counts=a_day_of(100), tables=domain, budget=1.0))
    used = {PASSES, TOTAL, ZIP_RISK_RESULT, RISK_RESULT_ANSWERS, ZIP_SYMPTOMS} | set(fitted.attributes)
    assert used == {table.name for table in domain}
