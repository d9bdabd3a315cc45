"""Compute the chance of being infectious from prevalence and four answers.

Of the infectious, a share ``alpha + (1 - alpha)*(pre + (1 - pre)*(1 - honesty))`` answers no four times. The others are
among the people who answered yes, in odds form with one ratio for each class, because the four answers are correlated:
``odds(infectious | class) = odds(infectious | all no) + mu*(odds ratio - 1)``, with ``mu`` chosen so that the classes
sum to prevalence: ``sum of share * chance = prevalence``. A more severe class never has a lower chance.
"""

from __future__ import annotations

import enum
from dataclasses import dataclass
from typing import Final

import numpy as np
import numpy.typing as npt

from risk.model.far import InvalidInputError
from risk.model.parameters import Answers, Parameters
from risk.model.uncertainty import Draws, Floats, draws_of

HIGHEST_CHANCE: Final = 0.999
KNOWN_ACTIVE_DAYS: Final = 10.0
"""Days for which a reported positive result counts as a known active case; imported series must count the same."""
_MOST_OF_YES: Final = 0.998
_STEPS: Final = 64
"""Doublings of `mu` that suffice for any odds."""


class AnswerClass(enum.IntEnum):
    """The class of four answers, which is also its column in arrays of four (column 0 is everybody present)."""

    ALL_NO = 0
    CONTACT = 1
    SYMPTOMS = 2
    DIAGNOSED = 3


def answer_class(
    *, symptoms: npt.ArrayLike, diagnosed: npt.ArrayLike, contact: npt.ArrayLike, near: npt.ArrayLike
) -> npt.NDArray[np.int8]:
    """Return the class of each set of answers: the most severe yes decides."""
    some = np.asarray(contact, bool) | np.asarray(near, bool)
    worst = np.where(np.asarray(symptoms, bool), AnswerClass.SYMPTOMS, np.where(some, AnswerClass.CONTACT, 0))
    return np.asarray(np.where(np.asarray(diagnosed, bool), AnswerClass.DIAGNOSED, worst), np.int8)


def refused_classes(*, symptoms: bool, diagnosed: bool, contact: bool, near: bool) -> tuple[bool, bool, bool, bool]:
    """Return the classes that a venue's requirements exclude, from the answers it refuses.

    The class of contacts covers two questions and is excluded only if both are refused.
    """
    return (False, contact and near, symptoms, diagnosed)


def hidden_share(draws: Draws) -> Floats:
    """Return the share (draws,) of the infectious who answer no four times."""
    before = draws.not_yet_symptomatic
    return draws.never_symptomatic + (1 - draws.never_symptomatic) * (before + (1 - before) * (1 - draws.honesty))


@dataclass(frozen=True, slots=True)
class Chances:
    """Chances of being infectious: ``by_class`` (n, 4, draws), ``admitted`` (n, draws), ``prevalence`` (n, draws)."""

    by_class: Floats
    admitted: Floats
    prevalence: Floats


def prevalence(known_active_per_person: npt.ArrayLike, draws: Draws, *, already_total: npt.ArrayLike = False) -> Floats:
    """Return the share of people who are infectious, (n, draws).

    It is known active cases times infections per reported case, each infectious for `infectious_days` of the
    `KNOWN_ACTIVE_DAYS` days that a case counts as active. Where ``already_total``, the series gives the share of people
    who are infectious, including unreported carriers, and is used unchanged.
    """
    known = np.atleast_1d(np.asarray(known_active_per_person, np.float64))
    if not (np.isfinite(known).all() and (known >= 0).all() and (known <= 1).all()):
        raise InvalidInputError("known_active_per_person", "must be between 0 and 1")
    ratio = np.where(
        np.broadcast_to(np.asarray(already_total, bool), known.shape)[:, None],
        1.0,
        draws.infections_per_case * draws.infectious_days / KNOWN_ACTIVE_DAYS,
    )
    return np.minimum(known[:, None] * ratio, 0.5)


