"""People counted at a venue: what a host enters, so that doses know how many people a check-in stands for."""

import datetime as dt
from typing import Final

from django.db import transaction
from django.utils.translation import gettext as _

from common import audit
from common.web.problems import Invalid
from venues.models import PresenceCount, Venue
from venues.refusals import conflict, too_many
from venues.services.checks import clean
from venues.services.venues import lock_venue

LATEST: Final = dt.timedelta(days=7)
"""How far back a count may lie; our choice, as for readings of a sensor."""
MOST_A_DAY: Final = 24
"""Largest number of counts of a venue and UTC day: one of them is used."""
_DAY: Final = dt.timedelta(days=1)


@transaction.atomic
def add_presence_count(
    *, venue: Venue, people: int, counted_at: dt.datetime, actor: str, now: dt.datetime
) -> PresenceCount:
    """Store a count of a minute. The same count again is the same row; another number for that minute is a conflict."""
    locked = lock_venue(venue)
    moment = counted_at.replace(second=0, microsecond=0)
    if not now - LATEST <= moment <= now:
        raise Invalid.field("/counted_at", _("At most 7 days back, and not in the future."), "range")
    known = locked.presence_counts.filter(counted_at=moment).first()
    if known is not None:
        if known.people == people:
            return known
        raise conflict("counted", _("There is another count of that minute. Remove it first."), pointer="/counted_at")
    midnight = moment.astimezone(dt.UTC).replace(hour=0, minute=0)
    if locked.presence_counts.filter(counted_at__gte=midnight, counted_at__lt=midnight + _DAY).count() >= MOST_A_DAY:
        raise too_many(_("A place has at most %(most)d counts a day."), MOST_A_DAY)
    row = PresenceCount(venue=locked, counted_at=moment, people=people, created_at=now)
    clean(row)
    row.save(force_insert=True)
    _record(locked, actor, "count.added", now)
    return row


@transaction.atomic
def remove_presence_count(*, count: PresenceCount, actor: str, now: dt.datetime) -> None:
    """Delete a count, which then informs no estimate any more. Removing it twice changes nothing."""
    if PresenceCount.objects.filter(pk=count.pk).delete()[0]:
        _record(count.venue, actor, "count.removed", now)


def _record(venue: Venue, actor: str, verb: str, now: dt.datetime) -> None:
    organisation = venue.organisation.public_id
    audit.record(actor=actor, verb=verb, subject=venue.public_id, organisation=organisation, now=now)
