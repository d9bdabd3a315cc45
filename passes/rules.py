"""Convert venues' requirements to the values that the pure core uses."""

import datetime as dt
from collections.abc import Iterable
from functools import lru_cache
from zoneinfo import ZoneInfo

from passes.clock import calendar, moment
from passes.codec import DoorRequirements, Span, WeeklyHours
from passes.codec.epochs import Epoch
from venues import hours
from venues.hours import DAY_MIN, Hours, Interval
from venues.kinds import USUAL_DWELL_MIN, Access
from venues.selectors import DeviceContext


def epoch_day(epoch: Epoch) -> tuple[dt.datetime, dt.datetime]:
    """Return the epoch's local day: an event by invitation that touches it makes the day one by invitation."""
    return moment(epoch.start), moment(calendar().checkin_closes(epoch))


def door_requirements(
    device: DeviceContext, *, invitation_epochs: frozenset[int] = frozenset(), since: dt.datetime | None = None
) -> DoorRequirements:
    """Return what the device's door requires of a scan. `since`: leave out openings that ended before."""
    rules = device.rules
    return DoorRequirements(
        version=rules.version,
        highest_temperature_f=rules.max_temperature_f,
        lowest_o2=rules.min_o2,
        capacity=rules.capacity,
        enforced_percent=rules.enforced_limit_percent,
        hours=weekly_hours(device.venue_id, rules.version, device.zone, _as_tuples(rules.hours)),
        rotating_required=rules.rotating_code,
        private=device.access is Access.PRIVATE,
        invitation_epochs=invitation_epochs,
        openings=tuple(_openings(event for event in device.events if since is None or event.end > since)),
        usual_dwell_min=device.usual_dwell_min or USUAL_DWELL_MIN[device.venue_kind],
    )


def usual_dwell(device: DeviceContext) -> dt.timedelta:
    """Return how long people usually stay: the venue's own figure, otherwise that of its kind."""
    return dt.timedelta(minutes=device.usual_dwell_min or USUAL_DWELL_MIN[device.venue_kind])


def end_of_stay(device: DeviceContext, arrived: dt.datetime, epoch_end: dt.datetime) -> dt.datetime:
    """Return the end, without a Checkout, of a stay that began at `arrived`: usual dwell, closing or end of the epoch.

    Closing does not apply to a person who was admitted while the venue is closed (by an offline kiosk).
    """
    end = min(arrived + usual_dwell(device), epoch_end)
    if device.rules.hours == hours.ALWAYS_OPEN:
        return end
    closes = hours.closes_at(device.rules.hours, device.zone, arrived, events=device.events)
    return min(end, closes) if closes is not None and closes > arrived else end


_Week = tuple[tuple[tuple[int, int], ...], ...]


@lru_cache(maxsize=4096)
def weekly_hours(venue_id: int, version: int, zone: ZoneInfo, week: _Week) -> WeeklyHours:  # noqa: ARG001
    """Return a venue's hours in the codec's form, cached by venue and version."""
    return WeeklyHours(zone=zone, spans=tuple(_spans(week)))


def _spans(week: _Week) -> Iterable[Span]:
    for weekday, day in enumerate(week):
        for opens, closes in day:
            if closes - opens <= DAY_MIN:
                yield Span(weekday, opens, closes)
            else:  # a span of the codec is a day at most
                yield Span(weekday, opens, DAY_MIN)
                yield Span((weekday + 1) % 7, 0, closes - DAY_MIN)


def _as_tuples(week: Hours) -> _Week:
    return tuple(tuple((opens, closes) for opens, closes in day) for day in week) or ((),) * 7


def _openings(events: Iterable[Interval]) -> Iterable[tuple[int, int]]:
    for event in events:
        yield int((event.start - hours.EVENT_LEAD).timestamp()), int(event.end.timestamp())
