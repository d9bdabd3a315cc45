"""The nightly fit: versioned, equal when run again, in force for shields, and refused with an alert."""

import datetime as dt

import numpy as np
import pytest

from docs.plots.reporters import A_MONTH, Reports, reports, truth_of
from risk.crowd.parameters import parameters_in_force
from risk.crowd.refresh import refresh_crowd
from risk.estimates.cells import add_to_cells, first_day, period_of
from risk.estimates.nightly import PRIOR, estimate_of, learn_tonight
from risk.model.kinds import Kind
from risk.model.learned import taught_by
from risk.model.learning.cells import cells_of
from risk.model.learning.posterior import NAMES, SCALE, Prior
from risk.model.shield import taught_factors
from risk.model.visits import KIND_INDEX
from risk.models import LearnedEstimate, ParameterSet
from risk.shield.answer import shield_of
from tests.factories import NOW, make_venue
from tests.risk.crowds import crowd, stay

pytestmark = pytest.mark.django_db
PERIOD = period_of(NOW.date())


def town(*, positives: int, prompted: bool, period: int = PERIOD, scale: float = 0.0, seed: int = 1) -> Reports:
    """Return reports of one period of a town whose scale differs by ``scale`` (log)."""
    rng = np.random.default_rng(seed)
    truth = truth_of(Prior(), rng)
    truth[SCALE] = scale
    drawn = reports(A_MONTH, truth, rng, positives=positives, prompted=prompted)
    return Reports(**{**vars(drawn), "period": np.full(drawn.period.size, period)})


def record_reports(new: Reports) -> None:
    add_to_cells(cells_of(**vars(new)))


def test_a_night_without_reports_leaves_the_prior_and_no_row() -> None:
    assert learn_tonight(now=NOW).reason == "unchanged"
    assert not LearnedEstimate.objects.exists()
    assert parameters_in_force().adaptive.learned == ()


def test_what_a_night_learned_is_in_force_and_running_it_again_changes_nothing() -> None:
    new = town(positives=40, prompted=True, scale=1.0)
    record_reports(new)
    first = learn_tonight(now=NOW)
    assert first.reason == "learned"
    row = LearnedEstimate.objects.get()
    assert (row.reporters, row.positives, row.prompted) == (new.period.size, 40, new.period.size)
    assert set(row.summary) == set(NAMES)
    assert row.summary["scale"][0] > 0.3, "the scale was 2.7 times what was believed"
    learned = parameters_in_force().adaptive
    factor, spread = learned.taught(Kind.OFFICE)
    assert factor > 1.3
    assert spread < 0.95
    assert learn_tonight(now=NOW).reason == "unchanged"
    assert (LearnedEstimate.objects.count(), ParameterSet.objects.count()) == (1, 1)


def test_the_same_cells_give_the_same_version() -> None:
    record_reports(town(positives=20, prompted=True))
    one = learn_tonight(now=NOW)
    LearnedEstimate.objects.all().delete()
    assert learn_tonight(now=NOW + dt.timedelta(hours=3)) == one


def test_two_versions_differ_by_five_reporters_or_more() -> None:
    record_reports(town(positives=20, prompted=True))
    learn_tonight(now=NOW)
    hits = np.zeros((5, len(KIND_INDEX)))
    hits[:, 0] = 0.02

    def more(count: int) -> None:
        add_to_cells(
            cells_of(
                period=[PERIOD] * count,
                prompted=[0] * count,
                positive=[True] * count,
                hits=hits[:count],
                elsewhere=[0.01] * count,
            )
        )

    more(4)
    assert learn_tonight(now=NOW).reason == "unchanged"
    more(1)
    assert learn_tonight(now=NOW).reason == "learned"
    assert LearnedEstimate.objects.count() == 2


def test_a_version_that_predicts_worse_is_refused_and_the_former_stays() -> None:
    """A month of false reports is learned from, and the result fails on the honest month after."""
    now = dt.datetime.combine(first_day(PERIOD) + dt.timedelta(days=20), dt.time(3), dt.UTC)
    record_reports(town(positives=150, prompted=True, period=PERIOD - 3))
    assert learn_tonight(now=now - dt.timedelta(days=84)).reason == "learned"
    before = parameters_in_force()
    lies = town(positives=150, prompted=True, period=PERIOD - 2, seed=2)
    rng = np.random.default_rng(1)
    record_reports(Reports(**{**vars(lies), "positive": lies.positive | (rng.random(lies.period.size) < 0.6)}))
    record_reports(town(positives=150, prompted=True, period=PERIOD, seed=3))
    night = learn_tonight(now=now)
    assert night.reason == "predicts worse"
    assert parameters_in_force() == before
    row = LearnedEstimate.objects.latest("pk")
    assert (row.accepted, row.version, bytes(row.draws)) == (False, "", b"")
    assert row.difference < -2 * row.standard_error
    assert row.judged_positives == 150


def test_a_kept_version_is_the_posterior_it_was_made_from() -> None:
    record_reports(town(positives=40, prompted=True))
    learn_tonight(now=NOW)
    row = LearnedEstimate.objects.get()
    again = estimate_of(row)
    mean, sd, _low, _high = row.summary["scale"]
    assert again.mean[SCALE] == pytest.approx(mean, abs=0.05)
    assert again.sd[SCALE] == pytest.approx(sd, rel=0.1)
    for one, other in zip(taught_by(again, PRIOR), parameters_in_force().adaptive.learned, strict=True):
        assert one[0] == other[0]
        assert one[1:] == pytest.approx(other[1:], rel=0.15)


def test_learning_moves_a_shield_and_narrows_its_interval() -> None:
    venue = make_venue(kind="bar", volume_m3=200.0)
    crowd(venue, 12)
    me = stay(venue)
    refresh_crowd(now=NOW)
    before = shield_of(owners=[me.owner], budget=0.003, now=NOW)
    record_reports(town(positives=150, prompted=True))
    learn_tonight(now=NOW)
    refresh_crowd(now=NOW)
    after = shield_of(owners=[me.owner], budget=0.003, now=NOW)
    assert after.parameters != before.parameters
    factor, spread = parameters_in_force().adaptive.taught(Kind.BAR)
    assert spread < 0.8
    assert after.spent == pytest.approx(factor * before.spent, rel=0.15)
    factors = taught_factors(parameters_in_force())[KIND_INDEX[Kind.BAR]]
    assert np.isfinite(factors).all()
    assert (factors > 0.0).all()
