"""Scale and prevalence: separated not by reports, but by a series or the renewal identity; local errors by places."""

from __future__ import annotations

import numpy as np
import pytest

from risk.model.far import InvalidInputError
from risk.model.learning.posterior import SCALE, Belief, Prior, fit, within
from risk.model.learning.separation import product_of, renewal_scale, separated
from tests.risk.model.learning.reported import town_cells

COMMON = within(2.0)
SCALE_PRIOR = within(3.0)
SURE = Belief(0.7, 0.05)


def test_one_place_however_sure_tells_scale_and_prevalence_no_further_apart_than_believed() -> None:
    one = separated((Belief(0.7, 1e-3),), scale=SCALE_PRIOR, common=COMMON, local_sd=0.3)
    # The remaining variance of the scale is that part of its prior that the prevalence's can compensate.
    prevalence = COMMON.sd**2 + 0.3**2
    assert one.scale.sd**2 == pytest.approx(SCALE_PRIOR.sd**2 * prevalence / (SCALE_PRIOR.sd**2 + prevalence), rel=1e-3)
    assert one.scale.mean + one.common.mean + one.local[0].mean == pytest.approx(0.7, abs=1e-3)


def test_more_places_take_out_what_is_local_and_leave_what_is_common() -> None:
    few = separated((SURE,) * 2, scale=SCALE_PRIOR, common=COMMON, local_sd=0.5)
    many = separated((SURE,) * 200, scale=SCALE_PRIOR, common=COMMON, local_sd=0.5)
    floor = SCALE_PRIOR.sd * COMMON.sd / np.hypot(SCALE_PRIOR.sd, COMMON.sd)
    assert floor < many.scale.sd < few.scale.sd
    assert many.scale.sd == pytest.approx(floor, rel=0.02)
    assert many.correlation < -0.9


def test_a_calibrated_series_tells_them_apart() -> None:
    without = separated((SURE,), scale=SCALE_PRIOR, common=COMMON, local_sd=0.3)
    told = separated((SURE,), scale=SCALE_PRIOR, common=COMMON, local_sd=0.3, series={0: Belief(0.7, 0.1)})
    assert told.scale.sd < 0.5 * without.scale.sd
    assert told.scale.mean == pytest.approx(0.0, abs=0.05)


def test_the_renewal_identity_tells_them_apart() -> None:
    renewal = renewal_scale(mean_hits=0.07, prevalence=0.01, duration_days=8.0, reproduction=within(1.3, 1.1))
    assert renewal.mean == pytest.approx(np.log(1.1 * 0.01 * 14.0 / 8.0 / 0.07))
    told = separated((SURE,), scale=SCALE_PRIOR, common=COMMON, local_sd=0.3, renewal=renewal)
    assert told.scale.sd < renewal.sd
    assert told.common.mean + told.local[0].mean > 0.7


def test_prevalence_cancels_in_the_renewal_identity() -> None:
    told = [
        renewal_scale(mean_hits=7.0 * p, prevalence=p, duration_days=8.0, reproduction=within(1.3)).mean
        for p in (0.001, 0.03)
    ]
    assert told[0] == pytest.approx(told[1])


def test_what_reports_say_is_the_estimate_without_its_prior() -> None:
    prior = Prior()
    estimate = fit(town_cells(), prior, period=0, seed=1)
    told = product_of(estimate, prior)
    back = separated((told,), scale=prior.scale, common=Belief(0.0, 1e-4), local_sd=1e-4)
    assert back.scale.mean == pytest.approx(estimate.mean[SCALE], abs=1e-3)
    assert back.scale.sd == pytest.approx(estimate.sd[SCALE], rel=1e-3)


def test_an_estimate_that_learned_nothing_says_nothing() -> None:
    prior = Prior()
    nothing = fit(town_cells().where(np.zeros(0, np.int64)), prior, period=0, seed=8, draws=500)
    wider = Prior(scale=Belief(0.0, nothing.sd[SCALE] * 0.99))
    with pytest.raises(InvalidInputError):
        product_of(nothing, wider)


@pytest.mark.parametrize("hits", [0.0, -1.0])
def test_no_hits_say_nothing_of_the_scale(hits: float) -> None:
    with pytest.raises(InvalidInputError):
        renewal_scale(mean_hits=hits, prevalence=0.01, duration_days=8.0, reproduction=within(1.3))
