"""Expected hits of a stay: far range by answer class, plus near range.

Far: ``h = sum over classes of -M*ln(1 - p*g(D/M))`` with M effective heads, D their summed dose, and g the chance of a
hit averaged over a very unequal load. By concavity it is never below the pairwise sum ``-sum ln(1 - p_i*g(d_i))``, and
equals it if doses are equal. With ``g = 1`` everywhere and equal p it is ``-n*ln(1 - p)``, so the chance of at least
one hit is Georgia Tech's event risk ``1 - (1 - p)^n``.

**A shield must not reveal anything about a neighbour**: everybody counts at least as "admitted here", in one sum over
everybody. With `BLIND_BELOW` or more others the answers are read: everybody counts as a person who answered no, and
each class of people who answered yes adds its hits beyond that, never less than 0. The larger of the two results is
used. The classes sum to prevalence, so a crowd with the usual mix of answers hits as its prevalence implies, and nobody
is counted twice. By superadditivity of the form, the second result is never below the sum class by class. Using that
sum instead would let a yes lower the hits a little, because one class split in two counts less (``-M*ln(1 - p*g(D/M))``
is concave). Using only the second would let the fifth person raise a shield, since a person who answered no counts less
than one who was not asked.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

import numpy as np
import numpy.typing as npt

from risk.model.load import chance_of_hit
from risk.model.uncertainty import Floats

BLIND_BELOW: Final = 12
"""Number of others below which neither answers nor reports are read; our choice: six passes around one person are
seven."""


@dataclass(frozen=True, slots=True)
class Reported:
    """Contribution of people who later reported a positive test: they are part of everybody, and add to that.

    ``heads`` (n,): their largest possible number. ``dose_quanta``, ``near_h`` (n, draws): from them. ``chance`` (n,
    draws).
    """

    heads: npt.NDArray[np.float64]
    dose_quanta: Floats
    near_h: Floats
    chance: Floats


def class_hits(
    heads: npt.ArrayLike, dose_quanta: npt.ArrayLike, chance: npt.ArrayLike, dispersion: npt.ArrayLike
) -> Floats:
    """Return ``-M*ln(1 - p*g(D/M))`` of one class, 0 where M is 0.

    ``dose_quanta``: sum over the class at mean load. Increasing in M, D and p. Shapes broadcast.
    """
    m, total = np.asarray(heads, np.float64), np.asarray(dose_quanta, np.float64)
    each = total / np.where(m > 0.0, m, 1.0)
    return np.asarray(np.where(m > 0.0, -m * np.log1p(-np.asarray(chance) * chance_of_hit(each, dispersion)), 0.0))


def pairwise_hits(dose_quanta: npt.ArrayLike, chance: npt.ArrayLike, dispersion: float) -> float:
    """Return the exact sum over single people, ``-sum ln(1 - p_i*g(d_i))``: the oracle of `class_hits`."""
    return float(-np.log1p(-np.asarray(chance) * chance_of_hit(dose_quanta, dispersion)).sum())


def far_hits(
    *,
    heads: npt.NDArray[np.float64],
    dose_quanta: Floats,
    by_class: Floats,
    admitted: Floats,
    load_factor: Floats,
    dispersion: Floats,
    reported: Reported | None = None,
) -> Floats:
    """Return far hits (n, draws) for each counted check-in; multiply by coverage for hits. Dispersions up to 1.

    ``heads`` (n, 4), ``dose_quanta`` (n, 4, draws) at mean load, columns everybody, 1, 2, 3; ``by_class``
    (n, 4, draws), ``admitted`` (n, draws), ``load_factor`` (4, draws), ``dispersion`` (draws,).
    """
    total = class_hits(heads[:, 0, None], dose_quanta[:, 0], admitted, dispersion)
    # Few crowds have anybody in a class of yes, so only pairs of stay and class with somebody in them are computed.
    stay, kind = np.nonzero((heads[:, 1:] > 0.0) & (heads[:, :1] >= BLIND_BELOW))
    if stay.size:
        m, dose, base = heads[stay, 1 + kind, None], dose_quanta[stay, 1 + kind], by_class[stay, 0]
        known = class_hits(m, dose * load_factor[1 + kind], by_class[stay, 1 + kind], dispersion)
        more = np.maximum(known - class_hits(m, dose, base, dispersion), 0.0)
        rows, of = np.unique(stay, return_inverse=True)
        answered = class_hits(heads[rows, 0, None], dose_quanta[rows, 0], by_class[rows, 0], dispersion)
        np.add.at(answered, of, more)
        total[rows] = np.maximum(total[rows], answered)
    if reported is not None:
        stay = np.flatnonzero((reported.heads > 0.0) & (heads[:, 0] >= BLIND_BELOW))
        m = np.minimum(reported.heads[stay], heads[stay, 0])[:, None]
        dose, base = np.minimum(reported.dose_quanta[stay], dose_quanta[stay, 0]), admitted[stay]
        known = class_hits(m, dose, reported.chance[stay], dispersion)
        total[stay] += np.maximum(known - class_hits(m, dose, base, dispersion), 0.0)
    return total


def near_hits(
    *,
    heads: npt.NDArray[np.float64],
    near_h: Floats,
    by_class: Floats,
    admitted: Floats,
    load_factor: Floats,
    rate_per_h: Floats,
    close_contacts: npt.NDArray[np.float64],
    reported: Reported | None = None,
) -> Floats:
    """Return near hits (n, draws): ``c*(1 - exp(-rate*sum(p*t)/c))``.

    ``near_h`` (n, 4, draws): hours of company, already reduced by masks and distancing; columns everybody, 1, 2, 3.
    ``rate_per_h`` (n, draws): hazard (1/h) of an hour with an infectious person somewhere in the room, including the
    share of time that the person is close. ``close_contacts`` (n,): c. Linear in company, so splitting a stay never
    lowers the sum of its parts.
    """
    weighted = admitted * near_h[:, 0]
    seen = heads[:, 0] >= BLIND_BELOW
    read = np.flatnonzero(seen & (near_h[:, 1:] > 0.0).any(axis=(1, 2)))
    more = np.maximum(by_class[read, 1:] * load_factor[1:] - by_class[read, :1], 0.0)
    answered = by_class[read, 0] * near_h[read, 0] + (more * near_h[read, 1:]).sum(axis=1)
    weighted[read] = np.maximum(weighted[read], answered)
    if reported is not None:
        rows = np.flatnonzero(seen & (reported.heads > 0.0))
        more = np.maximum(reported.chance[rows] - admitted[rows], 0.0)
        weighted[rows] += more * np.minimum(reported.near_h[rows], near_h[rows, 0])
    limit = close_contacts[:, None]
    return -limit * np.expm1(-rate_per_h * weighted / limit)
