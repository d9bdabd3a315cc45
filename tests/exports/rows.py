"""Passes, refusals and scans as rows, for tests of what a release counts."""

import datetime as dt
import secrets
from dataclasses import dataclass
from typing import Any

from passes.models import Pass, Rating, Scan
from tests.factories import make_device, make_venue
from venues.models import Device, Venue

DAY = dt.date(2026, 5, 14)
CLOSED = dt.datetime(2026, 5, 17, 6, 0, tzinfo=dt.UTC)


@dataclass(frozen=True)
class Place:
    """A venue and its kiosk."""

    venue: Venue
    device: Device


def a_place(**values: Any) -> Place:
    """Create a verified venue with one kiosk."""
    venue = make_venue(**values)
    return Place(venue, make_device(venue=venue).device)


def a_pass(place: Place, *, day: dt.date = DAY, **values: Any) -> Pass:
    """Create a pass, or with `go=False` a refusal; all answers are no."""
    given: dict[str, Any] = {
        "tag": secrets.token_bytes(16),
        "owner_hash": secrets.token_bytes(32),
        "survey_seconds": 25,
        "go": True,
        "counted": True,
    } | dict.fromkeys(("symptoms", "diagnosed", "contact", "near"), False)
    return Pass.objects.create(venue=place.venue, epoch=day, **(given | values))


def a_scan(place: Place, row: Pass, *, hour: float = 12, kind: str = "Checkin", **values: Any) -> Scan:
    """Create a scan of a pass, `hour` hours into its day (UTC); a declined one is, by default, too warm."""
    at = dt.datetime.combine(row.epoch, dt.time(), tzinfo=dt.UTC) + dt.timedelta(hours=hour)
    given: dict[str, Any] = {"approved": True, "cause": "ok" if values.get("approved", True) else "temperature"}
    return Scan.objects.create(
        scan_id=secrets.token_hex(8),
        venue=place.venue,
        device=place.device,
        tag=row.tag,
        epoch=row.epoch,
        type=kind,
        slot=1 + int(hour * 60),
        scanned_at=at,
        **(given | values),
    )


def a_scanned_pass(place: Place, *, hour: float = 12, **values: Any) -> Pass:
    """Create a pass that was scanned once."""
    row = a_pass(place, **values)
    a_scan(place, row, hour=hour)
    return row


def rate(row: Pass, masks: int, distancing: int) -> None:
    """Create the holder's rating."""
    Rating.objects.create(pass_row=row, masks=masks, distancing=distancing)
