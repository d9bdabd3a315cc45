"""P8: the holder can erase.

Rows are deleted in database and lake, the crowd is recomputed, the receipt names what was rewritten, and everybody
else's rows are unchanged, except in classes that fell below their minimum size.
"""

import datetime as dt
from typing import Any

import numpy as np
import pytest

from common.crypto import b64encode
from exports import tasks
from exports.dataset.tables import VERIFIED
from exports.erasure.batches import run_erasures
from exports.hashes import index_hash
from exports.lake.deployment import deployment_lake
from exports.models import IndexEntry
from exports.release.verified import publish_day
from passes.models import Pass, Scan, Visit
from risk.crowd import venue_days
from risk.crowd.refresh import recompute_crowd, refresh_crowd
from risk.models import CrowdDay
from tests.adversaries.stores import dump_tables, dump_valkey, traces
from tests.exports.published import published_rows, token_of
from tests.exports.rows import DAY, Place, a_place, a_scan
from tests.passes.people import send
from tests.risk.crowds import Stay, stay
from venues.models import Venue

pytestmark = pytest.mark.django_db(transaction=True)

NOON = dt.datetime.combine(DAY, dt.time(12), tzinfo=dt.UTC)
NOW = NOON + dt.timedelta(days=3, hours=1)
K = 30


@pytest.fixture(params=["deployment", "deployment_in_s3"], autouse=True)
def storage(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> None:
    """Store files in a folder and objects in a versioned bucket; nothing runs in the background."""
    request.getfixturevalue(request.param)
    monkeypatch.setattr(tasks, "enqueue_erase", lambda: None)


def a_crowd(place: Place, size: int) -> list[Stay]:
    """Return people who arrive a minute after each other, each scanned once; every third had contact."""
    stays = []
    for number in range(size):
        one = stay(place.venue, NOON + number * dt.timedelta(minutes=1), 45, contact=number % 3 == 0)
        a_scan(place, one.pass_row, hour=12 + number / 60)
        stays.append(one)
    return stays


def crowd_of(venue: Venue) -> list[bytes]:
    return [bytes(row.data) for row in CrowdDay.objects.filter(venue=venue).order_by("day")]


def most_inside(venue: Venue) -> int:
    return max(int(venue_days.unpack(data).state.present[:, 0].max()) for data in crowd_of(venue))


def erase(*stays: Stay) -> dict[str, Any]:
    body = {"owners": [b64encode(one.owner) for one in stays]}
    capability = send("POST", "/api/v1/erasures", body, now=NOW).json()["id"]
    run_erasures(now=NOW)
    receipt: dict[str, Any] = send("GET", f"/api/v1/erasures/{capability}", now=NOW).json()
    return receipt


def test_a_holder_erases_and_nothing_of_the_visit_is_left_anywhere() -> None:
    here, there = a_place(), a_place(zip_code="02139")
    mine, others = a_crowd(here, 60), a_crowd(there, 50)
    refresh_crowd(now=NOW)
    publish_day(day=DAY, now=NOW)
    before, crowd_before, elsewhere = published_rows(), crowd_of(here.venue), crowd_of(there.venue)
    assert len(before) == 110
    inside = most_inside(here.venue)
    gone = mine[30]
    tag, owner_hash, token = bytes(gone.pass_row.tag), bytes(gone.pass_row.owner_hash), token_of(gone.pass_row)

    receipt = erase(gone)

    assert receipt["status"] == "done"
    assert receipt["database"] == {"passes": 1, "scans": 1, "ratings": 0}
    # Deleted from the database, in every table and every encoding; the keyed hash that a restore needs remains.
    assert not Pass.objects.filter(owner_hash=owner_hash).exists()
    assert not Scan.objects.filter(tag=tag).exists()
    assert not Visit.objects.filter(tag=tag).exists()
    stores = dump_tables() | {"valkey": dump_valkey()}
    for secret in (tag, owner_hash, gone.owner, bytes.fromhex(token)):
        needles = set(traces(secret))
        assert not [name for name, content in stores.items() if any(needle in content for needle in needles)]
    kept = index_hash(owner_hash)
    assert [name for name, content in stores.items() if kept in content] == ["public.exports_erasedowner"]

    # Deleted from the lake: no object and no version of one contains the token, and the receipt names the rewritten
    # ones.
    with deployment_lake() as lake:
        objects = lake.storage.objects()
        for each in objects.versions(lake.location(VERIFIED)):
            assert each.is_current
            assert token.encode() not in objects.read(each), each.url
    assert receipt["lake"]["rows"] == 1
    assert receipt["lake"]["proven"]
    assert [(each["before"], each["after"]) for each in receipt["lake"]["objects"]] == [(110, 109)]
    assert all(each["name"].startswith(f"data/scan_date={DAY}/") for each in receipt["lake"]["objects"])

    # Everybody else's rows are unchanged, and their holders can still find them.
    assert published_rows() == [row for row in before if row["userid"] != token]
    assert {token_of(one.pass_row) for one in (*mine[:30], *mine[31:], *others)} == {
        row["userid"] for row in published_rows()
    }

    # The crowd is that of a day without the visit; the crowd of other venues is unchanged.
    assert crowd_of(here.venue) == crowd_before  # until the scheduled refresh: a request does not change it
    refresh_crowd(now=NOW)
    assert crowd_of(here.venue) != crowd_before
    assert most_inside(here.venue) == inside - 1
    after = [venue_days.unpack(data).state for data in crowd_of(here.venue)]
    recompute_crowd(venues=[here.venue.pk], now=NOW)
    for one, other in zip(after, [venue_days.unpack(data).state for data in crowd_of(here.venue)], strict=True):
        np.testing.assert_array_equal(one.present, other.present)
        np.testing.assert_allclose(one.concentration_per_m3, other.concentration_per_m3, rtol=1e-9, atol=1e-12)
    assert crowd_of(there.venue) == elsewhere


def test_a_class_that_falls_below_its_least_size_goes_and_no_other_row_changes() -> None:
    small, large = a_place(), a_place(zip_code="02139")
    few, many = a_crowd(small, 36), a_crowd(large, 50)
    publish_day(day=DAY, now=NOW)
    before = published_rows()
    assert len(before) == 86
    erase(*few[: 36 - K])
    assert len(published_rows()) == 80  # the margin is used up: thirty are left of that class
    receipt = erase(few[20])
    assert receipt["lake"]["rows"] == 1
    tokens = {token_of(one.pass_row) for one in many}
    assert published_rows() == [row for row in before if row["userid"] in tokens]
    assert IndexEntry.objects.count() == 50
    assert erase(few[25])["lake"] == {"rows": 0, "objects": [], "proven": True}


def test_erasing_twice_or_somebody_unknown_changes_nothing() -> None:
    place = a_place()
    stays = a_crowd(place, 60)
    publish_day(day=DAY, now=NOW)
    erase(stays[0])
    rows = published_rows()
    again = erase(stays[0])
    assert (again["database"], again["lake"]["rows"]) == ({"passes": 0, "scans": 0, "ratings": 0}, 0)
    assert published_rows() == rows
