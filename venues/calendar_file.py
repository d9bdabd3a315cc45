"""An event as a calendar file (iCalendar, RFC 5545), for the calendars of hosts and guests."""

import datetime as dt
from typing import Final

from django.http import HttpResponse
from django.utils.translation import gettext as _
from icalendar import Calendar, vUri
from icalendar import Event as Entry

from venues.models import Event

CONTENT_TYPE: Final = "text/calendar; charset=utf-8"
PRODUCT: Final = "-//CrowdTrace//CrowdTrace//EN"


def calendar_file(event: Event, address: str, now: dt.datetime) -> bytes:
    """Return a calendar with one event and the address where its guests check in.

    Times are UTC, which every calendar shows in its own zone.
    """
    entry = Entry()
    entry.add("uid", f"{event.public_id}@crowdtrace")
    entry.add("dtstamp", now.astimezone(dt.UTC).replace(microsecond=0))
    entry.add("dtstart", event.starts_at.astimezone(dt.UTC))
    entry.add("dtend", event.ends_at.astimezone(dt.UTC))
    entry.add("summary", event.name)
    entry.add("location", ", ".join(part for part in (event.venue.name, event.venue.zip) if part))
    entry.add("url", vUri(address))
    entry.add("description", _("Check in before you enter: %(address)s") % {"address": address})
    entry.add("status", "CANCELLED" if event.cancelled_at else "CONFIRMED")
    calendar = Calendar()
    calendar.add("prodid", PRODUCT)
    calendar.add("version", "2.0")
    calendar.add("method", "PUBLISH")
    calendar.add_component(entry)
    found: bytes = calendar.to_ical()
    return found


def calendar_answer(event: Event, address: str, now: dt.datetime) -> HttpResponse:
    """Return a calendar file as the answer to a link."""
    response = HttpResponse(calendar_file(event, address, now), content_type=CONTENT_TYPE)
    response["Content-Disposition"] = f'attachment; filename="event-{event.public_id}.ics"'
    return response
