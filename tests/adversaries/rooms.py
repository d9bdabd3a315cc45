"""Rooms in which an attacker with several passes sits next to one neighbour, and guesses the neighbour's answers.

Everything is in the database as doors leave it. The attacker knows the room, who came and left when, and what the
attacker's passes answered; about other visitors, only what is usual. The attacker chooses when to come and go, comes
with several passes, and reads every number of a shield, alone and with all owners at once, with a budget at which all
digits show, after the next scheduled refresh and after the night.
"""

import datetime as dt
import hashlib
import itertools
import math
import random
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any, Final

import numpy as np
import numpy.typing as npt
from django.db import connection
from sklearn.ensemble import HistGradientBoostingClassifier
from sklearn.metrics import roc_auc_score
from sklearn.model_selection import cross_val_predict

from passes.codec.identity import hash_owner
from passes.models import Pass, Visit
from risk.crowd.refresh import refresh_crowd
from risk.shield.answer import ShieldAnswer, shield_of
from tests.factories import NOW, make_organisation, make_venue
from tests.risk.crowds import HOUR, MINUTE, queue
from venues.models import Organisation, Venue
from venues.requirements import RequirementValues

SMALL: Final = 1e-6
"""A budget at which the smallest cost of a visit shows."""
YESTERDAY: Final = NOW - 24 * HOUR
ALONE: Final = (0,)
AMONG_OTHERS: Final = (0, 3, 12, 30, 80)
"""Possible numbers of others in addition to the neighbour."""
YES: Final = ("contact", "contact", "contact", "symptoms", "symptoms", "diagnosed")
"""Questions that people say yes to, about as often as usual."""
USUAL_YES: Final = 0.085
_numbers = itertools.count(1)


@dataclass(frozen=True)
class Sitting:
    """One stay: when, how long, and which answer was yes, if any."""

    arrived: dt.datetime
    minutes: float
    yes: str | None = None


@dataclass(frozen=True)
class Room:
    """A venue, the owners of the attacker's passes, and what there is to guess.

    A twin has the owners of the same passes where nobody says yes; the attacker can compute its shields.
    """

    owners: list[bytes]
    twins: list[bytes]
    twin: Venue
    others: int
    own_yes: int
    said_yes: bool


def rooms(*, count: int, passes: int, others: Sequence[int], seed: int, eager: bool = False) -> list[Room]:
    """Return random rooms, in half of which the neighbour says yes; ``others``: how many more there may be.

    ``eager``: all of the attacker's passes say yes, so that one more yes exceeds what everybody counts as.
    """
    lot = random.Random(seed)
    organisation = make_organisation()
    return [
        _room(lot, organisation, passes, lot.choice(others), eager=eager, said_yes=number % 2 == 0)
        for number in range(count)
    ]


def _room(
    lot: random.Random, organisation: Organisation, passes: int, others: int, *, eager: bool, said_yes: bool
) -> Room:
    facts: dict[str, Any] = {"volume_m3": lot.uniform(25.0, 300.0), "air_changes_per_h": lot.uniform(0.5, 5.0)}
    own_yes = passes if eager else lot.choice((0, 0, passes // 2, passes))
    neighbour = Sitting(YESTERDAY, lot.uniform(40, 180), lot.choice(YES) if said_yes else None)
    crowd = [
        Sitting(
            YESTERDAY + lot.uniform(-120, 120) * MINUTE,
            lot.uniform(30, 150),
            lot.choice(YES) if lot.random() < USUAL_YES else None,
        )
        for _ in range(others)
    ]
    mine = [
        Sitting(YESTERDAY + lot.uniform(-90, 30) * MINUTE, lot.uniform(60, 240), "contact" if at < own_yes else None)
        for at in range(passes)
    ]
    # Everybody is admitted, whatever they say, so that every answer could be seen.
    asked = RequirementValues(refuse_symptoms=False, refuse_diagnosed=False)
    there, twin = (make_venue(organisation=organisation, requirements=asked, **facts) for _ in range(2))
    owners = sit(there, [*mine, neighbour, *crowd])[:passes]
    silent = [Sitting(one.arrived, one.minutes) for one in [*mine, neighbour, *crowd]]
    return Room(owners, sit(twin, silent)[:passes], twin, others, own_yes, said_yes)


def sit(venue: Venue, sittings: Sequence[Sitting]) -> list[bytes]:
    """Create passes and visits of people in a venue, and return their owners."""
    owners = [hashlib.sha256(b"owner of a room %d" % next(_numbers)).digest() for _ in sittings]
    answers = dict.fromkeys(("symptoms", "diagnosed", "contact", "near"), False)
    tags = [hashlib.sha256(b"tag" + owner).digest()[:16] for owner in owners]
    Pass.objects.bulk_create(
        Pass(
            tag=tag,
            venue=venue,
            epoch=one.arrived.date(),
            owner_hash=hash_owner(owner),
            survey_seconds=20,
            go=True,
            counted=True,
            **(answers | ({one.yes: True} if one.yes else {})),
        )
        for tag, owner, one in zip(tags, owners, sittings, strict=True)
    )
    Visit.objects.bulk_create(
        Visit(
            tag=tag,
            venue=venue,
            epoch=one.arrived.date(),
            arrived_at=one.arrived,
            left_at=one.arrived + one.minutes * MINUTE,
            times_out_at=one.arrived + one.minutes * MINUTE + HOUR,
        )
        for tag, one in zip(tags, sittings, strict=True)
    )
    queue(venue, min(one.arrived for one in sittings))
    return owners


def auc_of_guesses(seated: Sequence[Room], *, night: Callable[[], object]) -> float:
    """Return the best result of the attacker: by a single number, or by a classifier trained on other rooms."""
    with connection.cursor() as cursor:
        cursor.execute("ANALYZE passes_visit, passes_pass, venues_venue")  # many rows are not in the statistics yet
    refresh_crowd(now=NOW)
    before = [_seen(room) for room in seated]
    night()
    seen = np.array([[*first, *_seen(room)] for first, room in zip(before, seated, strict=True)])
    known = np.array([[room.others, room.own_yes, len(room.owners)] for room in seated], float)
    said = np.array([room.said_yes for room in seated])
    single = [float(roc_auc_score(said, column)) for column in seen.T]
    return max(*single, _taught(np.column_stack([seen, known]), said))


def _taught(features: npt.NDArray[np.float64], said: npt.NDArray[np.bool_]) -> float:
    model = HistGradientBoostingClassifier(max_iter=60, min_samples_leaf=5, random_state=1)
    chance = cross_val_predict(model, features, said, cv=5, method="predict_proba")[:, 1]
    return float(roc_auc_score(said, chance))


def _seen(room: Room) -> list[float]:
    """Return every number, as the logarithm of its ratio to the value if everybody said no."""
    first, last = [room.owners[0]], [room.owners[-1]]
    asked = [(first, [room.twins[0]]), (last, [room.twins[-1]]), (room.owners, room.twins)]
    return [
        math.log((here + 1e-12) / (there + 1e-12))
        for owners, twins in asked
        for here, there in zip(_numbers_of(owners), _numbers_of(twins), strict=True)
    ]


def _numbers_of(owners: list[bytes]) -> list[float]:
    answer: ShieldAnswer = shield_of(owners=owners, budget=SMALL, now=NOW)
    visits = answer.visits
    return [
        answer.spent,
        answer.infection_probability,
        answer.incubating,
        max(visit.shield_cost for visit in visits),
        sum(visit.infection_probability for visit in visits),
        sum(visit.dose for visit in visits),
        float(sum(len(visit.why) for visit in visits)),
    ]
