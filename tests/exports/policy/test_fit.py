"""Noisy counts become integers that agree with each other."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from exports.policy.domain import CORE, KEEP, RISK_RESULT_ANSWERS, ZIP_RISK_RESULT
from exports.policy.draw import Drawn, _draw, draw
from exports.policy.fit import Fitted, fit
from exports.policy.joint import rake, to_total
from exports.policy.noise import Counts
from exports.policy.rounding import round_along, round_to
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
        # What is left has no value: noise hides it.
        if counts.ndim == 1:
            assert counts.sum() <= fitted.total
        else:
            assert (counts.sum(axis=1) <= by_risk).all()


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
    fitted = fit(_draw(day=DAY, counts=counts, tables=domain, budget=1.0, mechanism=without_noise))
    assert fitted.total == 100_000
    assert fitted.factor == pytest.approx(1 / KEEP)
    assert np.abs(fitted.cells - counts[ZIP_RISK_RESULT] / KEEP).max() <= 12
    by_outcome = counts[RISK_RESULT_ANSWERS].sum(axis=0) / KEEP
    # Cells are raked to totals, so that a common pattern is off by a little of its own size.
    assert np.abs(fitted.answers.sum(axis=0) - by_outcome).max() <= 0.005 * by_outcome.max()
    assert fitted.published.all()


def test_the_factor_is_a_constant_and_never_read_from_the_day() -> None:
    domain = tables()
    factors = {fit(draw(day=DAY, counts=a_day_of(900), tables=domain, budget=1.0)).factor for _ in range(5)}
    assert factors == {1 / KEEP}


def test_an_empty_day_stays_nearly_empty() -> None:
    domain = tables(zip3=tuple(f"{number:03d}" for number in range(5, 905)))
    totals = [fit(draw(day=DAY, counts=empty_counts(domain), tables=domain, budget=1.0)).total for _ in range(8)]
    # The total's own standard error is about 80; clipping 8,100 empty cells would have made about 20,000.
    assert np.mean(totals) < 300


def test_small_counts_go_to_the_empty_zip_and_the_total_stays() -> None:
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
def test_clipped_totals_add_up_and_leave_large_values_alone(values: list[float], total: float) -> None:
    made = to_total(np.array(values), total)
    assert (made >= 0).all()
    assert made.sum() == pytest.approx(total, abs=1e-6 * (1 + np.abs(values).max()))


def test_the_excess_of_clipping_is_taken_from_the_largest() -> None:
    assert to_total(np.array([100.0, 20.0, -5.0]), 115).tolist() == [95.0, 20.0, 0.0]


@given(st.integers(0, 2**32 - 1))
def test_raked_cells_have_the_wanted_sums(seed: int) -> None:
    rng = np.random.default_rng(seed)
    cells, wanted = rng.random((3, 3, 2)) + 0.1, rng.random((3, 3, 2))
    margins = [((0, 1), wanted.sum(axis=2)), ((1, 2), wanted.sum(axis=0)), ((2,), wanted.sum(axis=(0, 1)))]
    made = rake(cells, margins)
    for axes, sums in margins:
        assert made.sum(axis=tuple(at for at in range(3) if at not in axes)) == pytest.approx(sums, rel=1e-4)


@given(st.integers(0, 2**32 - 1), st.integers(1, 5000))
def test_rounding_keeps_the_total_and_moves_no_block_by_more_than_one(seed: int, total: int) -> None:
    cells = np.random.default_rng(seed).random((3, 3, 2, 2)) ** 4
    scaled = cells * (total / cells.sum())
    made = round_along(scaled, total)
    assert made.sum() == total
    assert (made >= 0).all()
    for block in range(2):
        assert abs(made[:, :, block].sum() - scaled[:, :, block].sum()) <= 1
    assert round_to(scaled.ravel(), total).sum() == total


def test_every_table_of_the_workload_is_used() -> None:
    domain = tables()
    fitted = fit(draw(day=DAY, counts=a_day_of(100), tables=domain, budget=1.0))
    used = set(CORE) | set(fitted.attributes)
    assert used == {table.name for table in domain}
