"""Many rows at once: what one day writes to the tables."""

import datetime as dt
from dataclasses import replace
from typing import Any
from zoneinfo import ZoneInfo

import numpy as np
import pytest
from django.db import IntegrityError

from common.crypto import keyed_hash
from passes import bulk, models
from passes.codec.epochs import Epoch, EpochCalendar
from tests import factories
from venues.models import Device

pytestmark = pytest.mark.django_db
EPOCH: Epoch = EpochCalendar(ZoneInfo("UTC")).epoch_of(dt.date(2026, 5, 13))
NINE_US = (EPOCH.start + 9 * 3600) * 1_000_000
HOUR_US = 3_600_000_000


def day(device: Device, **columns: Any) -> bulk.Day:
    """Return three passes of one venue: a visit with Checkout and rating, one that times out, and a refusal."""
    rng = np.random.default_rng(1)
    base = bulk.Day(
        epoch=EPOCH,
        venue=np.full(3, device.door.venue_id),
        device=np.full(3, device.pk),
        anchor=rng.integers(0, 256, (3, 16), np.uint8),
        owner_hash=rng.integers(0, 256, (3, 32), np.uint8),
        answers=np.array([[0, 0, 0, 0], [0, 0, 1, 1], [1, 0, 0, 0]], bool),
        survey_seconds=np.array([20, 31, 25]),
        go=np.array([True, True, False]),
        refused_hour=np.array([0, 0, 14]),
        counted=np.array([True, False, True]),
        arrived_us=np.array([NINE_US, NINE_US + HOUR_US, bulk.NOT_AT_ALL]),
        approved=np.array([True, True, False]),
        cause=np.array(["", "", ""]),
        left_us=np.array([NINE_US + HOUR_US, bulk.NOT_AT_ALL, bulk.NOT_AT_ALL]),
        times_out_us=np.array([NINE_US + 2 * HOUR_US, NINE_US + 3 * HOUR_US, 0]),
        masks=np.array([4, 0, 0]),
        distancing=np.array([2, 0, 0]),
    )
    return replace(base, **columns)


@pytest.fixture
def device() -> Device:
    venue = factories.make_venue()
    return factories.make_device(venue=venue).device


def test_a_day_leaves_passes_scans_visits_ratings_and_one_change_a_venue(device: Device) -> None:
    written = bulk.write_day(day(device), keep_anchors=True)

    assert written == bulk.Written(passes=3, scans=3, visits=2, ratings=1)
    refusal = models.Pass.objects.get(go=False)
    assert (refusal.refused_hour, refusal.symptoms, refusal.counted) == (14, True, True)
    stayed = models.Visit.objects.get(left_at__isnull=False)
    assert stayed.left_at is not None
    assert stayed.left_at - stayed.arrived_at == dt.timedelta(hours=1)
    assert models.Scan.objects.get(type="Checkout").slot == 10 * 60 + 1
    assert models.Change.objects.get().since == dt.datetime(2026, 5, 13, 9, tzinfo=dt.UTC)


def test_rows_of_a_pass_are_joined_by_the_tag_of_its_anchor(device: Device) -> None:
    bulk.write_day(day(device), keep_anchors=True)

    rows = list(models.Pass.objects.filter(go=True))
    assert rows
    for row in rows:
        assert bytes(row.tag) == keyed_hash("tag", bytes(row.anchor or b""))[:16]
        assert models.Visit.objects.filter(tag=row.tag).count() == 1


def test_anchors_of_an_ended_epoch_are_not_written(device: Device) -> None:
    bulk.write_day(day(device), keep_anchors=False)

    assert not models.Pass.objects.exclude(anchor=None).exists()


def test_a_day_that_breaks_a_constraint_leaves_nothing(device: Device) -> None:
    bulk.write_day(day(device), keep_anchors=False)

    with pytest.raises(IntegrityError):
        bulk.write_day(day(device), keep_anchors=False)
    assert models.Pass.objects.count() == 3


@pytest.mark.parametrize(
    ("column", "values", "named"),
    [
        ("arrived_us", [0, NINE_US, -1], "arrived_us"),
        ("arrived_us", [NINE_US, NINE_US, NINE_US], "refusal"),
        ("left_us", [NINE_US, -1, -1], "left_us"),
        ("times_out_us", [NINE_US, NINE_US + 2 * HOUR_US, 0], "times_out_us"),
        ("masks", [1, 1], "masks"),
    ],
)
def test_an_impossible_day_is_refused_before_it_is_written(
    device: Device, column: str, values: list[int], named: str
) -> None:
    with pytest.raises(ValueError, match=named):
        day(device, **{column: np.array(values)})
