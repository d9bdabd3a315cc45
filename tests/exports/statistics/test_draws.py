"""Draws of statistics: made once for a closed day, whatever happens afterwards."""

import datetime as dt
from pathlib import Path
from typing import Any

import pytest

from exports.models import StatisticsDraw, VenueFigures
from exports.policy.periods import Period
from exports.release.closed_days import release_day
from exports.statistics.draws import draw_waiting
from exports.statistics.figures import history
from passes.models import Pass, Scan
from risk.models import VenueCard
from tests.exports.rows import CLOSED, DAY, Place, a_pass, a_place, a_scan, a_scanned_pass, rate
from tests.factories import make_venue

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("own_lake")]
ONE_DAY = dt.timedelta(days=1)
WEEK_CLOSED = dt.datetime(2026, 5, 20, 6, tzinfo=dt.UTC)
"""Three days after the Sunday of the week of `DAY`."""


@pytest.fixture
def own_lake(settings: Any, tmp_path: Path) -> None:
    settings.LAKE_URL = (tmp_path / "lake").as_uri()
    settings.OWNER_STATISTICS_EPSILON = 0.5


def stored() -> list[Any]:
    return list(VenueFigures.objects.order_by("draw__period", "draw__first_day", "venue").values_list("noisy"))


def visitors(place: Place, count: int) -> list[Pass]:
    return [a_scanned_pass(place) for _ in range(count)]


def test_a_day_is_drawn_when_it_closes_and_not_before() -> None:
    place = a_place()
    visitors(place, 12)
    assert draw_waiting(now=CLOSED - ONE_DAY) == 0
    assert history(place.venue, CLOSED).days([DAY])[0].visits is None
    assert draw_waiting(now=CLOSED) == 1
    row = StatisticsDraw.objects.get()
    assert (row.period, row.first_day) == (Period.DAY, DAY)
    assert row.epsilon == pytest.approx(0.35)
    assert history(place.venue, CLOSED).days([DAY])[0].visits is not None


def test_a_stored_figure_is_never_drawn_again() -> None:
    """Neither by a second run, nor after more rows came, nor after the rows are gone."""
    place = a_place()
    rows = visitors(place, 12)
    draw_waiting(now=CLOSED)
    before, shown = stored(), history(place.venue, CLOSED).days([DAY])
    assert draw_waiting(now=CLOSED) == 0
    visitors(place, 30)
    assert draw_waiting(now=CLOSED + ONE_DAY) == 0
    Scan.objects.all().delete()
    Pass.objects.filter(pk=rows[0].pk).delete()
    assert draw_waiting(now=CLOSED + ONE_DAY) == 0
    assert stored() == before
    assert history(place.venue, CLOSED).days([DAY]) == shown


def test_a_ledger_restored_from_an_older_backup_adopts_the_draws_of_the_lake() -> None:
    place = a_place()
    visitors(place, 12)
    draw_waiting(now=CLOSED)
    before = stored()
    StatisticsDraw.objects.all().delete()
    assert not VenueFigures.objects.exists()
    assert draw_waiting(now=CLOSED + ONE_DAY) == 0
    assert stored() == before
    assert StatisticsDraw.objects.get().epsilon == pytest.approx(0.35)


def test_a_draw_that_did_not_reach_the_lake_is_shown_to_nobody_and_kept_by_the_next_run(
    settings: Any, tmp_path: Path
) -> None:
    place = a_place()
    visitors(place, 12)
    good = settings.LAKE_URL
    (tmp_path / "file").write_bytes(b"")
    settings.LAKE_URL = (tmp_path / "file" / "lake").as_uri()
    draw_waiting(now=CLOSED)
    before = stored()
    assert before
    assert history(place.venue, CLOSED).days([DAY])[0].visits is None
    settings.LAKE_URL = good
    draw_waiting(now=CLOSED)
    assert stored() == before
    assert history(place.venue, CLOSED).days([DAY])[0].visits is not None


@pytest.mark.usefixtures("deployment")
def test_copies_of_statistics_and_of_releases_share_a_folder_and_take_none_for_the_other() -> None:
    """Restoring `draws/` of the newer lake therefore restores both."""
    visitors(a_place(), 12)
    draw_waiting(now=CLOSED)
    assert release_day(day=DAY, now=CLOSED).step == "announce"
    before = stored()
    StatisticsDraw.objects.all().delete()
    assert draw_waiting(now=CLOSED) == 0
    assert stored() == before


def test_every_venue_has_a_figure_whether_anybody_came_or_not() -> None:
    busy, empty = a_place(), make_venue()
    later = make_venue(now=CLOSED)
    visitors(busy, 3)
    draw_waiting(now=CLOSED)
    assert set(VenueFigures.objects.values_list("venue", flat=True)) == {busy.venue.pk, empty.pk}
    assert later.pk not in set(VenueFigures.objects.values_list("venue", flat=True))


def test_a_day_whose_rows_may_be_gone_stays_a_gap() -> None:
    place = a_place()
    visitors(place, 3)
    assert draw_waiting(now=CLOSED + 30 * ONE_DAY) == 0
    assert set(StatisticsDraw.objects.values_list("drawn", flat=True)) == {None}
    assert history(place.venue, CLOSED).days([DAY])[0].visits is None


def test_ratings_are_drawn_by_the_week() -> None:
    place = a_place()
    for row in visitors(place, 6):
        rate(row, 4, 2)
    assert draw_waiting(now=CLOSED) == 1
    assert draw_waiting(now=WEEK_CLOSED) == 1
    made = StatisticsDraw.objects.get(period=Period.WEEK)
    assert made.first_day == DAY - DAY.weekday() * ONE_DAY
    assert made.epsilon == pytest.approx(0.15)
    assert history(place.venue, WEEK_CLOSED).ratings() is None, "six ratings are hidden by the noise"


def test_figures_of_large_crowds_are_about_right_and_reach_the_public_card(settings: Any) -> None:
    """With next to no noise: what is counted, and where it goes."""
    settings.OWNER_STATISTICS_EPSILON = 100.0
    place = a_place(now=CLOSED - 30 * ONE_DAY)
    VenueCard.objects.create(venue=place.venue, basis=b"", curve=b"", kind=place.venue.kind)
    for back in range(8):
        for number in range(20):
            row = a_pass(place, day=DAY - back * ONE_DAY)
            cause = ("ok", "ok", "full", "temperature")[number % 4]
            a_scan(place, row, hour=18.5, approved=cause == "ok", cause=cause)
            rate(row, 4, 2)
        a_pass(place, day=DAY - back * ONE_DAY, go=False, symptoms=True)
        a_pass(place, day=DAY - back * ONE_DAY, go=False, near=True)  # its invitation was used up
        a_pass(place, day=DAY - back * ONE_DAY, counted=False)
    draw_waiting(now=WEEK_CLOSED)
    (day,) = history(place.venue, WEEK_CLOSED).days([DAY])
    assert (day.visits, day.declined, day.refused) != (None, None, None)
    assert [one.people for one in (day.visits, day.declined, day.refused) if one] == [17, 6, 1]  # 15, 5, 1 over 0.9
    card = VenueCard.objects.get()
    assert (card.rated_masks, card.rated_distancing) == (4.0, 2.0)
    assert card.usual
