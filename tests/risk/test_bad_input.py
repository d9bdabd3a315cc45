"""Impossible values from phones, doors, sensors and clocks: refused with the field named, or bounded."""

import dataclasses
import datetime as dt
import math
import zlib
from typing import Any

import numpy as np
import pytest

from common.time import z
from passes.codec.identity import encode_base64url
from passes.models import Change, Rating, Visit
from risk.crowd import venue_days
from risk.crowd.refresh import refresh_crowd
from risk.model.kinds import PRIORS, Kind
from risk.models import AirReading, CrowdDay
from tests.factories import NOW, EnrolledDevice, make_device, make_venue
from tests.passes.people import HeldPass, Phone, result, scan, send, send_bytes
from tests.risk.crowds import HOUR, MINUTE, crowd, rate, stay
from tests.risk.shield.test_answer import answer, ask
from venues.models import Venue

pytestmark = pytest.mark.django_db
OUTDOOR = 425.0


def pointers(response: Any) -> list[str]:
    assert response["Content-Type"] == "application/problem+json", response.content
    return [error["pointer"] for error in response.json()["errors"]]


class TestValues:
    @pytest.mark.parametrize("field", ["masks", "distancing"])
    @pytest.mark.parametrize("value", ["6", "0", "-1", "2.5", "NaN", "Infinity", "true", '"3"', "null", "[3]", "1e9"])
    def test_a_rating_that_is_none_of_one_to_five_is_refused(self, field: str, value: str) -> None:
        """As bytes, because no JSON encoder writes some of these."""
        one = stay(make_venue())
        body = f'{{"owner": "{encode_base64url(one.owner)}", "masks": 3, "distancing": 3, "{field}x": 0}}'
        body = body.replace(f'"{field}": 3', f'"{field}": {value}').replace(f', "{field}x": 0', "")
        response = send_bytes("/api/v1/ratings", body.encode(), now=NOW)
        assert response.status_code == 400
        assert pointers(response) == [f"/{field}"]
        assert not Rating.objects.exists()
        assert Change.objects.count() == 1  # of the stay alone

    @pytest.mark.parametrize(
        "value", ["NaN", "Infinity", "-Infinity", "0", "-1", "true", '"0.01"', "null", "1e-7", "2"]
    )
    def test_a_budget_that_is_no_chance_is_refused(self, value: str) -> None:
        response = send_bytes("/api/v1/shield", b'{"owners": [], "budget": %s}' % value.encode(), now=NOW)
        assert response.status_code == 400
        assert pointers(response) == ["/budget"]

    @pytest.mark.parametrize("value", ["0", "-1", "349", "100000", "NaN", "Infinity", "true", '"600"', "null", "1e400"])
    def test_a_reading_that_no_sensor_makes_is_refused(self, value: str) -> None:
        device = make_device()
        body = b'{"co2_ppm": %s, "measured_at": "%s"}' % (value.encode(), z(NOW).encode())
        response = send_bytes("/api/v1/air", body, now=NOW, headers=device.header)
        assert response.status_code == 400
        assert pointers(response) == ["/co2_ppm"]
        assert not AirReading.objects.exists()

    @pytest.mark.parametrize(
        "at", ["2026-05-13T10:03:00Z", "2026-05-06T09:59:00Z", "1970-01-01T00:00:00Z", "9999-12-31T23:59:59Z", "now"]
    )
    def test_a_reading_of_another_time_is_refused(self, at: str) -> None:
        device = make_device()
        body = {"co2_ppm": 800, "measured_at": at}
        response = send("POST", "/api/v1/air", body, now=NOW, headers=device.header)
        assert response.status_code == 400
        assert pointers(response) == ["/measured_at"]
        assert not AirReading.objects.exists()


class TestClocks:
    def door(self) -> tuple[EnrolledDevice, HeldPass]:
        venue = make_venue(volume_m3=100.0)
        crowd(venue, 8, NOW - HOUR, 180)
        return make_device(venue=venue), Phone().check_in(venue)

    def seen(self, held: HeldPass, now: dt.datetime) -> dict[str, Any]:
        refresh_crowd(now=now)
        response = send("POST", "/api/v1/shield", {"owners": [held.owner]}, now=now)
        assert response.status_code == 200
        return dict(response.json())

    def test_a_checkout_before_the_checkin_ends_nothing_and_makes_no_negative_stay(self) -> None:
        device, held = self.door()
        early = NOW - 30 * MINUTE
        assert result(scan(device, held.on_screen(early), now=NOW, at=early, type="Checkout")) == "Approved"
        assert result(scan(device, held.on_screen(NOW), now=NOW)) == "Approved"
        (visit,) = Visit.objects.filter(arrived_at=NOW)
        assert visit.left_at is None
        (told,) = self.seen(held, NOW + HOUR)["visits"]
        assert told["arrived"] == z(NOW)
        assert told["dose"] > 0

    def test_a_clock_that_jumps_backwards_within_a_visit_makes_no_negative_stay(self) -> None:
        device, held = self.door()
        back = NOW - 3 * HOUR
        assert result(scan(device, held.on_screen(NOW), now=NOW)) == "Approved"
        scan(device, held.on_screen(back), now=NOW + HOUR, at=back, type="Checkout")
        scan(device, held.on_screen(back + MINUTE), now=NOW + HOUR, at=back + MINUTE)
        for visit in Visit.objects.all():
            assert (visit.left_at or visit.times_out_at) > visit.arrived_at
        for told in self.seen(held, NOW + 2 * HOUR)["visits"]:
            assert told["left"] is None or told["left"] > told["arrived"]
            assert told["dose"] >= 0

    @pytest.mark.parametrize("off", [dt.timedelta(minutes=3), dt.timedelta(days=-8), dt.timedelta(days=365 * 30)])
    def test_a_door_whose_clock_is_far_off_makes_no_visit(self, off: dt.timedelta) -> None:
        device, held = self.door()
        assert result(scan(device, held.on_screen(NOW), now=NOW, at=NOW + off)) == "Declined"
        assert self.seen(held, NOW)["visits"] == []

    def test_a_door_that_never_checks_out_counts_the_usual_dwell_and_no_more(self) -> None:
        device, held = self.door()
        assert result(scan(device, held.on_screen(NOW), now=NOW)) == "Approved"
        (told,) = self.seen(held, NOW + 20 * HOUR)["visits"]
        assert told["left"] is not None
        left = dt.datetime.fromisoformat(told["left"])
        assert NOW < left <= NOW + dt.timedelta(hours=4)


