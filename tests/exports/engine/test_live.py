"""How busy areas were, in bands that identify nobody."""

import datetime as dt
from typing import Any

import pytest
import time_machine
from django.test import Client

from exports.dataset.tables import LIVE_CROWD
from exports.engine.live import counted_at, live_crowd
from exports.engine.run import run_query
from tests.exports.ledger import ReleasedLake
from tests.factories import NOW, make_organisation, make_venue
from tests.risk.crowds import crowd, stay
from venues.models import Venue
from venues.requirements import RequirementValues

pytestmark = pytest.mark.django_db
MINUTE = dt.timedelta(minutes=1)
COUNTED = NOW - 30 * MINUTE
ROOM = RequirementValues(capacity=20)


def area(number: int = 3, **values: Any) -> list[Venue]:
    organisation = values.pop("organisation", None) or make_organisation()
    return [make_venue(organisation=organisation, requirements=ROOM, **values) for _ in range(number)]


def bands(now: dt.datetime = NOW) -> dict[str, str]:
    return {row[0]: row[4] for row in live_crowd(now=now)}


def test_rows_are_as_the_table_describes() -> None:
    area()
    [row] = live_crowd(now=NOW)
    found = dict(zip(LIVE_CROWD.names, row, strict=True))
    assert found == {"zip": "941", "state": "CA", "as_of": "2026-05-13T09:30:00Z", "venues": 3, "band": "empty"}
    assert found["band"] in (LIVE_CROWD.column("band").values or ())


@pytest.mark.parametrize(("people", "band"), [(4, "empty"), (5, "quiet"), (19, "quiet"), (20, "busy"), (40, "full")])
def test_the_band_is_of_people_inside_against_what_the_places_let_in(people: int, band: str) -> None:
    first, *_ = area()
    crowd(first, people, COUNTED - 50 * MINUTE, 120)
    assert bands() == {"941": band}


def test_it_is_half_an_hour_late_and_constant_in_between() -> None:
    first, *_ = area()
    crowd(first, 30, NOW - 25 * MINUTE, 120)
    assert bands() == {"941": "empty"}
    assert counted_at(NOW) == counted_at(NOW + 29 * MINUTE) == COUNTED
    assert bands(NOW + 29 * MINUTE) == {"941": "empty"}
    assert bands(NOW + 60 * MINUTE) == {"941": "busy"}


def test_people_who_left_or_timed_out_are_not_there() -> None:
    first, *_ = area()
    crowd(first, 10, COUNTED - 90 * MINUTE, 60)
    for _ in range(10):
        stay(first, COUNTED - 90 * MINUTE, 60, open_end=True)
    assert bands() == {"941": "empty"}


def test_an_area_with_fewer_than_three_verified_listed_open_venues_is_left_out() -> None:
    first, *_ = area(2)
    crowd(first, 30, COUNTED - 60 * MINUTE, 120)
    area(1, organisation=make_organisation(verified=False))
    area(1, listed=False)
    [closed] = area(1)
    Venue.objects.filter(pk=closed.pk).update(closed_at=NOW)
    assert bands() == {}
    area(1)
    assert bands() == {"941": "busy"}


def test_a_zip_that_the_lookup_table_does_not_know_is_left_out() -> None:
    for venue in area():
        Venue.objects.filter(pk=venue.pk).update(zip="00099")
    assert bands() == {}


class TestInQueries:
    """The table can be joined with those of the lake."""

    SQL = """
        SELECT live.zip, live.band, live.venues, count(*) AS scans FROM "covid-19".live_crowd AS live
        JOIN "covid-19".aspirevc_crowd_tracing AS scan ON substr(scan.scannerdevice_zipcode, 1, 3) = live.zip
        GROUP BY 1, 2, 3
    """

    def test_live_bands_join_the_released_rows(self, released: ReleasedLake) -> None:
        area(zip_code="90210")
        [row] = run_query(sql=self.SQL, now=NOW).result.table.to_pylist()
        assert (row["zip"], row["band"], row["venues"]) == ("902", "empty", 3)
        assert row["scans"] > 0

    def test_an_answer_with_live_rows_is_never_cached(self, client: Client, released: ReleasedLake) -> None:
        with time_machine.travel(NOW, tick=True):
            response = client.get("/api/v1/queries", {"sql": "SELECT * FROM live_crowd"})
        assert response.status_code == 200
        assert response["Cache-Control"] == "no-store"
        assert "ETag" not in response
