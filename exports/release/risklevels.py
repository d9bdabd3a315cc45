"""The class of risk of each pattern of answers in each area. It is public before the draw, so it reveals nothing.

`risklevel` is the class of the chance of being infectious, from the four answers and the area's published prevalence.
"""

import datetime as dt
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from itertools import product
from typing import Any

from django.conf import settings

from exports.dataset.tables import RISKLEVELS
from risk.crowd.cases import Signal, signals_of
from risk.crowd.parameters import parameters_at_start
from risk.model.classes import answer_class, chances
from risk.model.parameters import Parameters
from risk.model.risklevels import HIGH_FROM, MODERATE_FROM, risklevel


@dataclass(frozen=True)
class Levels:
    """For each area the index in `RISKLEVELS` of each pattern of answers, and the basis of these classes."""

    by_zip3: Mapping[str, Sequence[int]]
    basis: Mapping[str, Any]


def levels_on(*, day: dt.date, zip3: Sequence[str]) -> Levels:
    """Return the classes of a day, from the published case numbers of each area or its state, else by default."""
    found = signals_of([(area, day) for area in zip3])
    signals = {area: found[area, day] for area in zip3}
    parameters = parameters_at_start()
    basis = {
        "parameters": parameters.version,
        "moderate_from": MODERATE_FROM,
        "high_from": HIGH_FROM,
        "known_active_per_person": {
            area: signal.known_active_per_person for area, signal in signals.items() if signal.source != "default"
        },
        "known_active_per_person_elsewhere": settings.KNOWN_ACTIVE_PER_PERSON,
        "sources": sorted({signal.source for signal in signals.values()}),
    }
    return Levels(levels_by_zip3(signals=signals, parameters=parameters), basis)


def levels_by_zip3(*, signals: Mapping[str, Signal], parameters: Parameters) -> dict[str, list[int]]:
    """Return for each area the index in `RISKLEVELS` of each pattern of answers.

    A pattern's number is 8 symptoms + 4 diagnosed + 2 contact + near.
    """
    classes = [
        int(answer_class(symptoms=symptoms, diagnosed=diagnosed, contact=contact, near=near))
        for symptoms, diagnosed, contact, near in product((False, True), repeat=4)
    ]
    # Most areas share a number, so each number is computed once.
    kinds = sorted({(signal.known_active_per_person, signal.already_total) for signal in signals.values()})
    of_kind = dict(zip(kinds, _by_class(kinds, parameters), strict=True))
    return {
        area: [_level(of_kind[signal.known_active_per_person, signal.already_total][each]) for each in classes]
        for area, signal in signals.items()
    }


def _by_class(kinds: Sequence[tuple[float, bool]], parameters: Parameters) -> list[list[float]]:
    """Return the mean chance of each class of answers, for each kind of area."""
    found = chances(
        parameters, [share for share, _total in kinds], already_total=[total for _share, total in kinds]
    ).by_class.mean(axis=2)
    return [[float(chance) for chance in line] for line in found]


def _level(chance: float) -> int:
    return RISKLEVELS.index(risklevel(chance))
