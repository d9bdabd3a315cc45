"""Doors that lose the network for a day decide alone, and the server then knows each scan once."""

import datetime as dt
import shutil

import pytest

from tests import offline_day


@pytest.mark.django_db
@pytest.mark.skipif(shutil.which("node") is None, reason="node runs the kiosk's code")
def test_doors_without_a_network_for_a_day_decide_and_nothing_is_lost_or_counted_twice() -> None:
    found = offline_day.run(120, start=dt.datetime(2026, 3, 2, 4, tzinfo=dt.UTC))
    assert found["lights"]["green"] >= 120
    assert found["lights"].keys() <= {"green", "blue"}
    assert sum(found["lights"].values()) == found["shown"] > 120
    assert found["uploads"].keys() == {200}
    assert (found["lost"], found["doubled"]) == (0, 0)
    assert found["visits"] == 120
