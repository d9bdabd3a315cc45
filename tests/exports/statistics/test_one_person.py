"""Neighbouring days: each person of a day is removed in turn, and the door decides again for the others."""

import datetime as dt
import secrets
from dataclasses import dataclass, replace

import numpy as np
import pytest
from hypothesis import HealthCheck, example, given, settings
from hypothesis import strategies as st

from exports.policy.owner_figures import tables_of
from exports.policy.periods import Period
from exports.statistics.counts import exact_counts
from passes.admission import Readings, Result, Scan, ScanFacts, ScanType, VisitEffect, VisitFacts, decide_scan
from passes.clock import calendar
from passes.codec import DoorRequirements, GoPass
from passes.limits import COUNTED_PASSES, PASSES_PER_EPOCH
from passes.models import Pass, Rating
from passes.models import Scan as ScanRow
from tests.exports.rows import DAY
from tests.factories import make_venue
from venues.models import Venue
from venues.requirements import RequirementValues

pytestmark = pytest.mark.django_db
START = calendar().epoch_of(DAY).start
MONDAY = DAY - dt.timedelta(days=DAY.weekday())
PEOPLE = 4
ROOM = 1
DWELL_S = 3 * 3600
DOOR = DoorRequirements(highest_temperature_f=100.4, capacity=ROOM)


@dataclass(frozen=True)
class Guest:
    """A pass of one person: its venue, whether it is marked, when it is shown, its holder's temperature."""

    venue: int
    counted: bool
    ill: bool
    minutes: tuple[int, ...]
    hot: bool
    rating: int

    @property
    def go(self) -> bool:
        return not self.ill


guests = st.builds(
    Guest,
    venue=st.integers(0, 1),
    counted=st.just(False),
    ill=st.booleans(),
    minutes=st.lists(st.integers(600, 900), max_size=3, unique=True).map(sorted).map(tuple),
    hot=st.booleans(),
    rating=st.integers(0, 5),
)


@st.composite
def people(draw: st.DrawFn) -> list[Guest]:
    """Draw one person's passes, as many as the server issues; at most three of them are marked."""
    made = draw(st.lists(guests, min_size=1, max_size=5))
    assert len(made) <= PASSES_PER_EPOCH
    return [replace(one, counted=at < COUNTED_PASSES) for at, one in enumerate(made)]


def causes_of(day: list[Guest]) -> dict[tuple[int, int], str | None]:
    """Return the door's cause of each scan, by guest and minute; `None` is green. Only one person fits in."""
    inside: dict[int, VisitFacts] = {}
    found = {}
    for minute, at in sorted((minute, at) for at, guest in enumerate(day) if guest.go for minute in guest.minutes):
        guest, now = day[at], START + 60 * minute
        others = [day[other].venue == guest.venue and visit.is_inside(now) for other, visit in inside.items()]
        facts = ScanFacts(occupancy=sum(others), visit=inside.get(at))
        shown = GoPass(anchor=bytes(16), epoch_start=START, slot=minute)
        scan = Scan(ScanType.CHECKIN, now, now, Readings(temperature_f=103 if guest.hot else 98))
        verdict = decide_scan(parsed=shown, scan=scan, door=DOOR, facts=facts)
        found[at, minute] = verdict.cause.value if verdict.cause else None
        if verdict.result is Result.APPROVED and verdict.visit.effect is not VisitEffect.CONTINUE:
            inside[at] = VisitFacts(arrived=now, left=now + DWELL_S)
    return found


def write(day: list[Guest], venues: list[Venue]) -> None:
    """Write the day's rows as the services leave them, with a rating if the guest could give one."""
    causes = causes_of(day)
    for at, guest in enumerate(day):
        no = dict.fromkeys(("diagnosed", "contact", "near"), False)
        row = Pass.objects.create(
            tag=secrets.token_bytes(16),
            owner_hash=secrets.token_bytes(32),
            venue=venues[guest.venue],
            epoch=DAY,
            symptoms=guest.ill,
            survey_seconds=20,
            go=guest.go,
            counted=guest.counted,
            **no,
        )
        ScanRow.objects.bulk_create(
            ScanRow(
                scan_id=secrets.token_hex(8),
                venue=row.venue,
                tag=row.tag,
                epoch=DAY,
                type="Checkin",
                slot=minute,
                scanned_at=dt.datetime.fromtimestamp(START + 60 * minute, dt.UTC),
                approved=causes[at, minute] is None,
                cause=causes[at, minute] or "",
            )
            for minute in (guest.minutes if guest.go else ())
        )
        if guest.go and guest.rating:
            Rating.objects.create(pass_row=row, masks=guest.rating, distancing=6 - guest.rating)


@pytest.fixture
def worlds() -> list[list[Venue]]:
    """Create two venues for the whole day and for the day without each person; symptoms are refused."""
    rules = RequirementValues(refuse_symptoms=True, refuse_diagnosed=False)
    return [[make_venue(requirements=rules) for _ in range(2)] for _ in range(PEOPLE + 1)]


LONG = Guest(0, True, False, (600,), False, 5)
LATER = [Guest(0, True, False, (minute,), False, 3) for minute in (620, 640, 660)]


@given(day=st.lists(people(), min_size=1, max_size=PEOPLE))
@example(day=[[LONG], *[[one] for one in LATER]])
@example(day=[[replace(LONG, ill=True)] * 3, [replace(LONG, hot=True)] * 3, LATER])
@settings(max_examples=12, suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow])
def test_nobody_moves_more_than_is_declared(worlds: list[list[Venue]], day: list[list[Guest]]) -> None:
    Pass.objects.all().delete()
    ScanRow.objects.all().delete()
    write([guest for person in day for guest in person], worlds[0])
    for at in range(len(day)):
        write([guest for person in day[:at] + day[at + 1 :] for guest in person], worlds[at + 1])
    venues = [venue.public_id for world in worlds for venue in world]
    for period, first in ((Period.DAY, DAY), (Period.WEEK, MONDAY)):
        counts = exact_counts(period=period, first=first, venues=venues)
        for table in tables_of(period, venues):
            whole, *less = np.split(counts[table.name], PEOPLE + 1)
            moved = [int(np.abs(whole - other).sum()) for other in less[: len(day)]]
            assert max(moved) <= table.l1, (table.name, moved)


def test_the_door_of_these_days_turns_people_away_because_of_others() -> None:
    """Without the fourth, the three others would all have got a green light: the days are not too simple."""
    alone, together = causes_of(LATER[:1]), causes_of([LONG, *LATER])
    assert set(alone.values()) == {None}
    assert list(together.values()) == [None, "full", "full", "full"]
