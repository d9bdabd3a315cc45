"""Answers of a day: counted once afterwards, never changed, and used by the shields of the people who were there."""

import datetime as dt
from typing import Any

import pytest

from passes.models import Pass, Visit
from risk.crowd import answers
from risk.crowd.answers import settle_answers
from risk.crowd.refresh import refresh_crowd
from risk.model.answers import FEWEST_PEOPLE, STEP, rounded
from risk.models import AnsweredDay, CrowdDay
from tests.factories import NOW, make_venue
from tests.risk.crowds import HOUR, Stay, crowd, queue, stay
from tests.risk.shield.test_answer import answer
from venues.models import Venue
from venues.requirements import RequirementValues

pytestmark = pytest.mark.django_db
YESTERDAY = NOW - 24 * HOUR
DAY = YESTERDAY.date()
CONTACT: dict[str, Any] = {"contact": True}


def full_venue(yes: int, people: int = 60, **facts: Any) -> tuple[Venue, Stay]:
    """Return ``people`` people yesterday, of whom ``yes`` had a contact, and one of the others."""
    venue = make_venue(volume_m3=200.0, **facts)
    me = stay(venue, YESTERDAY)
    crowd(venue, people - 1 - yes, YESTERDAY - HOUR / 2, 90)
    crowd(venue, yes, YESTERDAY - HOUR / 2, 90, **CONTACT)
    refresh_crowd(now=NOW)
    return venue, me


def spent(one: Stay) -> float:
    return float(answer(one, budget=1e-3)["spent"])


def test_they_show_once_the_day_has_ended() -> None:
    _venue, me = full_venue(yes=40)
    before = spent(me)
    assert settle_answers(now=YESTERDAY + HOUR) == 0
    assert spent(me) == before
    assert settle_answers(now=NOW) == 1
    assert spent(me) > before


def test_they_are_multiples_of_a_step_with_an_offset_of_the_venue_and_day() -> None:
    full_venue(yes=13)
    settle_answers(now=NOW)
    row = AnsweredDay.objects.get()
    assert (row.day, row.people) == (DAY, 60)
    assert row.shown[0] in {int(rounded(13, offset)) for offset in range(STEP)}
    assert all(number % STEP == 0 for number in row.shown)
    AnsweredDay.objects.all().delete()
    settle_answers(now=NOW)
    assert AnsweredDay.objects.get().shown == row.shown, "a restore shows the same"


def test_each_is_counted_once_by_the_gravest_yes(monkeypatch: pytest.MonkeyPatch) -> None:
    seen: list[list[int]] = []

    def looked_at(counts: list[int], offsets: list[int]) -> Any:
        seen.append(list(counts))
        return rounded(counts, offsets)

    monkeypatch.setattr(answers, "rounded", looked_at)
    venue = make_venue()
    crowd(venue, FEWEST_PEOPLE, YESTERDAY)
    yes: list[dict[str, Any]] = [
        {"near": True},
        {"contact": True, "symptoms": True},
        {"symptoms": True, "diagnosed": True},
    ]
    for said in yes:
        one = stay(venue, YESTERDAY, 10, **said)
        stay(venue, YESTERDAY + HOUR, 10, pass_row=one.pass_row)
    settle_answers(now=NOW)
    assert seen == [[1, 1, 1]]
    assert AnsweredDay.objects.get().people == FEWEST_PEOPLE + 3


def test_answers_of_few_people_are_not_counted() -> None:
    full_venue(yes=5, people=FEWEST_PEOPLE - 1)
    assert settle_answers(now=NOW) == 0
    assert not AnsweredDay.objects.exists()


def test_an_erasure_a_late_scan_and_another_night_change_nothing() -> None:
    """Two numbers with one offset, from crowds that differ by one person, would reveal that person's answers."""
    venue, _me = full_venue(yes=30)
    settle_answers(now=NOW)
    before = list(AnsweredDay.objects.values())
    erased = Pass.objects.filter(contact=True)[:10]
    Visit.objects.filter(tag__in=[bytes(one.tag) for one in erased]).delete()
    Pass.objects.filter(pk__in=[one.pk for one in erased]).delete()
    crowd(venue, 5, YESTERDAY - HOUR, **CONTACT)
    queue(venue, YESTERDAY - HOUR)
    refresh_crowd(now=NOW)
    assert settle_answers(now=NOW + dt.timedelta(days=1)) == 0
    assert list(AnsweredDay.objects.values()) == before


def test_crowd_state_holds_no_answers() -> None:
    """The same bytes, whatever everybody answered: a thief learns how many came, not who was ill."""
    rows = []
    everything: dict[str, Any] = {"symptoms": True, "diagnosed": True, "contact": True, "near": True}
    for said in ({}, everything):
        venue = make_venue()
        crowd(venue, 8, **said)
        refresh_crowd(now=NOW)
        rows.append(bytes(CrowdDay.objects.get(venue=venue).data))
    assert rows[0] == rows[1]


def test_a_class_that_is_not_let_in_adds_nothing_whatever_is_usual() -> None:
    refuses = RequirementValues(refuse_symptoms=True, refuse_diagnosed=True, refuse_contact=True, refuse_near=True)
    _venue, me = full_venue(yes=0, requirements=refuses)
    before = spent(me)
    settle_answers(now=NOW)
    assert spent(me) == pytest.approx(before)
