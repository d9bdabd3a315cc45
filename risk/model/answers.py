"""Answers of a venue's day: numbers of people rounded with a secret offset, then shares of its crowd.

Of everybody's answers, a shield reads only these shares, once for each venue and day, after the day has ended. The
number of people in a class is rounded to a multiple of `STEP` after adding a secret offset, drawn uniformly from 0 to
`STEP - 1`: ``(n + offset) // STEP * STEP``. Its mean over offsets is ``n``, it never falls when one more person says
yes, and one person changes it with a probability of one in `STEP`, regardless of the others. Guessing one person's
answer from it therefore has an AUC of at most ``1/2 + 1/(2*STEP)``, which is 0.56.

For a small crowd the rounded number carries little information. The share used is therefore the posterior mean given
the rounded number, with a beta prior around the usual shares (`Answers`) and hence a beta-binomial for the crowd's
size. Small crowds have nearly the usual share, large ones the share of their answers.
"""

from __future__ import annotations

from typing import Final

import numpy as np
import numpy.typing as npt

from risk.model.uncertainty import Floats

Ints = npt.NDArray[np.int64]

STEP: Final = 8
"""Step of a rounded number, in people; our choice."""
FEWEST_PEOPLE: Final = 20
"""People of a venue and day below which their answers are not used at all; our choice."""
ALIKE: Final = 40.0
"""Similarity of crowds: their shares vary like those of samples of this many people (our assumption)."""


def rounded(counts: npt.ArrayLike, offsets: npt.ArrayLike) -> Ints:
    """Round numbers of people to multiples of `STEP`.

    ``offsets``: 0 to ``STEP - 1``, secret, drawn once for each number.
    """
    return np.asarray((np.asarray(counts, np.int64) + np.asarray(offsets, np.int64)) // STEP * STEP)


def believed_shares(people: npt.ArrayLike, shown: npt.ArrayLike, usual: Floats) -> Floats:
    """Return shares (n, 3) of the classes 1, 2, 3 in crowds of ``people`` (n,), given rounded numbers ``shown`` (n, 3).

    ``usual`` (3,): shares of the classes among all check-ins. The number before rounding differs from the rounded one
    by less than `STEP`, with a weight that falls linearly to 0 at that distance. The shares rise with ``shown``, which
    may exceed ``people``.
    """
    from scipy.stats import betabinom  # imported late: it takes as long as all that the first page needs

    size = np.asarray(people, np.int64)[:, None, None]
    near = np.arange(1 - STEP, STEP)
    said = np.asarray(shown, np.int64)[:, :, None] + near
    mean = np.asarray(usual, np.float64)[None, :, None]
    prior = betabinom.logpmf(said, size, ALIKE * mean, ALIKE * (1.0 - mean))
    weight = np.log(1.0 - np.abs(near) / STEP) + prior
    # Far from the usual shares all weights are tiny, so the largest is divided out before they are summed.
    weight = np.exp(weight - weight.max(axis=2, keepdims=True))
    return np.asarray((weight * said).sum(axis=2) / weight.sum(axis=2) / size[:, :, 0])


def spread_over(everybody: npt.ArrayLike, shares: Floats) -> Floats:
    """Return the columns everybody, 1, 2, 3 (n, 4), where each class has its share (n, 3) of everybody (n,)."""
    return np.asarray(np.asarray(everybody, np.float64)[:, None] * np.insert(shares, 0, 1.0, axis=1))
