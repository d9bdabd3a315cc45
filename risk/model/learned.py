"""Effect on a shield of what was learned from reported results: a factor on hits, and a narrower interval.

Reports show what a hit is worth, by kind of venue: the posterior of ``scale * f_k`` (`risk.model.learning.posterior`),
which has a median factor and a width. The draws of a shield already have a width, from emission, carriers, adoption and
so on. ``v_i`` is the hits that draw i gives for a usual hour in a usual venue of the kind, relative to the mean over
draws. In draw i, hits are multiplied by

    factor * v_i^(spread - 1) * c,        c such that the mean hits of that hour are factor times what they were

where ``spread`` is the width of the posterior relative to that of its prior. If nothing was learned this is 1 in every
draw; if everything is known, all draws agree on that hour. The factor of a draw is the same for all visits of a kind,
so a change that raises hits in each draw still raises their mean and both ends.
"""

from __future__ import annotations

from typing import Final

import numpy as np

from risk.model.learning.posterior import KIND, SCALE, Estimate, Prior
from risk.model.parameters import Parameters
from risk.model.uncertainty import Floats
from risk.model.visits import KINDS

LEAST_SPREAD: Final = 0.05
"""Share of the spread that always remains, whatever the reports; our choice."""
KNOWN_ACTIVE: Final = 1e-4
"""Known active cases per person at which ``v`` is computed: hits are proportional to them."""


def taught_by(estimate: Estimate, prior: Prior) -> tuple[tuple[str, float, float], ...]:
    """Return what a posterior implies for the hits of each kind, in the form of `Adaptive.learned`."""
    levels = estimate.draws[:, [SCALE]] + estimate.draws[:, KIND:]
    mean = estimate.weights @ levels
    sd = np.sqrt(estimate.weights @ (levels - mean) ** 2)
    spread = np.clip(sd / np.hypot(prior.scale.sd, prior.kinds.sd), LEAST_SPREAD, 1.0)
    rows = zip(KINDS, np.exp(mean).tolist(), spread.tolist(), strict=True)
    return tuple(sorted((kind.value, round(factor, 4), round(share, 4)) for kind, factor, share in rows))


def hit_factors(parameters: Parameters, usual: Floats) -> Floats:
    """Return the factor on the hits of each kind in each draw, (kinds in the order of `KINDS`, draws).

    ``usual`` (kinds, draws): hits of an hour in a usual crowd in a usual venue, before anything was learned.
    """
    factor, spread = np.array([parameters.adaptive.taught(kind) for kind in KINDS]).T[:, :, None]
    mean = usual.mean(axis=1, keepdims=True)
    narrowed = (usual / mean) ** (spread - 1.0)
    return np.asarray(factor * narrowed * mean / (usual * narrowed).mean(axis=1, keepdims=True))
