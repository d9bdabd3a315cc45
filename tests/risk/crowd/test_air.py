"""Measured air through the real URL: what is refused, its effect, and how it fades."""

import datetime as dt
from typing import Any

import pytest

from common.time import z
from passes.models import Change
from risk.crowd.refresh import refresh_crowd
from risk.models import AirHour, AirReading
from risk.scouting.curves import refresh_cards
from tests.factories import NOW, EnrolledDevice, make_device, make_venue
from tests.passes.people import send
from tests.risk.crowds import HOUR, MINUTE, crowd
from venues.models import Venue

pytestmark = pytest.mark.django_db
OUTDOOR = 425.0


def post(device: EnrolledDevice, ppm: Any, at: dt.datetime, now: dt.datetime = NOW) -> Any:
    return send("POST", "/api/v1/air", {"co2_ppm": ppm, "measured_at": z(at)}, now=now, headers=device.header)


def decay(venue: Venue, per_h: float) -> None:
    """Send readings of two hours in which an empty room clears, one every ten minutes."""
    device = make_device(venue=venue)
    for step in range(13):
        ppm = OUTDOOR + 2500 * 2.718281828 ** (-per_h * step / 6)
        assert post(device, ppm, NOW - 2 * HOUR + 10 * step * MINUTE).status_code == 204


def air(venue: Venue, now: dt.datetime = NOW) -> dict[str, Any]:
    refresh_crowd(now=now)
    refresh_cards(now=now)
    return dict(send("GET", f"/api/v1/venues/{venue.public_id}", now=now).json()["air"])


def test_measured_air_is_shown_narrowed_and_near_the_truth() -> None:
    venue = make_venue(volume_m3=300.0)
    before = air(venue)
    decay(venue, 4.0)
    after = air(venue)
    assert (before["source"], after["source"]) == ("prior", "measured")
    assert after["ach_high"] / after["ach_low"] < before["ach_high"] / before["ach_low"]
    assert (after["ach_low"] * after["ach_high"]) ** 0.5 == pytest.approx(4.0, rel=0.2)


def test_a_measurement_fades_to_the_prior() -> None:
    venue = make_venue(volume_m3=300.0)
    prior = air(venue)
    decay(venue, 4.0)
    widths = [
        found["ach_high"] / found["ach_low"] for found in (air(venue, NOW + hours * HOUR) for hours in (0, 13, 25))
    ]
    assert widths[0] < widths[1] < widths[2]
    assert air(venue, NOW + 80 * HOUR) == prior


@pytest.mark.parametrize("ppm", [600.0, 8000.0])
def test_a_frozen_sensor_says_nothing(ppm: float) -> None:
    venue = make_venue()
    device = make_device(venue=venue)
    for step in range(13):
        post(device, ppm, NOW - 2 * HOUR + 10 * step * MINUTE)
    assert air(venue)["source"] == "prior"
    assert not AirHour.objects.exists()


@pytest.mark.parametrize("ppm", [0, -1, 349, 10_001, 100_000, "600", None, True])
def test_absurd_readings_are_refused(ppm: Any) -> None:
    response = post(make_device(), ppm, NOW)
    assert response.status_code == 400
    assert response.json()["errors"][0]["pointer"] == "/co2_ppm"
    assert not AirReading.objects.exists()


@pytest.mark.parametrize("offset", [dt.timedelta(minutes=3), dt.timedelta(days=-8)])
def test_times_out_of_range_are_refused(offset: dt.timedelta) -> None:
    assert post(make_device(), 600, NOW + offset).json()["errors"][0]["pointer"] == "/measured_at"


def test_a_reading_sent_twice_is_kept_once() -> None:
    device = make_device()
    assert [post(device, 700, NOW).status_code for _ in range(2)] == [204, 204]
    assert AirReading.objects.count() == 1


def test_invented_readings_do_not_count_the_people_inside() -> None:
    """A person who runs a place sends an invented course of CO2, and reads its effect on the public card."""
    shown = {}
    for people in (8, 9, 10, 11, 30):
        venue = make_venue(volume_m3=300.0)
        crowd(venue, people, NOW - 3 * HOUR, 400)
        device = make_device(venue=venue)
        for step in range(13):
            post(device, 1500.0 + step % 2, NOW - 2 * HOUR + 10 * step * MINUTE)
        shown[people] = air(venue)
    assert shown[8] == shown[9] == shown[10] == shown[11]
    assert shown[30]["ach_low"] > shown[8]["ach_low"], "the measurement reads the crowd at all"


def test_only_kiosks_may_post() -> None:
    assert send("POST", "/api/v1/air", {}, now=NOW).status_code == 401
    assert post(make_device(kind="Personal"), 700, NOW).status_code == 403


def test_a_change_of_the_crowd_after_the_readings_keeps_what_they_said() -> None:
    venue = make_venue(volume_m3=300.0)
    decay(venue, 4.0)
    air(venue)
    kept = list(AirHour.objects.order_by("hour").values_list("hour", "air_changes_per_h"))
    crowd(venue, 3, NOW + HOUR)
    assert Change.objects.exists()
    refresh_crowd(now=NOW + 2 * HOUR)
    assert list(AirHour.objects.order_by("hour").values_list("hour", "air_changes_per_h")) == kept
