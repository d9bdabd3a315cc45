"""The posterior: what reports show and what they cannot, reproducible, and refused if it is NaN."""

from __future__ import annotations

import contextlib
from dataclasses import replace

import numpy as np
import pytest

from docs.plots import learning as script
from docs.plots.reporters import VISITED
from risk.model.far import InvalidInputError
from risk.model.learning.cells import Cells, no_cells
from risk.model.learning.posterior import (
    BACKGROUND,
    KIND,
    LIARS,
    NAMES,
    REPORTING,
    RISE,
    SCALE,
    Belief,
    DivergedError,
    Prior,
    _Problem,
    age_weights,
    chances,
    fit,
    within,
)
from tests.risk.model.learning.reported import town_cells

PRIOR = Prior()


def negligible(**more: Belief) -> Prior:
    """Return a prior without liars, for comparison with arithmetic by hand."""
    return replace(PRIOR, liars=within(1.1, 1e-9), prompted_liars=within(1.1, 1e-9), **more)


def test_the_same_reports_give_the_same_bytes_in_any_order() -> None:
    cells = town_cells()
    mixed = cells.where(np.random.default_rng(0).permutation(cells.size))
    one, other = fit(cells, PRIOR, period=0, seed=5), fit(mixed, PRIOR, period=0, seed=5)
    assert one.version == other.version
    assert one.draws.tobytes() == other.draws.tobytes()
    assert one.weights.tobytes() == other.weights.tobytes()


def test_another_report_prior_seed_or_period_is_another_version() -> None:
    cells = town_cells()
    more = replace(cells, positives=np.where(np.arange(cells.size) == 0, 0, cells.positives))
    versions = {
        fit(cells, PRIOR, period=0, seed=5).version,
        fit(more, PRIOR, period=0, seed=5).version,
        fit(cells, replace(PRIOR, rise=Belief(0.0, 0.2)), period=0, seed=5).version,
        fit(cells, PRIOR, period=0, seed=6).version,
        fit(cells, PRIOR, period=1, seed=5).version,
    }
    assert len(versions) == 5


def test_without_reports_the_prior_stays() -> None:
    estimate = fit(no_cells(), PRIOR, period=0, seed=1, draws=20_000)
    assert estimate.effective == pytest.approx(1.0)
    assert np.allclose(estimate.mean, PRIOR.mean, atol=0.04)
    assert np.allclose(estimate.sd, PRIOR.sd, rtol=0.03)


def test_parameters_without_cells_keep_their_prior() -> None:
    estimate = fit(town_cells(volunteers=0), PRIOR, period=0, seed=1)
    for at in (REPORTING, RISE, LIARS, *(KIND + k for k in range(17) if k not in VISITED)):
        assert estimate.mean[at] == pytest.approx(PRIOR.mean[at], abs=5 * PRIOR.sd[at] * 1500**-0.5), NAMES[at]


def test_prompted_reports_teach_the_scale_more_than_as_many_volunteers() -> None:
    asked = fit(town_cells(seed=2, volunteers=0, prompted=50), PRIOR, period=0, seed=1)
    volunteered = fit(town_cells(seed=2, volunteers=50, prompted=0), PRIOR, period=0, seed=1)
    assert asked.sd[SCALE] < 0.85 * volunteered.sd[SCALE] < volunteered.sd[SCALE] <= PRIOR.scale.sd


def test_twice_the_prevalence_and_half_the_scale_are_the_same_reports() -> None:
    """Only the product is identified: the scale of a fit depends on the assumed prevalence."""
    cells = town_cells(volunteers=0, prompted=50)
    doubled = replace(cells, hits=2.0 * cells.hits, elsewhere=2.0 * cells.elsewhere, squares=4.0 * cells.squares)
    half = replace(PRIOR, scale=Belief(-np.log(2.0), PRIOR.scale.sd), background=Belief(-np.log(2.0), 0.5))
    one, other = fit(cells, PRIOR, period=0, seed=3), fit(doubled, half, period=0, seed=3)
    moved = np.zeros(len(NAMES))
    moved[[SCALE, BACKGROUND]] = np.log(2.0)
    assert np.allclose(one.draws, other.draws + moved, atol=1e-6)
    assert np.allclose(one.weights, other.weights, atol=1e-6)


