"""What the answers of a venue's day come to: numbers of people rounded with a secret offset, then shares of its crowd.

A shield reads of everybody's answers only these shares, once a venue and day, after the day has ended. The number of
people of a class is rounded to a multiple of `STEP` after a secret offset, drawn evenly from 0 to `STEP - 1`, is
added: ``(n + offset) // STEP * STEP``. Its mean over offsets is ``n``, it never falls when one more person says yes,
and one person moves it with a chance of one in `STEP`, whoever and how many the others are. So guessing one person's
answer from it has an AUC of at most ``1/2 + 1/(2*STEP)``, which is 0.56.

What was rounded says little of a small crowd. So the share that is believed is the mean given the rounded number: of
usual shares (`Answers`) that differ between crowds as a beta distribution does, the beta-binomial of the crowd's size.
Small crowds have nearly the usual share, large ones that of their answers.
"""

from __future__ import annotations

from typing import Final

import numpy as np
import numpy.typing as npt
from scipy.stats import betabinom

from risk.model.uncertainty import Floats

Ints = npt.NDArray[np.int64]

STEP: Final = 8
"""People that a rounded number moves by at a time; our choice."""
FEWEST_PEOPLE: Final = 20
"""People of a venue and day below which their answers are not read at all; our choice."""
ALIKE: Final = 40.0
"""How much alike crowds are: their shares differ as those of samples of so many people (our assumption)."""


def rounded(counts: npt.ArrayLike, offsets: npt.ArrayLike) -> Ints:
    """Numbers of people as multiples of `STEP`. ``offsets``: 0 to ``STEP - 1``, secret, drawn once for each number."""
    return np.asarray((np.asarray(counts, np.int64) + np.asarray(offsets, np.int64)) // STEP * STEP)


def believed_shares(people: npt.ArrayLike, shown: npt.ArrayLike, usual: Floats) -> Floats:
    """Shares (n, 3) of the classes 1, 2, 3 in crowds of ``people`` (n,), given rounded numbers ``shown`` (n, 3).

    ``usual`` (3,): shares of the classes among all check-ins. The number before rounding lies less than `STEP` from
    the rounded one, with a weight that falls linearly to 0 there. Rises with ``shown``, which may pass ``people``.
    """
    size = np.asarray(people, np.int64)[:, None, None]
    near = np.arange(1 - STEP, STEP)
    said = np.asarray(shown, np.int64)[:, :, None] + near
    mean = np.asarray(usual, np.float64)[None, :, None]
    prior = betabinom.logpmf(said, size, ALIKE * mean, ALIKE * (1.0 - mean))
    weight = np.log(1.0 - np.abs(near) / STEP) + prior
    # Far from what is usual all weights are tiny, so the largest is taken out before they are added up.
    weight = np.exp(weight - weight.max(axis=2, keepdims=True))
    return np.asarray((weight * said).sum(axis=2) / weight.sum(axis=2) / size[:, :, 0])


def spread_over(everybody: npt.ArrayLike, shares: Floats) -> Floats:
    """Columns everybody, 1, 2, 3 (n, 4) where each class has its share (n, 3) of everybody's (n,)."""
    return np.asarray(np.asarray(everybody, np.float64)[:, None] * np.insert(shares, 0, 1.0, axis=1))
