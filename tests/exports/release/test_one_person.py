"""One person changes only their own rows: every day is counted with each person and without them, in turn."""

import datetime as dt
import hashlib
from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from typing import Any

import numpy as np
import pytest
from django.db import transaction
from hypothesis import HealthCheck, Phase, given, settings
from hypothesis import strategies as st

from exports.dataset.tables import ANSWERS
from exports.models import LeftOutDay
from exports.policy.domain import CAP, workloads
from exports.policy.noise import Counts
from exports.release.counts import exact_counts
from passes import keys
from passes.clock import calendar
from passes.codec import rotating_text, sign_pass
from passes.codec.identity import derive_pass, derive_seed, hash_owner
from passes.hashes import pass_tag
from passes.models import Pass, Scan
from tests.exports.rows import rate
from tests.factories import NOW, EnrolledDevice, make_device, make_venue
from tests.passes.people import scan
from venues.requirements import RequirementValues

pytestmark = pytest.mark.django_db
ZIPS = ("021", "941")
DOMAIN = workloads(zip3=ZIPS, readings=True)
LEVELS = {zip3: [2 if pattern & 4 else 0 for pattern in range(16)] for zip3 in ("", *ZIPS)}
# The smallest place there is: a second guest finds it full.
ROOM_FOR_ONE = RequirementValues(capacity=1, enforced_limit_percent=100, max_temperature_f=100.4)


@dataclass(frozen=True)
class At:
    """One thing that a pass does at the door, `minute` minutes after the start."""

    minute: int
    kind: str = "Checkin"
    temperature: float | None = 98.0
    kiosk: str | None = None


@dataclass(frozen=True)
class Held:
    """One pass of a person, or a refusal, and what it does at one of the two places; `seconds`: for its answers."""

    place: int = 0
    answers: int = 0
    refused: bool = False
    rated: int = 0
    seconds: int = 20
    acts: tuple[At, ...] = ()


@dataclass(frozen=True)
class Town:
    """The doors of two places."""

    doors: tuple[EnrolledDevice, EnrolledDevice] = field(
        default_factory=lambda: (
            make_device(venue=make_venue(requirements=ROOM_FOR_ONE)),
            make_device(venue=make_venue(zip_code="02139", requirements=replace(ROOM_FOR_ONE, capacity=2))),
        )
    )


ACTS = st.builds(
    At,
    minute=st.integers(0, 40),
    kind=st.sampled_from(["Checkin", "Checkin", "Checkout"]),
    temperature=st.sampled_from([98.0, 98.0, 103.0, None]),
    kiosk=st.sampled_from([None, None, "Approved", "Declined"]),
)
PASSES = st.builds(
    Held,
    place=st.integers(0, 1),
    answers=st.integers(0, 15),
    refused=st.booleans(),
    rated=st.integers(0, 5),
    seconds=st.sampled_from([20, 20, 1]),
    acts=st.lists(ACTS, max_size=2).map(tuple),
)
DAYS = st.lists(st.lists(PASSES, min_size=1, max_size=4).map(tuple), min_size=2, max_size=3).map(tuple)


def row_of(person: int, number: int, held: Held, town: Town) -> tuple[Pass, bytes]:
    """Store a pass as a check-in does; return it with its signed bytes. The first three of a person count."""
    epoch = calendar().current(NOW.timestamp())
    secrets = derive_pass(derive_seed(hashlib.sha256(b"%d" % person).digest(), epoch.start), epoch.start, number)
    venue = town.doors[held.place].device.door.venue
    answers = {name: bool(held.answers & 8 >> at) for at, name in enumerate(ANSWERS)}
    row = Pass.objects.create(
        tag=pass_tag(secrets.anchor), anchor=secrets.anchor, venue=venue, epoch=epoch.date, survey_seconds=held.seconds,
        owner_hash=hash_owner(secrets.owner), go=not held.refused, refused_hour=9 if held.refused else None,
        counted=number < CAP, **answers,
    )  # fmt: skip
    if held.rated:
        rate(row, held.rated, held.rated)
    key = keys.signer(epoch, NOW)
    assert key is not None
    return row, sign_pass(key, venue=venue.public_id, epoch_start=epoch.start, anchor=secrets.anchor)