def chances(
    parameters: Parameters,
    known_active_per_person: npt.ArrayLike,
    *,
    refused: npt.ArrayLike = (False, False, False, False),
    already_total: npt.ArrayLike = False,
) -> Chances:
    """Return chances by class and of "admitted here". ``refused`` (4,) or (n, 4): classes that the venue excludes.

    "Admitted here" is the chance of a person whose answers are not used: the mix of the admitted classes, never above
    prevalence and never below the chance of a person who answered no.
    """
    draws, given = draws_of(parameters), parameters.answers
    known = np.atleast_1d(np.asarray(known_active_per_person, np.float64))
    kept_out = np.broadcast_to(np.asarray(refused, bool), (known.size, 4))
    total = np.broadcast_to(np.asarray(already_total, bool), known.shape)
    # Visits in one area with the same requirements share their chances.
    kinds, which = np.unique(np.column_stack([known, total, kept_out]), axis=0, return_inverse=True)
    spread = prevalence(kinds[:, 0], draws, already_total=kinds[:, 1] > 0)
    shares = answer_shares(given)
    by_class = reconciled(spread, shares, draws)
    weights = np.where(kinds[:, 2:] > 0, 0.0, shares)
    mix = np.einsum("ns,nsd->nd", weights, by_class) / np.maximum(weights.sum(axis=1), 1e-12)[:, None]
    admitted = np.maximum(np.minimum(mix, spread), by_class[:, 0])
    return Chances(by_class[which], admitted[which], spread[which])


def answer_shares(given: Answers) -> Floats:
    """Return the shares (4,) of the classes among check-ins, which sum to 1."""
    yes = np.array([given.share_contact.value, given.share_symptoms.value, given.share_diagnosed.value])
    return np.concatenate([[1.0 - yes.sum()], yes])


def reconciled(spread: Floats, shares: Floats, draws: Draws) -> Floats:
    """Return chances (n, 4, draws) whose mean by ``shares`` is prevalence ``spread`` (n, draws), rising with the class.

    If people who answered no would come out as more likely than the rest, because many said yes, all classes get
    prevalence: an answer can only raise a chance.
    """
    yes = shares[1:, None]
    hidden = np.minimum(hidden_share(draws), shares[0])
    # At most everybody who said yes is infectious; the rest of the prevalence belongs to people who said no.
    none = np.maximum(spread * hidden, spread - _MOST_OF_YES * yes.sum()) / max(shares[0], 1e-12)
    none = np.minimum(none, HIGHEST_CHANCE)
    rest = np.maximum(spread - shares[0] * none, 0.0)
    odds, above = (none / (1.0 - none))[:, None, :], np.maximum(draws.odds - 1.0, 1e-9)
    # Newton's method from the left, where the linear bound is: the sum is concave in mu, so it never overshoots.
    slope = np.maximum((yes * above).sum(axis=0), 1e-300)
    mu = np.maximum((rest - (yes * odds).sum(axis=1)) / slope, 0.0)
    for _ in range(_STEPS):
        each = odds + mu[:, None, :] * above
        lacking = rest - (yes * each / (1.0 + each)).sum(axis=1)
        if (lacking <= 1e-12 * rest).all():
            break
        mu = mu + np.maximum(lacking, 0.0) / np.maximum((yes * above / (1.0 + each) ** 2).sum(axis=1), 1e-300)
    each = odds + mu[:, None, :] * above
    return np.concatenate([none[:, None, :], np.minimum(each / (1.0 + each), HIGHEST_CHANCE)], axis=1)


def reported_positive(parameters: Parameters, believed: Floats) -> Floats:
    """Return the chance of a person, infectious with chance ``believed``, who then reports a positive test.

    Bayes: odds times likelihood ratio. Far from certain where few people are infectious and some reports are false.
    """
    given = parameters.answers
    ratio = given.report_sensitivity.value / (1.0 - given.report_specificity.value)
    odds = ratio * believed / (1.0 - believed)
    return np.asarray(np.minimum(odds / (1.0 + odds), HIGHEST_CHANCE))
