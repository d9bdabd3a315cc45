"""Visits kept out of crowd state give nobody a dose, and do not change their holder's own shield."""

from collections.abc import Sequence

import pytest

from passes.models import Pass, Visit
from risk.crowd.answers import settle_answers
from risk.crowd.refresh import refresh_crowd
from risk.crowd.reports import report_test
from risk.models import AnsweredDay, CrowdDay, ReportedDay
from risk.shield.answer import ShieldAnswer, shield_of
from tests.factories import NOW, make_organisation, make_venue
from tests.risk.crowds import HOUR, MINUTE, Stay, crowd, queue, stay
from venues.models import Organisation, Venue

pytestmark = pytest.mark.django_db
ARRIVED = NOW - 3 * HOUR


@pytest.fixture
def organisation() -> Organisation:
    return make_organisation()


def keep_out(stays: Sequence[Stay]) -> None:
    """Keep visits out as the scores do."""
    Visit.objects.filter(pk__in=[one.visit.pk for one in stays]).update(kept_out=True)
    for one in stays:
        queue(one.visit.venue, one.visit.arrived_at)


def shield(one: Stay) -> ShieldAnswer:
    return shield_of(owners=[one.owner], budget=1e-6, now=NOW)


def numbers(answer: ShieldAnswer) -> list[object]:
    return [answer.spent, [(one.dose, one.shield_cost, one.why) for one in answer.visits]]


def test_puppets_that_are_kept_out_change_nobodys_shield(organisation: Organisation) -> None:
    here, twin = (make_venue(organisation=organisation) for _ in range(2))
    guest, guest_of_twin = (stay(venue, ARRIVED, 60) for venue in (here, twin))
    for venue in (here, twin):
        crowd(venue, 15, ARRIVED)
    puppets = [stay(here, ARRIVED + number * MINUTE, 90) for number in range(30)]
    refresh_crowd(now=NOW)
    more = shield(guest).spent
    keep_out(puppets)
    refresh_crowd(now=NOW)
    assert numbers(shield(guest)) == numbers(shield(guest_of_twin))
    assert shield(guest).spent < more


@pytest.mark.parametrize("again", [False, True], ids=["one visit", "a second pass that is counted"])
def test_the_own_shield_of_a_visit_that_is_kept_out_is_whole(organisation: Organisation, again: bool) -> None:
    def visited(venue: Venue) -> list[Stay]:
        crowd(venue, 15, ARRIVED)
        mine = [stay(venue, ARRIVED + 4 * MINUTE, 50)]
        return mine + ([stay(venue, ARRIVED + 80 * MINUTE, 30)] if again else [])

    def seen(mine: list[Stay]) -> list[object]:
        return numbers(shield_of(owners=[one.owner for one in mine], budget=1e-6, now=NOW))

    here, twin = (visited(make_venue(organisation=organisation)) for _ in range(2))
    keep_out(here[:1])
    refresh_crowd(now=NOW)
    assert seen(here) == seen(twin)
    assert shield(here[0]).visits[0].dose > 0


def test_an_empty_crowd_is_left_if_everybody_is_kept_out(organisation: Organisation) -> None:
    venue = make_venue(organisation=organisation)
    stays = [stay(venue, ARRIVED + number * MINUTE) for number in range(3)]
    refresh_crowd(now=NOW)
    assert CrowdDay.objects.filter(venue=venue).exists()
    keep_out(stays)
    refresh_crowd(now=NOW)
    assert shield(stays[0]).visits[0].dose == 0


def test_their_answers_count_for_nobody(organisation: Organisation) -> None:
    venue = make_venue(organisation=organisation)
    yesterday = NOW - 24 * HOUR
    crowd(venue, 20, yesterday)
    puppets = [stay(venue, yesterday, diagnosed=True) for _ in range(30)]
    keep_out(puppets)
    settle_answers(now=NOW)
    assert AnsweredDay.objects.get(venue=venue).people == 20


def test_their_reports_count_unless_their_own_pass_says_that_nothing_was_read(organisation: Organisation) -> None:
    venue = make_venue(organisation=organisation)
    yesterday = NOW - 24 * HOUR
    puppets = [stay(venue, yesterday) for _ in range(30)]
    owners = [bytes(one.pass_row.owner_hash) for one in puppets]
    keep_out(puppets)
    Pass.objects.filter(pk__in=[one.pass_row.pk for one in puppets[:28]]).update(survey_seconds=1)
    assert report_test(owner_hashes=owners, tested_on=NOW.date(), positive=True, now=NOW) == set(owners)
    assert ReportedDay.objects.get(venue=venue).new_reports == 2, "what others do at a door takes no report away"