def counted(people: Sequence[tuple[int, tuple[Held, ...]]], town: Town) -> dict[str, Counts]:
    """Simulate the day with these people, count it, and roll back."""
    epoch = calendar().current(NOW.timestamp())
    with transaction.atomic():
        acts = []
        for person, passes in people:
            for number, held in enumerate(passes):
                _, signed = row_of(person, number, held, town)
                seed = derive_seed(hashlib.sha256(b"%d" % person).digest(), epoch.start)
                own = derive_pass(seed, epoch.start, number)
                own_acts = () if held.refused else held.acts
                acts += [(act.minute, person, number, act, held, own, signed) for act in own_acts]
        for minute, _, _, act, held, own, signed in sorted(acts, key=lambda each: each[:3]):
            now = NOW + dt.timedelta(minutes=minute)
            more: dict[str, Any] = {} if act.temperature is None else {"temperature_f": act.temperature}
            more |= {"kiosk_result": act.kiosk} if act.kiosk else {}
            shown = rotating_text(signed, *own.code_at(now.timestamp()))
            scan(town.doors[held.place], shown, now=now, type=act.kind, **more)
        made = exact_counts(day=epoch.date, tables=DOMAIN, levels=LEVELS)
        made["causes"] = np.array(Scan.objects.filter(cause="full").count())
        transaction.set_rollback(True)
    return made


def assert_each_moves_only_own_rows(day: Sequence[tuple[Held, ...]], town: Town) -> None:
    people = list(enumerate(day))
    everybody = counted(people, town)
    for person in people:
        without = counted([each for each in people if each is not person], town)
        for table in DOMAIN:
            moved = everybody[table.name] - without[table.name]
            # Rows appear with the person and none of another changes, which would lower one cell and raise one.
            assert (moved >= 0).all(), table.name
            assert moved.sum() <= min(table.l1, len(person[1])), table.name


@settings(max_examples=6, deadline=None, suppress_health_check=list(HealthCheck), phases=[Phase.generate])
@given(DAYS)
def test_adding_or_removing_anybody_moves_their_own_rows_alone(day: tuple[tuple[Held, ...], ...]) -> None:
    with transaction.atomic():
        assert_each_moves_only_own_rows(day, Town())
        transaction.set_rollback(True)


@pytest.mark.long
@settings(max_examples=200, deadline=None, suppress_health_check=list(HealthCheck))
@given(DAYS)
def test_adding_or_removing_anybody_moves_their_own_rows_alone_on_many_days(day: tuple[tuple[Held, ...], ...]) -> None:
    with transaction.atomic():
        assert_each_moves_only_own_rows(day, Town())
        transaction.set_rollback(True)


def test_a_day_of_a_device_that_is_left_out_takes_nobody_elses_row() -> None:
    town = Town()
    LeftOutDay.objects.create(device=town.doors[0].device, day=calendar().current(NOW.timestamp()).date)
    people = [(Held(place=number % 2, acts=(At(number),)),) for number in range(4)]
    made = counted(list(enumerate(people)), town)
    assert {table.name: made[table.name].sum() for table in DOMAIN} == dict.fromkeys((t.name for t in DOMAIN), 2)
    assert_each_moves_only_own_rows(people, town)


def test_a_code_shown_twice_in_a_second_is_the_same_row_regardless_of_others() -> None:
    town = Town()
    twice = (Held(acts=(At(5, temperature=98.0), At(5, temperature=103.0), At(5, kind="Checkout"))),)
    assert_each_moves_only_own_rows([(Held(acts=(At(0),)),), twice], town)


def test_filling_a_place_changes_nobody_outside() -> None:
    """Three who find the place full because a fourth came first."""
    town = Town()
    first = (Held(acts=(At(0),)),)
    later = [(Held(acts=(At(minute),)),) for minute in (5, 6, 7)]
    assert counted(list(enumerate([first, *later])), town)["causes"] == 3
    assert_each_moves_only_own_rows([first, *later], town)