class TestWhatIsMissing:
    """Priors are used instead, the interval is wider, and `why` says so."""

    def seen(self, venue: Venue, *, raters: int = 0) -> tuple[int, set[str]]:
        """Return the interval's width, with the mean at a quarter of the budget, and the reasons."""
        others = [stay(venue) for _ in range(20)]
        me = stay(venue)
        for other in others[:raters]:
            rate(other, 2, 2)
        refresh_crowd(now=NOW)
        found = answer(me, budget=4 * answer(me)["infection_probability"])
        assert found["spent"] == pytest.approx(0.25, rel=0.05)
        return found["high"] - found["low"], {why["code"] for why in found["visits"][0]["why"]}

    def test_a_room_of_which_nothing_is_known_is_the_kinds_prior_and_says_so(self) -> None:
        prior = PRIORS[Kind.RESTAURANT]
        volume, air = prior.volume_m3.value, prior.air_changes_per_h.value
        wide, of_nothing = self.seen(make_venue())
        half, of_volume = self.seen(make_venue(volume_m3=volume))
        narrow, of_both = self.seen(make_venue(volume_m3=volume, air_changes_per_h=air))
        assert wide > half > narrow > 0
        assert {"air_prior", "room_prior"} <= of_nothing
        assert {"air_prior", "room_prior"} & of_volume == {"air_prior"}
        assert {"air_prior", "room_prior", "air_known"} & of_both == {"air_known"}

    def test_a_crowd_that_few_rated_is_the_kinds_prior_and_says_so(self) -> None:
        _width, of_nothing = self.seen(make_venue())
        _width, of_four = self.seen(make_venue(), raters=4)
        _width, of_many = self.seen(make_venue(), raters=12)
        unknown = {"masks_unknown", "distancing_unknown"}
        assert unknown <= of_nothing
        assert unknown <= of_four
        assert {"masks_few", "distancing_poor"} <= of_many
        assert not unknown & of_many

    def test_air_that_a_sensor_measured_narrows_the_shield_and_is_called_measured(self) -> None:
        """From the sensor's URL to the shield's: the course of an empty room, then a crowd in it."""
        prior = PRIORS[Kind.RESTAURANT]
        venue = make_venue(volume_m3=prior.volume_m3.value)
        before, of_prior = self.seen(venue)
        device = make_device(venue=venue)
        for step in range(25):
            ppm = OUTDOOR + 2500 * math.exp(-prior.air_changes_per_h.value * step / 12)
            at = NOW - 5 * HOUR + 5 * step * MINUTE
            sent = send("POST", "/api/v1/air", {"co2_ppm": ppm, "measured_at": z(at)}, now=NOW, headers=device.header)
            assert sent.status_code == 204
        after, of_measured = self.seen(venue)
        assert "air_prior" in of_prior
        assert "air_measured" in of_measured
        assert not {"air_prior", "air_known"} & of_measured
        assert after < before


class TestCrowdStateThatIsWrong:
    """A violated invariant raises: a broken row causes an error, not a shield that looks better or worse."""

    def broken(self, **columns: Any) -> Any:
        venue = make_venue()
        crowd(venue, 6)
        me = stay(venue)
        refresh_crowd(now=NOW)
        row = CrowdDay.objects.get()
        good = venue_days.unpack(row.data)
        state = dataclasses.replace(good.state, **{name: change(good.state) for name, change in columns.items()})
        row.data = venue_days.pack(dataclasses.replace(good, state=state))
        row.save()
        return ask(me)

    @pytest.mark.parametrize("value", [np.nan, np.inf, -np.inf])
    @pytest.mark.parametrize(
        "name", ["integral_h2_per_m3", "person_h", "concentration_per_m3", "removal_rate_per_h", "volume_m3"]
    )
    def test_values_that_are_not_numbers_are_errors(self, name: str, value: float) -> None:
        response = self.broken(**{name: lambda state: np.full_like(getattr(state, name), value)})
        assert response.status_code == 500
        assert response["Content-Type"] == "application/problem+json"

    def test_a_row_of_another_form_is_an_error(self) -> None:
        venue = make_venue()
        crowd(venue, 6)
        me = stay(venue)
        refresh_crowd(now=NOW)
        CrowdDay.objects.update(data=zlib.compress(bytes(64)))
        assert ask(me).status_code == 500
