"""What visitors' ratings show about a crowd's masks and distances: Beta posteriors shrunk to the kind's prior.

A rating of 1 means nobody, 5 means everybody. Ratings of one hour describe the same crowd, so together they weigh no
more than `HEAVIEST`.
"""

from __future__ import annotations

from typing import Final

import numpy as np
import numpy.typing as npt

from risk.model.far import InvalidInputError

PRIOR_WEIGHT: Final = 4.0
"""Number of ratings that a kind's prior weighs as much as; our assumption."""
HEAVIEST: Final = 6.0
"""Largest weight of all ratings of one hour together; our assumption, about half of a dozen correlated raters."""
LOWEST_MEAN: Final = 0.02


def posterior(
    prior_mean: npt.ArrayLike, rating_sum: npt.ArrayLike, rating_count: npt.ArrayLike
) -> tuple[npt.NDArray[np.float64], npt.NDArray[np.float64]]:
    """Return Beta parameters (a, b) of the share, from the sum and count of ratings 1-5 of an hour."""
    total, count = np.asarray(rating_sum, np.float64), np.asarray(rating_count, np.float64)
    if not (np.isfinite(total).all() and (count >= 0).all() and (total >= count).all() and (total <= 5 * count).all()):
        raise InvalidInputError("rating", "ratings are 1 to 5")
    mean = np.clip(np.asarray(prior_mean, np.float64), LOWEST_MEAN, 1 - LOWEST_MEAN)
    weight = np.minimum(count, HEAVIEST)
    said = np.where(count > 0, (total - count) / np.maximum(4.0 * count, 1.0), 0.0)
    return PRIOR_WEIGHT * mean + weight * said, PRIOR_WEIGHT * (1 - mean) + weight * (1 - said)
