"""The page of the model's estimates: the newest version, how it changed, and counts that identify nobody."""

import datetime as dt

import pytest
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext

from crowdtrace.site.operator.status import status
from tests.factories import NOW
from tests.risk.estimates.versions import make_version
from venues.kinds import VenueKind

pytestmark = pytest.mark.django_db


def page(client: Client, **headers: str) -> str:
    response = client.get("/beliefs", headers=headers)
    assert response.status_code == 200
    return response.content.decode()


def test_before_any_report_it_shows_what_was_believed_and_says_so(client: Client) -> None:
    text = page(client)
    assert "Nothing has been learned yet" in text
    assert "0.33 – 3.00" in text, "scale within a factor of three"
    assert "How the estimated cost of a visit has changed" not in text
    for kind in VenueKind:
        assert str(kind.label) in text


def test_the_numbers_of_an_estimate_are_under_its_name_so_that_a_phone_shows_all(client: Client) -> None:
    text = page(client)
    assert '<th colspan="4" scope="rowgroup">What a visit costs' in text
    assert text.count('<th colspan="4" scope="rowgroup">') == 6 + len(VenueKind)


def test_it_shows_the_newest_version_and_how_the_scale_moved(client: Client) -> None:
    make_version(1)
    make_version(2)
    text = page(client)
    assert "1.50" in text
    assert "1.20 – 1.90" in text
    assert "1.0 %" in text, "a share of liars is a share"
    assert text.count("<code>00000000000") == 2
    assert (NOW + dt.timedelta(days=2)).date().isoformat() in text
    assert "Nothing has been learned yet" not in text


def test_people_are_counted_down_to_fives(client: Client) -> None:
    make_version(1)
    text = page(client)
    for shown, exact in ((125, 128), (35, 37), (50, 54)):
        assert f"<dd>{shown}</dd>" in text
        assert f">{exact}<" not in text


def test_a_refused_fit_is_named_on_the_page_and_on_the_operators(client: Client) -> None:
    make_version(1)
    assert status(NOW).refused is None
    before = status(NOW).warnings
    make_version(2, accepted=False, version="", summary={}, reason="predicts worse")
    assert "was rejected" in page(client)
    assert "1.50" in page(client), "the version before stays"
    now = status(NOW)
    assert now.warnings == before + 1
    assert now.refused is not None
    make_version(3)
    assert status(NOW).refused is None, "a version that is accepted ends the alert"


def test_it_speaks_spanish_and_asks_the_database_a_few_times_only(client: Client) -> None:
    make_version(1)
    with CaptureQueriesContext(
        connection,
    ) as queries:
        text = page(client, **{"accept-language": "es"})
    assert "Lo que cree el modelo" in text
    assert len(queries) <= 5
