"""The class of risk of each pattern of answers in each area: public before the day, so that it says nothing of anybody.

`risklevel` is the class of the chance of being infectious, from the four answers and the area's published prevalence.
"""

from collections.abc import Mapping, Sequence
from itertools import product
from typing import Final

from django.conf import settings

from exports.tables import RISKLEVELS
from risk.model.classes import answer_class, chances
from risk.model.parameters import Parameters

# Known active cases per person where nothing is published for an area: about 20 new cases a day per 100,000 people
# (the United States in mid October 2020, CDC COVID Data Tracker), each active for ten days.
BASELINE_KNOWN_ACTIVE: Final = 0.002


def levels_by_zip3(
    zip3: Sequence[str], *, known_active: Mapping[str, float], parameters: Parameters
) -> dict[str, list[int]]:
    """For each area the place in `RISKLEVELS` of each pattern of answers.

    A pattern's number is 8 symptoms + 4 diagnosed + 2 contact + near. `known_active` is the published share of people
    who are known active cases, by area.
    """
    patterns = list(product((False, True), repeat=4))
    classes = [
        int(answer_class(symptoms=symptoms, diagnosed=diagnosed, contact=contact, near=near))
        for symptoms, diagnosed, contact, near in patterns
    ]
    shares = [known_active.get(area, BASELINE_KNOWN_ACTIVE) for area in zip3]
    by_class = chances(parameters, shares).by_class.mean(axis=2)
    return {area: [_level(float(by_class[place, each])) for each in classes] for place, area in enumerate(zip3)}


def _level(chance: float) -> int:
    moderate, high = settings.RISKLEVEL_THRESHOLDS
    name = "Low" if chance < moderate else "Moderate" if chance < high else "High"
    return RISKLEVELS.index(name)
