"""A host who fills a place with invented visitors, to learn from its statistics what one guest did.

With nine invented visitors that are refused, a total shown from ten on reveals whether a tenth was: it is null, then
ten. The figures of closed days contain noise instead, drawn once; `tests/exports/statistics` tests how much one person
changes them.
"""

import datetime as dt
from pathlib import Path
from typing import Any

import pytest
from django.test import Client

from exports.models import StatisticsDraw, VenueFigures
from exports.statistics.draws import draw_waiting
from passes.models import Pass
from tests import factories
from tests.exports.rows import Place, a_pass, a_place, a_scan, rate
from tests.risk.crowds import stay
from venues.requirements import RequirementValues

pytestmark = pytest.mark.django_db
DAY = dt.date(2026, 5, 14)
CLOSED = dt.datetime(2026, 5, 17, 6, tzinfo=dt.UTC)
PUPPETS = 9
COUNTED = ("visits", "declined", "refused")


@pytest.fixture(autouse=True)
def own_lake(settings: Any, tmp_path: Path) -> None:
    settings.LAKE_URL = (tmp_path / "lake").as_uri()
    settings.PASSWORD_HASHERS = ["django.contrib.auth.hashers.MD5PasswordHasher"]


def statistics(place: Place, time_machine: Any, at: dt.datetime) -> dict[str, Any]:
    """Return what the place's owner reads at that time."""
    client = Client()
    client.force_login(factories.owner_of(place.venue.organisation))
    time_machine.move_to(at, tick=False)
    answers: dict[str, Any] = client.get(f"/api/v1/owner/venues/{place.venue.public_id}/statistics").json()
    return answers


def full_of(puppets: int, *, target: bool) -> Place:
    """Return a place with invented visitors that were refused, declined and admitted, and a target who did the same."""
    place = a_place()
    for _ in range(puppets + target):
        a_pass(place, day=DAY, go=False, symptoms=True)
        a_scan(place, a_pass(place, day=DAY), approved=False, cause="temperature")
        inside = a_pass(place, day=DAY)
        a_scan(place, inside)
        rate(inside, 5, 1)
    return place


def figures(answers: dict[str, Any]) -> dict[str, Any]:
    return next(day for day in answers["days"] if day["date"] == DAY.isoformat())


class TestTheOwnerWithPuppets:
    def test_a_day_that_is_open_has_no_figures_with_or_without_the_target(self, time_machine: Any) -> None:
        for target in (False, True):
            answers = statistics(full_of(PUPPETS, target=target), time_machine, CLOSED - dt.timedelta(days=1))
            assert {figures(answers)[name] for name in COUNTED} == {None}

    def test_a_closed_day_has_figures_with_and_without_the_target(self, time_machine: Any) -> None:
        """Nothing is null below a number of people, so nothing appears with the tenth."""
        places = [full_of(PUPPETS, target=target) for target in (False, True)]
        empty = a_place()
        draw_waiting(now=CLOSED)
        for place in (*places, empty):
            answers = figures(statistics(place, time_machine, CLOSED))
            assert all(isinstance(answers[name], int) for name in COUNTED)
            assert min(answers["within"].values()) >= 25

    def test_the_number_shown_is_the_stored_draw_and_asking_again_gives_no_other(self, time_machine: Any) -> None:
        place = full_of(PUPPETS, target=True)
        draw_waiting(now=CLOSED)
        stored = VenueFigures.objects.get().noisy["outcome"]
        answers = [figures(statistics(place, time_machine, CLOSED)) for _ in range(3)]
        assert [answers[0][name] for name in COUNTED] == [max(0, round(number / 0.9)) for number in stored]
        Pass.objects.all().delete()
        draw_waiting(now=CLOSED + dt.timedelta(days=1))
        assert [*answers[1:], figures(statistics(place, time_machine, CLOSED))] == [answers[0]] * 3

    def test_four_puppets_who_rate_do_not_show_the_rating_of_a_fifth(self, time_machine: Any) -> None:
        place = full_of(4, target=True)
        draw_waiting(now=CLOSED + dt.timedelta(days=3))
        assert StatisticsDraw.objects.filter(period="week").exists()
        assert statistics(place, time_machine, CLOSED)["ratings"] is None
        card = Client().get(f"/api/v1/venues/{place.venue.public_id}").json()
        assert card["ratings"] == {"count": None, "masks": None, "distancing": None}

    def test_people_inside_are_shown_in_bands(self, time_machine: Any) -> None:
        venue = factories.make_venue(requirements=RequirementValues(capacity=50))
        place, answers = Place(venue, factories.make_device(venue=venue).device), []
        for _ in range(10):
            stay(venue, factories.NOW - dt.timedelta(minutes=5), open_end=True)
            now = statistics(place, time_machine, factories.NOW)["now"]
            answers.append((now["at_least"], now["heads"], now["percent"], now["level"]))
        assert answers == [(0, 4, 8, "calm")] * 4 + [(5, 9, 18, "calm")] * 5 + [(10, 14, 28, "calm")]

    def test_the_page_and_the_answer_say_that_bands_are_outside_the_guarantee(self, time_machine: Any) -> None:
        place = a_place()
        assert "outside the guarantee" in statistics(place, time_machine, CLOSED)["guarantee"]["now"]
        client = Client()
        client.force_login(factories.owner_of(place.venue.organisation))
        assert "outside the guarantee" in client.get(f"/owner/venues/{place.venue.public_id}").content.decode()
