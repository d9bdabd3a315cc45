"""The page of a place: what its numbers say where they are at the edge of what is shown."""

import pytest
from django.test import Client

from risk.scouting.curves import refresh_cards
from tests.factories import NOW, make_venue

pytestmark = pytest.mark.django_db

LEAST = "0.1 means a tenth or less"


def test_costs_that_only_rounding_makes_equal_are_explained(client: Client) -> None:
    outside, inside = make_venue(kind="outdoors"), make_venue(kind="bar")
    refresh_cards(now=NOW)
    assert LEAST in client.get(f"/venues/{outside.public_id}").content.decode()
    assert LEAST not in client.get(f"/venues/{inside.public_id}").content.decode()
