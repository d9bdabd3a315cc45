"""The gate: a correct update passes; false reports and NaN do not, and the version in force then stays."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from docs.plots.learning import judged
from risk.model.learning import gate
from risk.model.learning.cells import Cells, added
from risk.model.learning.gate import Reason, learn, verdict
from risk.model.learning.posterior import Belief, Prior, fit
from tests.risk.model.learning.reported import fine_cells, town_cells

PRIOR = Prior()


def reporters(positives: int, negatives: int) -> Cells:
    """Return one cell."""
    one = fine_cells(np.random.default_rng(0), 1)
    return replace(one, reporters=np.array([positives + negatives]), positives=np.array([positives]))


def test_the_score_is_that_of_every_reporter() -> None:
    said = verdict(reporters(2, 3), np.array([0.5]), np.array([0.25]))
    each = [np.log(2.0)] * 2 + [np.log(2.0 / 3.0)] * 3
    assert said.difference == pytest.approx(sum(each))
    assert said.standard_error == pytest.approx(np.std(each) * 5**0.5)


def test_fewer_than_thirty_positives_refuse_nothing() -> None:
    worse, better = np.array([0.01]), np.array([0.3])
    assert verdict(reporters(29, 68), worse, better).accepted
    assert verdict(reporters(30, 70), worse, better).reason is Reason.PREDICTS_WORSE


def test_a_better_prediction_is_never_refused() -> None:
    assert verdict(reporters(300, 700), np.array([0.3]), np.array([0.01])).accepted


@pytest.mark.parametrize("chance", [np.nan, np.inf, 0.0, 1.0])
def test_a_prediction_that_is_not_a_probability_is_refused(chance: float) -> None:
    assert verdict(reporters(1, 1), np.array([chance]), np.array([0.3])).reason is Reason.NOT_FINITE


def test_running_it_again_gives_the_same_version() -> None:
    cells = town_cells()
    first = learn(cells, PRIOR, period=0, seed=1)
    again = learn(cells, PRIOR, period=0, seed=1, in_force=first.estimate)
    assert first.estimate is not None
    assert again.estimate is not None
    assert first.estimate.version == again.estimate.version
    assert first.verdict == again.verdict


def test_honest_reports_are_learned_from() -> None:
    said = judged(0.0, 14, 2)
    assert said.verdict.reason is Reason.LEARNED
    assert said.verdict.positives >= gate.FEWEST_POSITIVES


def test_a_month_of_lies_does_not_take_over() -> None:
    said = judged(0.3, 14, 2)
    assert said.verdict.reason is Reason.PREDICTS_WORSE
    assert said.verdict.difference < -2.0 * said.verdict.standard_error


def test_a_fit_that_diverges_leaves_what_was_in_force() -> None:
    cells = town_cells()
    before = fit(cells, PRIOR, period=0, seed=1)
    said = learn(cells, replace(PRIOR, scale=Belief(800.0, 0.1)), period=0, seed=1, in_force=before)
    assert said.estimate is before
    assert said.verdict.reason is Reason.DIVERGED
    assert not said.verdict.accepted


def test_few_effective_draws_leave_what_was_in_force(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(gate, "LEAST_EFFECTIVE", 0.99)
    cells = town_cells()
    before = fit(cells, PRIOR, period=0, seed=1)
    later = added([cells, replace(cells, period=cells.period + 1)])
    said = learn(later, PRIOR, period=1, seed=1, in_force=before)
    assert said.estimate is before
    assert said.verdict.reason is Reason.FEW_EFFECTIVE_DRAWS


def test_nothing_reported_keeps_the_prior_and_raises_nothing() -> None:
    said = learn(town_cells().where(np.zeros(0, np.int64)), PRIOR, period=0, seed=1)
    assert said.verdict.accepted
    assert said.verdict.positives == 0
