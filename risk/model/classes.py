"""From prevalence and four answers to the chance of being infectious.

Odds form: ``odds(infectious | class) = odds ratio * odds(prevalence)``, one ratio a class of answers, because the four
answers are correlated. People who answer no four times carry what the others do not: of the infectious,
``alpha + (1 - alpha)*(pre + (1 - pre)*(1 - honesty))``.
"""

from __future__ import annotations

import enum
from dataclasses import dataclass
from typing import Final

import numpy as np
import numpy.typing as npt

from risk.model.far import InvalidInputError
from risk.model.parameters import Parameters
from risk.model.uncertainty import Draws, Floats, draws_of

HIGHEST_CHANCE: Final = 0.999


class AnswerClass(enum.IntEnum):
    """What four answers come to; also the column of its class in arrays of four (0 is everybody there)."""

    ALL_NO = 0
    CONTACT = 1
    SYMPTOMS = 2
    DIAGNOSED = 3


def answer_class(
    *, symptoms: npt.ArrayLike, diagnosed: npt.ArrayLike, contact: npt.ArrayLike, near: npt.ArrayLike
) -> npt.NDArray[np.int8]:
    """Class of each set of answers: the gravest yes decides."""
    some = np.asarray(contact, bool) | np.asarray(near, bool)
    worst = np.where(np.asarray(symptoms, bool), AnswerClass.SYMPTOMS, np.where(some, AnswerClass.CONTACT, 0))
    return np.asarray(np.where(np.asarray(diagnosed, bool), AnswerClass.DIAGNOSED, worst), np.int8)


def refused_classes(*, symptoms: bool, diagnosed: bool, contact: bool, near: bool) -> tuple[bool, bool, bool, bool]:
    """Which classes a venue's requirements keep out, from the answers it refuses.

    The class of contacts holds two questions and is kept out only where both are refused.
    """
    return (False, contact and near, symptoms, diagnosed)


def hidden_share(draws: Draws) -> Floats:
    """Of the infectious, the share who answer no four times (draws,)."""
    before = draws.not_yet_symptomatic
    return draws.never_symptomatic + (1 - draws.never_symptomatic) * (before + (1 - before) * (1 - draws.honesty))


@dataclass(frozen=True, slots=True)
class Chances:
    """Chances of being infectious: ``by_class`` (n, 4, draws), ``admitted`` (n, draws), ``prevalence`` (n, draws)."""

    by_class: Floats
    admitted: Floats
    prevalence: Floats


def prevalence(known_active_per_person: npt.ArrayLike, draws: Draws, *, already_total: npt.ArrayLike = False) -> Floats:
    """Share of people infectious, (n, draws): known active cases times infections per reported case.

    Where ``already_total``, the series counts hidden carriers already and the ratio is not applied again.
    """
    known = np.atleast_1d(np.asarray(known_active_per_person, np.float64))
    if not (np.isfinite(known).all() and (known >= 0).all() and (known <= 1).all()):
        raise InvalidInputError("known_active_per_person", "must be between 0 and 1")
    ratio = np.where(
        np.broadcast_to(np.asarray(already_total, bool), known.shape)[:, None], 1.0, draws.infections_per_case
    )
    return np.minimum(known[:, None] * ratio, 0.5)


def chances(
    parameters: Parameters,
    known_active_per_person: npt.ArrayLike,
    *,
    refused: npt.ArrayLike = (False, False, False, False),
    already_total: npt.ArrayLike = False,
) -> Chances:
    """Chances by class and of "admitted here"; ``refused`` (4,) or (n, 4): classes the venue keeps out.

    "Admitted here" is what is believed of anybody whose answers are not used: the mix of admitted classes, never
    above prevalence, never below the chance of somebody who answered no.
    """
    draws, given = draws_of(parameters), parameters.answers
    known = np.atleast_1d(np.asarray(known_active_per_person, np.float64))
    kept_out = np.broadcast_to(np.asarray(refused, bool), (known.size, 4))
    total = np.broadcast_to(np.asarray(already_total, bool), known.shape)
    # Visits of one area and one set of rules share their chances.
    kinds, which = np.unique(np.column_stack([known, total, kept_out]), axis=0, return_inverse=True)
    spread = prevalence(kinds[:, 0], draws, already_total=kinds[:, 1] > 0)
    shares = np.array([given.share_contact.value, given.share_symptoms.value, given.share_diagnosed.value])
    shares = np.concatenate([[1.0 - shares.sum()], shares])
    odds = spread / (1.0 - spread)
    none = np.minimum(spread * hidden_share(draws) / shares[0], HIGHEST_CHANCE)
    yes = draws.odds * odds[:, None, :]
    by_class = np.concatenate([none[:, None, :], np.minimum(yes / (1.0 + yes), HIGHEST_CHANCE)], axis=1)
    by_class = np.maximum.accumulate(by_class, axis=1)
    weights = np.where(kinds[:, 2:] > 0, 0.0, shares)
    mix = np.einsum("ns,nsd->nd", weights, by_class) / np.maximum(weights.sum(axis=1), 1e-12)[:, None]
    admitted = np.maximum(np.minimum(mix, spread), none)
    return Chances(by_class[which], admitted[which], spread[which])


def reported_positive(parameters: Parameters, believed: Floats) -> Floats:
    """Chance of somebody believed to be infectious with chance ``believed`` who then reports a positive test.

    Odds times likelihood ratio (Bayes): far from certain where few are infectious and some reports are false.
    """
    given = parameters.answers
    ratio = given.report_sensitivity.value / (1.0 - given.report_specificity.value)
    odds = ratio * believed / (1.0 - believed)
    return np.asarray(np.minimum(odds / (1.0 + odds), HIGHEST_CHANCE))
