"""Reports for tests: any possible ones, and those of a simulated town."""

from __future__ import annotations

import functools

import numpy as np
from hypothesis import strategies as st

from docs.plots.reporters import A_MONTH, reports, truth_of
from risk.model.learning.cells import Cells, added, cells_of
from risk.model.learning.posterior import Prior
from risk.model.visits import KINDS


def fine_cells(rng: np.random.Generator, people: int) -> Cells:
    """Return cells, not yet coarsened, of people of two periods and both streams."""
    hits = np.zeros((people, len(KINDS)))
    mixed = rng.dirichlet([0.3] * 4, people) * rng.lognormal(-4.0, 1.5, people)[:, None]
    hits[:, :4] = np.minimum(mixed, 1.0)
    return cells_of(
        period=rng.integers(0, 2, people),
        prompted=rng.integers(0, 2, people),
        positive=rng.random(people) < 0.3,
        hits=hits,
        elsewhere=rng.uniform(0.0, 0.05, people),
    )


any_cells = st.builds(
    lambda seed, people: fine_cells(np.random.default_rng(seed), people), st.integers(0, 2**32 - 1), st.integers(0, 80)
)


@functools.cache
def town_cells(seed: int = 1, volunteers: int = 100, prompted: int = 30) -> Cells:
    """Return stored cells of one month of a town whose truth comes from the prior."""
    rng = np.random.default_rng(seed)
    truth = truth_of(Prior(), rng)
    streams = ((volunteers, False), (prompted, True))
    return added(
        reports(A_MONTH, truth, rng, positives=count, prompted=asked).cells() for count, asked in streams if count
    )
