"""From which day rules on answers hold, for pages of lower apps."""

import datetime as dt

from django import template
from django.utils.formats import date_format

from common.time import utc_now
from passes.clock import calendar

register = template.Library()


@register.simple_tag
def answers_from(changed_at: dt.datetime | None = None) -> str:
    """Return the first day whose check-in opens after a change of the rules: the day from which they judge answers."""
    changed = (changed_at or utc_now()).timestamp()
    epoch = calendar().current(changed)
    while epoch.checkin_opens < changed:
        epoch = calendar().following(epoch)
    return date_format(epoch.date, "DATE_FORMAT")
