"""The choice of a demonstration's example visitor among the people of a town."""

import numpy as np

from crowdtrace.town.world.people import NOWHERE
from crowdtrace.town.world.town import Town


def person_of(town: Town) -> int:
    """Return the visitor who goes out most, of those who do not work or learn at a place of the town.

    Full days there would hide the cost of an evening.
    """
    people = town.people
    chosen = people.has_app & people.honest & (people.work == NOWHERE)
    return int(np.argmax(np.where(chosen, people.activity, -1.0)))
