"""Which of a town's people is the example visitor of a demonstration."""

import numpy as np

from crowdtrace.town.world.people import NOWHERE
from crowdtrace.town.world.town import Town


def person_of(town: Town) -> int:
    """The visitor who goes out most, of those who do not work or learn at a place of the town: full days there would
    hide what an evening costs."""
    people = town.people
    chosen = people.has_app & people.honest & (people.work == NOWHERE)
    return int(np.argmax(np.where(chosen, people.activity, -1.0)))
