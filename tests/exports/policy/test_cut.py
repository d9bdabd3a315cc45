"""Refusals that nobody can vouch for are cut, after the noise, to what is usual for their area."""

import datetime as dt

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from exports.policy.cut import NOISE, OF_SCANNED, TIMES_USUAL, cut_counts, kept, limits, usual_by_area
from exports.policy.domain import REFUSED, RESULT_ANSWERS, TOTAL, ZIP_RISK_RESULT, ZIP_SYMPTOMS
from exports.policy.draw import Drawn, Known, Usual, _draw
from exports.policy.estimates import Estimates
from exports.policy.fit import fit
from exports.policy.profile import Limits, drift_failures
from tests.exports.policy.factories import DAY, counts_of, seeded_noise, tables, without_noise

DOMAIN = tables()
SCANNED = [{"zip": 1}] * 1000 + [{"zip": 2, "outcome": 1}] * 500
REFUSALS = [{"zip": 1, "outcome": REFUSED, "symptoms": 1}] * 20


def a_draw(rows: list[dict[str, int]], usual: dict[str, Usual] | None = None, day: dt.date = DAY) -> Drawn:
    counts = counts_of(DOMAIN, rows)
    return _draw(
        day=day, counts=counts, tables=DOMAIN, budget=1.0, mechanism=without_noise, known=Known(usual=usual or {})
    )


def refused(drawn: Drawn, table: str) -> float:
    """Return the refusals of a table after the cut."""
    names = [axis.name for axis in drawn.table(table).workload.axes]
    return float(np.moveaxis(cut_counts(drawn)[table], names.index("outcome"), 0)[REFUSED].sum())


def test_usual_refusals_are_not_cut() -> None:
    drawn = a_draw(SCANNED + REFUSALS, {"021": Usual(20.0, 1000.0)})
    shares, together = kept(drawn)
    assert (shares == 1).all()
    assert together == 1
    assert all((cut_counts(drawn)[table.workload.name] == table.noisy).all() for table in drawn.tables)


def test_far_more_than_usual_are_cut_in_every_table() -> None:
    usual = {"021": Usual(20.0, 1000.0)}
    drawn = a_draw(SCANNED + REFUSALS * 40, usual)
    most = limits(drawn)[1]
    noise = most - TIMES_USUAL * 20
    assert 0 < noise < 100
    for table in drawn.tables:
        assert refused(drawn, table.workload.name) == pytest.approx(most, rel=1e-6), table.workload.name
    fitted = fit(drawn)
    assert fitted.cells[:, :, REFUSED].sum() <= most / drawn.keep + 1
    # Scanned passes are untouched.
    assert fitted.cells[:, :, :REFUSED].sum() == pytest.approx(1500 / drawn.keep, abs=3)


def test_an_area_without_scans_keeps_noise_only() -> None:
    drawn = a_draw([*SCANNED, *[{"zip": 3, "outcome": REFUSED}] * 800])
    assert refused(drawn, ZIP_RISK_RESULT) <= limits(drawn)[3] < 100


def test_a_first_day_and_a_new_area_are_held_to_their_scans() -> None:
    drawn = a_draw(SCANNED + REFUSALS * 40)
    assert limits(drawn)[1] - limits(drawn)[3] == pytest.approx(OF_SCANNED * 1000)


def test_other_areas_keep_theirs() -> None:
    usual = {"021": Usual(20.0, 1000.0), "100": Usual(20.0, 500.0)}
    drawn = a_draw(SCANNED + REFUSALS * 40 + [{"zip": 2, "outcome": REFUSED}] * 20, usual)
    assert cut_counts(drawn)[ZIP_RISK_RESULT][2, :, REFUSED].sum() == 20
    assert cut_counts(drawn)[ZIP_SYMPTOMS][2, REFUSED].sum() == 20


def test_what_is_usual_follows_from_cut_counts_so_an_attack_cannot_raise_it_for_long() -> None:
    """Every day ten times the scans, for six weeks: never more than half of the scans beyond noise."""
    before: list[Drawn] = [a_draw(SCANNED + REFUSALS)]
    honest, made = counts_of(DOMAIN, SCANNED), counts_of(DOMAIN, REFUSALS)
    counts = {name: honest[name] + 500 * made[name] for name in made}
    for number in range(42):
        known, day = Known(usual=usual_by_area(before[:7])), DAY + dt.timedelta(days=number)
        drawn = _draw(day=day, counts=counts, tables=DOMAIN, budget=1.0, mechanism=without_noise, known=known)
        before = [drawn, *before]
        ceiling = OF_SCANNED * 1000 + limits(drawn)[3]
        assert refused(drawn, ZIP_RISK_RESULT) <= ceiling * 1.001


def test_drift_reads_cut_counts() -> None:
    """12,000 refusals with all answers yes, which would stop the release."""
    usual = {"021": Usual(20.0, 1000.0)}
    before = a_draw(SCANNED + REFUSALS, usual, DAY - dt.timedelta(days=1))
    attack = [{"zip": 1, "outcome": REFUSED, "symptoms": 1, "diagnosed": 1, "hour": 3}] * 12_000
    attacked = a_draw(SCANNED + REFUSALS + attack, usual)
    assert drift_failures(drawn=attacked, before=before, limits=Limits()) == []
    uncut = a_draw(SCANNED + [each | {"outcome": 1} for each in attack])
    assert drift_failures(drawn=uncut, before=before, limits=Limits()) != []


@settings(max_examples=20, deadline=None)
@given(st.integers(0, 2**32 - 1))
def test_noise_alone_is_hardly_ever_cut(seed: int) -> None:
    """The cut starts at three standard errors of noise, so that it does not lower small areas."""
    usual = {zip3: Usual(0.0, 30.0) for zip3 in ("", "021", "100", "902")}
    drawn = _draw(
        day=DAY, counts=counts_of(DOMAIN, SCANNED), tables=DOMAIN, budget=1.0, mechanism=seeded_noise(seed),
        known=Known(usual=usual),
    )  # fmt: skip
    table = drawn.table(ZIP_RISK_RESULT)
    noisy = table.noisy[:, :, REFUSED].sum(axis=1)
    assert (limits(drawn) >= NOISE * table.scale).all()
    assert refused(drawn, ZIP_RISK_RESULT) == pytest.approx(np.minimum(noisy, limits(drawn)).sum())


def test_the_cut_never_reads_a_row_and_moves_with_the_draw_alone() -> None:
    drawn = a_draw(SCANNED + REFUSALS * 40, {"021": Usual(20.0, 1000.0)})
    again = Drawn.from_bytes(drawn.to_bytes())
    for name in (TOTAL, RESULT_ANSWERS):
        assert (cut_counts(drawn)[name] == cut_counts(again)[name]).all()
    assert Estimates(drawn).total == Estimates(again).total
