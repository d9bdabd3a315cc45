"""The effect of learning on a shield: its factor on the mean, its width on the interval, and unchanged order."""

import dataclasses

import numpy as np
import pytest

from risk.model.kinds import Kind
from risk.model.learned import KNOWN_ACTIVE, taught_by
from risk.model.learning.cells import no_cells
from risk.model.learning.posterior import Prior, fit
from risk.model.parameters import Adaptive, Parameters
from risk.model.shield import expected_hits, taught_factors
from risk.model.stays import expected_visits
from risk.model.visits import KIND_INDEX, KINDS


def taught(factor: float, spread: float) -> Parameters:
    return Parameters(adaptive=Adaptive(learned=tuple((kind.value, factor, spread) for kind in KINDS)))


def stay(parameters: Parameters, kind: Kind = Kind.BAR, hours: float = 1.0) -> np.ndarray:
    prior = parameters.priors[kind]
    visits = expected_visits(
        parameters,
        kinds=[kind],
        heads=prior.usual_heads,
        stay_h=hours,
        volume_m3=prior.volume_m3.value,
        removal_rate_per_h=prior.air_changes_per_h.value + parameters.pathogen.decay_and_settling_per_h,
        masks=(1.5, 3.5),
        distancing=(2.0, 3.0),
        known_active_per_person=KNOWN_ACTIVE,
        volume_log_sd=0.4,
        air_log_sd=0.4,
    )
    return np.asarray(expected_hits(visits, parameters).by_visit[0])


def test_draws_are_unchanged_if_nothing_was_learned() -> None:
    assert (taught_factors(Parameters()) == 1.0).all()
    np.testing.assert_allclose(taught_factors(taught(1.0, 1.0)), 1.0)
    nothing = fit(no_cells(), Prior(), period=0, seed=1, draws=20_000)
    for _kind, factor, spread in taught_by(nothing, Prior()):
        assert factor == pytest.approx(1.0, abs=0.03)
        assert spread == pytest.approx(1.0, abs=0.03)


@pytest.mark.parametrize(("factor", "spread"), [(2.0, 1.0), (0.5, 0.5), (1.0, 0.2)])
def test_the_mean_goes_by_the_factor_and_the_width_by_the_spread(factor: float, spread: float) -> None:
    before, after = stay(Parameters()), stay(taught(factor, spread))
    assert after.mean() == pytest.approx(factor * before.mean(), rel=0.15)
    assert np.log(after).std() == pytest.approx(spread * np.log(before).std(), rel=0.35, abs=0.15)


def test_the_factor_of_one_kind_changes_no_other() -> None:
    one = Parameters(adaptive=Adaptive(learned=(("bar", 3.0, 0.5),)))
    assert (stay(one, Kind.OFFICE) == stay(Parameters(), Kind.OFFICE)).all()
    assert stay(one).mean() > 2.0 * stay(Parameters()).mean()


def test_more_time_still_costs_more_in_every_draw() -> None:
    learned = taught(0.7, 0.3)
    hours = np.stack([stay(learned, hours=each) for each in (0.25, 0.5, 1.0, 2.0, 4.0)])
    assert (np.diff(hours, axis=0) > 0.0).all()


def test_the_version_depends_on_what_was_learned() -> None:
    each = (Parameters(), taught(1.0, 1.0), taught(1.1, 1.0), taught(1.0, 0.9))
    versions = {parameters.version for parameters in each}
    assert len(versions) == 4
    assert taught_factors(taught(2.0, 0.5)).shape == (len(KIND_INDEX), Parameters().draws)


@pytest.mark.parametrize("learned", [("bar", 1e9, 0.5), ("bar", 1.0, 0.0), ("bar", 1.0, 1.5)])
def test_what_is_no_factor_or_no_share_is_refused(learned: tuple[str, float, float]) -> None:
    with pytest.raises(ValueError, match=r"learned|adaptive"):
        dataclasses.replace(Adaptive(), learned=(learned,))
