"""Answers of a day: rounded so that one person hardly shows, and used as far as they are informative."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy.stats import betabinom

from risk.model.answers import ALIKE, FEWEST_PEOPLE, STEP, believed_shares, rounded, spread_over
from risk.model.classes import answer_shares
from risk.model.parameters import Answers

USUAL = answer_shares(Answers())[1:]
OFFSETS = np.arange(STEP)


@given(st.integers(0, 10_000))
def test_one_person_moves_a_rounded_number_with_one_offset_of_eight(count: int) -> None:
    """Regardless of the others, so an attacker gains nothing by adding passes: an AUC of at most 0.5625."""
    moved = rounded(count, OFFSETS) != rounded(count + 1, OFFSETS)
    assert moved.sum() == 1
    assert 0.5 + 0.5 * moved.mean() <= 0.6


@given(st.integers(0, 10_000), st.integers(0, 100))
def test_rounding_keeps_the_mean_and_the_order(count: int, more: int) -> None:
    assert rounded(count, OFFSETS).mean() == count
    assert (rounded(count + more, OFFSETS) >= rounded(count, OFFSETS)).all()
    assert (rounded(count, OFFSETS) % STEP == 0).all()


@given(st.integers(FEWEST_PEOPLE, 3_000), st.data())
def test_more_people_who_said_yes_never_lower_the_share_believed(people: int, data: st.DataObject) -> None:
    count = data.draw(st.integers(0, people - 1))
    some, more = (believed_shares([people], rounded([[n] * 3], OFFSETS[0]), USUAL) for n in (count, count + 1))
    assert (more >= some - 1e-12).all()
    assert ((some >= 0.0) & (more <= 1.0)).all()


def test_small_crowds_keep_nearly_what_is_usual_and_large_ones_what_they_said() -> None:
    people = np.array([FEWEST_PEOPLE, 100, 2_000])
    contact = np.array([0.0, 0.2, 0.2])
    shown = np.repeat(rounded(people * contact, 0)[:, None], 3, axis=1)
    share = believed_shares(people, shown, USUAL)[:, 0]
    assert share[0] == pytest.approx(USUAL[0], rel=0.4)
    assert USUAL[0] < share[1] < 0.2
    assert share[2] == pytest.approx(0.2, rel=0.02)


def test_over_crowds_as_different_as_is_believed_the_mean_share_is_the_usual_one() -> None:
    """So the level of the model remains that of the renewal identity."""
    for people in (FEWEST_PEOPLE, 60, 400):
        counts = np.arange(people + 1)
        chance = np.array([betabinom.pmf(counts, people, ALIKE * s, ALIKE * (1 - s)) for s in USUAL])
        means = [
            believed_shares(np.full(counts.size, people), np.repeat(rounded(counts, offset)[:, None], 3, axis=1), USUAL)
            for offset in OFFSETS
        ]
        mean = (np.mean(means, axis=0).T * chance).sum(axis=1)
        np.testing.assert_allclose(mean, USUAL, rtol=1e-6)


def test_a_class_has_its_share_of_everybodys_air() -> None:
    got = spread_over([10.0, 4.0], np.array([[0.1, 0.0, 0.5], [0.0, 0.25, 0.0]]))
    np.testing.assert_allclose(got, [[10.0, 1.0, 0.0, 5.0], [4.0, 0.0, 1.0, 0.0]])
