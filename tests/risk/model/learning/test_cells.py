"""Cells of reporters: five or more each, with everybody in one; merging neither costs privacy nor adds information."""

from __future__ import annotations

from dataclasses import fields, replace

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from risk.model.far import InvalidInputError
from risk.model.learning.cells import FEWEST, Cells, added, cells_of, coarsened, no_cells
from risk.model.learning.posterior import Prior, information
from risk.model.visits import KINDS
from tests.risk.model.learning.reported import any_cells, fine_cells

FEW = settings(max_examples=25)
"""Each example makes dozens of cells."""


def same(one: Cells, other: Cells) -> bool:
    """Return whether both are equal, bit for bit."""
    return all(np.array_equal(getattr(one, column.name), getattr(other, column.name)) for column in fields(Cells))


@FEW
@given(any_cells)
def test_no_cell_that_is_kept_has_fewer_than_five_reporters(cells: Cells) -> None:
    kept, _ = coarsened(cells)
    assert (kept.reporters >= FEWEST).all()


@FEW
@given(any_cells)
def test_only_a_period_and_stream_with_fewer_than_five_reporters_waits(cells: Cells) -> None:
    _, waits = coarsened(cells)
    for period in (0, 1):
        for prompted in (0, 1):
            everybody = (cells.period == period) & (cells.prompted == prompted)
            waiting = waits.reporters[(waits.period == period) & (waits.prompted == prompted)].sum()
            people = cells.reporters[everybody].sum()
            assert waiting == (people if people < FEWEST else 0)


@FEW
@given(any_cells)
def test_every_reporter_is_counted_once(cells: Cells) -> None:
    both = added(coarsened(cells))
    assert both.reporters.sum() == cells.reporters.sum()
    assert both.positives.sum() == cells.positives.sum()
    assert np.allclose(both.hits.sum(axis=0), cells.hits.sum(axis=0))
    assert np.isclose(both.elsewhere.sum(), cells.elsewhere.sum())


@FEW
@given(any_cells, st.integers(0, 2**32 - 1))
def test_the_order_of_cells_changes_no_bit(cells: Cells, seed: int) -> None:
    order = np.random.default_rng(seed).permutation(cells.size)
    assert same(coarsened(cells)[0], coarsened(cells.where(order))[0])


@FEW
@given(any_cells)
def test_coarsening_what_is_coarse_changes_nothing(cells: Cells) -> None:
    kept, waits = coarsened(cells)
    again, waits_again = coarsened(kept)
    assert same(kept, again)
    assert waits_again.size == 0
    assert same(waits, coarsened(waits)[1])


@FEW
@given(any_cells, st.integers(6, 40))
def test_coarsening_never_adds_information(cells: Cells, fewest: int) -> None:
    """For prompted reports, except for the nonlinearity at a chance of `most`.

    What volunteers imply about `rise` depends on the logarithm of the mean dose and can be overstated a little more.
    """
    most = 0.02
    asked = cells.where(cells.prompted == 1)
    small = replace(asked, hits=1e-3 * asked.hits, elsewhere=0.1 * asked.elsewhere)
    fine = added([small])
    of_fine, of_coarse = (information(one, Prior().mean) for one in (fine, added(coarsened(fine, fewest=fewest))))
    lost = (1.0 + most) * of_fine - of_coarse
    assert np.linalg.eigvalsh(lost).min() >= -1e-9 * max(np.linalg.eigvalsh(of_fine).max(), 1.0)


def test_two_halves_of_the_reports_add_up_to_the_whole() -> None:
    one, other = (fine_cells(np.random.default_rng(seed), 60) for seed in (1, 2))
    assert same(added([one, other]), added([other, one]))
    assert added([one, other]).reporters.sum() == 120
    assert same(added([one, no_cells()]), one)


@pytest.mark.parametrize(
    ("column", "value"),
    [
        ("hits", np.nan),
        ("hits", np.inf),
        ("hits", -1e-9),
        ("hits", 1e6),
        ("elsewhere", np.nan),
        ("squares", -1.0),
        ("squares", np.inf),
        ("positives", 10**6),
        ("positives", -1),
        ("reporters", 0),
        ("prompted", 2),
        ("band", 99),
        ("kind", len(KINDS)),
        ("share", -2),
    ],
)
def test_impossible_cells_are_refused(column: str, value: float) -> None:
    cells = fine_cells(np.random.default_rng(3), 20)
    changed = getattr(cells, column).copy()
    changed[0] = value
    with pytest.raises(InvalidInputError):
        replace(cells, **{column: changed})


def test_the_spread_is_that_of_the_reporters_totals_however_they_are_merged() -> None:
    hits = np.zeros((6, len(KINDS)))
    hits[:, 0] = totals = [0.03, 0.032, 0.04, 0.05, 0.07, 0.09]
    one = cells_of(period=[0] * 6, prompted=[0] * 6, positive=[True] * 6, hits=hits, elsewhere=[0.0] * 6)
    assert one.size == 1
    assert one.spread == pytest.approx(np.std(totals) / np.mean(totals))


def test_columns_of_different_lengths_are_refused() -> None:
    cells = fine_cells(np.random.default_rng(3), 20)
    with pytest.raises(InvalidInputError):
        replace(cells, period=cells.period[1:])


def test_a_person_without_visits_has_a_cell_too() -> None:
    cells = cells_of(period=[0], prompted=[1], positive=[True], hits=np.zeros((1, len(KINDS))), elsewhere=[0.02])
    assert cells.reporters.tolist() == [1]
    assert cells.band.tolist() == [0]