def test_the_weights_agree_with_a_sum_over_a_grid() -> None:
    """Only scale and background, everything else fixed: quadrature by hand compared with the draws."""
    narrow = negligible(kinds=Belief(0.0, 1e-4))
    cells = town_cells(volunteers=0, prompted=30)
    estimate = fit(cells, narrow, period=0, seed=1, draws=6000)
    hits, elsewhere = cells.mean_hits.sum(axis=1), cells.mean_elsewhere
    log_scale, log_background = np.meshgrid(np.linspace(-2.5, 2.5, 201), np.linspace(-2.0, 2.0, 161), indexing="ij")
    x = np.exp(log_scale)[..., None] * hits + np.exp(log_background)[..., None] * elsewhere
    height = np.log(-np.expm1(-x)) @ cells.positives - x @ (cells.reporters - cells.positives)
    height -= 0.5 * ((log_scale / narrow.scale.sd) ** 2 + (log_background / narrow.background.sd) ** 2)
    mass = np.exp(height - height.max())
    mean = (mass * log_scale).sum() / mass.sum()
    sd = np.sqrt((mass * (log_scale - mean) ** 2).sum() / mass.sum())
    assert estimate.mean[SCALE] == pytest.approx(mean, abs=0.03)
    assert estimate.sd[SCALE] == pytest.approx(sd, rel=0.05)


def test_old_cells_count_less_and_later_ones_nothing() -> None:
    cells = replace(town_cells(), period=np.arange(town_cells().size))
    weights = age_weights(cells, 13)
    assert weights[13] == 1.0
    assert weights[0] == 0.5
    assert (weights[14:] == 0.0).all()
    assert (np.diff(weights[:14]) > 0.0).all()


def test_cells_of_a_later_period_change_nothing() -> None:
    now = town_cells()
    later = replace(now, period=now.period + 1, positives=now.reporters)
    both = Cells(**{name: np.concatenate([vars(now)[name], vars(later)[name]]) for name in vars(now)})
    assert np.allclose(fit(both, PRIOR, period=0, seed=1).mean, fit(now, PRIOR, period=0, seed=1).mean, atol=1e-9)


def test_predictions_lie_between_zero_and_one_and_follow_the_reports() -> None:
    cells = town_cells()
    predicted = chances(cells, fit(cells, PRIOR, period=0, seed=1))
    assert ((predicted > 0.0) & (predicted < 1.0)).all()
    assert predicted @ cells.reporters == pytest.approx(cells.positives.sum(), rel=0.15)


def test_hits_beyond_what_numbers_hold_are_an_error_and_no_estimate() -> None:
    cells = town_cells()
    absurd = replace(PRIOR, scale=Belief(800.0, 0.1))
    with pytest.raises(DivergedError):
        fit(cells, absurd, period=0, seed=1)


@pytest.mark.parametrize("hits", [0.1, 1.0, 5.0])
def test_the_slopes_are_those_of_the_log_odds_also_where_everybody_is_positive(hits: float) -> None:
    cells = town_cells()
    sure = replace(
        cells, hits=hits * cells.hits / 0.05, squares=(hits / 0.05) ** 2 * cells.squares, positives=cells.reporters
    )
    problem, at, step = _Problem.of(sure, np.ones(sure.size)), PRIOR.mean + 0.1, 1e-6
    moved = [(problem.log_odds(at + step * e) - problem.log_odds(at - step * e)) / (2 * step) for e in np.eye(at.size)]
    np.testing.assert_allclose(problem.slopes(at), np.array(moved).T, rtol=1e-4, atol=1e-6)


@pytest.mark.parametrize("draws", [2, 30])
def test_too_few_draws_end_in_an_estimate_or_an_error(draws: int) -> None:
    with contextlib.suppress(DivergedError):
        assert np.isfinite(fit(town_cells(), PRIOR, period=0, seed=1, draws=draws).mean).all()


@pytest.mark.parametrize("belief", [Belief(np.nan, 1.0), Belief(0.0, 0.0), Belief(0.0, np.inf)])
def test_a_prior_without_a_width_is_refused(belief: Belief) -> None:
    with pytest.raises(InvalidInputError):
        Prior(scale=belief)


def test_learning_beats_the_prior_and_its_intervals_hold() -> None:
    """A few towns of the 200 that docs/model.md shows."""
    found = script.run(script.LEARNING["half a year"]["50 prompted"], towns=12)
    assert found.error([SCALE]) < 0.75
    assert 0.7 <= found.holds([SCALE]) <= 1.0
    assert found.kept.sum() == 0


@pytest.mark.long
@pytest.mark.parametrize("name", ["50 volunteers", "200 volunteers", "50 prompted"])
def test_the_table_in_the_document_is_what_two_hundred_towns_give(name: str) -> None:
    found = script.run(script.LEARNING["half a year"][name])
    assert script.row(name, found) in script.DOCUMENT.read_text()
    assert 0.85 <= found.holds([SCALE]) <= 0.95
    assert script.uniformity(found.ranks[:, SCALE]) > 0.01
