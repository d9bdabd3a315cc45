"""Days of a device that the operator excludes from the release, before the day closes and with an audit entry.

What is released of a pass depends on that pass and on such a decision, never on a score, which depends on others.
"""

import datetime as dt
from collections.abc import Iterable

from django.db import connection, transaction
from django.utils.translation import gettext as _

from common import audit
from common.time import deployment_zone
from common.web.problems import Invalid
from exports import conf
from exports.models import LeftOutDay
from exports.reads import LEFT_OUT
from passes.clock import epoch_of
from passes.scans_by_day import span_of
from venues.models import Device


def open_days(now: dt.datetime) -> list[dt.date]:
    """Return the days that are not closed yet, newest first, today included."""
    today = now.astimezone(deployment_zone()).date()
    return [today - dt.timedelta(days=back) for back in range(conf.LATENESS.days)]


def days_left_out(device: Device) -> set[dt.date]:
    """Return the days of a device that are left out."""
    return set(LeftOutDay.objects.filter(device=device).values_list("day", flat=True))


def passes_left_out(days: Iterable[dt.date]) -> dict[dt.date, int]:
    """Return the number of passes of each day that were first scanned by devices whose day is left out."""
    spans = [(day, *span_of(epoch)) for day in days if (epoch := epoch_of(day))]
    named = {name: [span[at] for span in spans] for at, name in enumerate(("days", "starts", "ends"))}
    with connection.cursor() as cursor:
        cursor.execute(LEFT_OUT, named)
        return dict(cursor.fetchall())


@transaction.atomic
def leave_out(*, device: Device, days: Iterable[dt.date], actor: str, now: dt.datetime) -> None:
    """Exclude exactly these open days of a device from the release. Raise `Invalid` for a closed day."""
    wanted, still_open = set(days), set(open_days(now))
    if not wanted <= still_open:
        raise Invalid.field("/days", _("This day is closed: what is released of it can no longer change."))
    before = days_left_out(device) & still_open
    LeftOutDay.objects.bulk_create(LeftOutDay(device=device, day=day) for day in sorted(wanted - before))
    LeftOutDay.objects.filter(device=device, day__in=before - wanted).delete()
    for verb, changed in (("abuse.left_out", wanted - before), ("abuse.counted_again", before - wanted)):
        for day in sorted(changed):
            audit.record(
                actor=actor, verb=verb, subject=f"{device.public_id} {day}", now=now,
                organisation=device.door.venue.organisation.public_id,
            )  # fmt: skip
