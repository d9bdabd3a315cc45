"""Plans fix what is counted of a day in advance: the areas, and whether the day is drawn by itself or with its week.

A plan is stored a day ahead and never changes. It depends on public facts only, the areas with a venue of a verified
organisation and the setting `DATASET_WEEKLY_FROM`, so the data never decides what is counted. A venue that is verified
later counts from the next plan on.
"""

import datetime as dt
from typing import Final

from django.db import transaction

from common.time import deployment_zone
from exports import conf
from exports.dataset.tables import states_by_zip3
from exports.models import Plan, Release
from exports.policy.signals import DAYS_OF_A_WEEK, first_of_week
from exports.reads import areas_with_verified_venues

ONE_DAY: Final = dt.timedelta(days=1)


def freeze_ahead(*, now: dt.datetime) -> Plan:
    """Store the plan of tomorrow, or of the week that begins then, if there is none; return it."""
    tomorrow = now.astimezone(deployment_zone()).date() + ONE_DAY
    return plan_covering(tomorrow) or _store(*_period(tomorrow, ahead=True), frozen_at=now)


def plan_of(day: dt.date) -> Plan:
    """Return the plan of a day; if none was made ahead, as in a simulated past, make it now.

    Such a plan has no cutoff for venues: all that are verified now count.
    """
    return plan_covering(day) or _store(*_period(day, ahead=False), frozen_at=None)


def period_of(day: dt.date) -> tuple[dt.date, dt.date]:
    """Return the first and last day of the draw that a day belongs to, without storing anything."""
    plan = plan_covering(day)
    return (plan.first_day, plan.last_day) if plan else _period(day, ahead=False)


def plan_covering(day: dt.date) -> Plan | None:
    """Return the stored plan of a day."""
    return Plan.objects.filter(first_day__lte=day, last_day__gte=day).first()


def _period(day: dt.date, *, ahead: bool) -> tuple[dt.date, dt.date]:
    """Return the week of a day if weeks are drawn and none of its days has a plan or a draw, else the day."""
    monday = first_of_week(day)
    sunday = monday + (DAYS_OF_A_WEEK - 1) * ONE_DAY
    since = conf.weekly_from()
    if since is None or monday < since or (ahead and day != monday):
        return day, day
    planned = Plan.objects.filter(first_day__lte=sunday, last_day__gte=monday).exists()
    drawn = Release.objects.filter(day__range=(monday, sunday)).exists()
    return (day, day) if planned or drawn else (monday, sunday)


@transaction.atomic
def _store(first: dt.date, last: dt.date, *, frozen_at: dt.datetime | None) -> Plan:
    zips = [zip3 for zip3 in areas_with_verified_venues(since=first) if zip3 in states_by_zip3()]
    made, _ = Plan.objects.get_or_create(
        first_day=first, defaults={"last_day": last, "zips": zips, "frozen_at": frozen_at}
    )
    return made
