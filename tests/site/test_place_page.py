"""The page of a place: what its numbers say where they are at the edge of what is shown."""

import datetime as dt
import re
from typing import Any

import pytest
from django.test import Client

from crowdtrace.site.charts.bars import HOURS_GAP, HOURS_STEP
from risk.scouting.curves import refresh_cards
from tests.factories import NOW, make_venue

pytestmark = pytest.mark.django_db

LEAST = "0.1 means a tenth or less"


def test_costs_that_only_rounding_makes_equal_are_explained(client: Client) -> None:
    outside, inside = make_venue(kind="outdoors"), make_venue(kind="bar")
    refresh_cards(now=NOW)
    assert LEAST in client.get(f"/venues/{outside.public_id}").content.decode()
    assert LEAST not in client.get(f"/venues/{inside.public_id}").content.decode()


def test_every_label_of_the_hours_fits_into_its_chart(client: Client, time_machine: Any) -> None:
    """A label is as wide as four bars, and its letters reach below its line."""
    venue = make_venue()
    refresh_cards(now=NOW)
    for hour in range(4):
        time_machine.move_to(NOW + dt.timedelta(hours=hour), tick=False)
        page = client.get(f"/venues/{venue.public_id}").content.decode()
        left, top, width, height = (
            float(part) for part in re.findall(r'<svg class="bars" viewBox="([-\d. ]+)"', page)[0].split()
        )
        labels = [(float(x), float(y)) for x, y in re.findall(r'<text x="([\d.]+)" y="([\d.]+)">', page)]
        assert labels
        assert max(x for x, _y in labels) + 4 * HOURS_STEP - HOURS_GAP / 2 <= left + width
        assert max(y for _x, y in labels) + 8 <= top + height
