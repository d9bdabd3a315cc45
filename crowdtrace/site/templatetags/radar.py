"""Filters of the radar page."""

import datetime as dt

from django import template
from django.utils.formats import date_format
from django.utils.translation import gettext as _

from crowdtrace.site.radar.words import Asked
from exports.radar import shown

register = template.Library()


@register.filter
def radar_number(value: float) -> str:
    """Format a value as the radar does."""
    return shown.number(value)


@register.filter
def radar_day(day: dt.date) -> str:
    """Format a day in the language of the page, such as "Aug 1, 2020" or "1 ago 2020"."""
    return date_format(day, _("M j, Y"))


@register.filter
def radar_tick(day: dt.date) -> str:
    """Format a day without its year, for an axis."""
    return date_format(day, _("M j"))


@register.filter
def with_region(asked: Asked, region: str) -> str:
    """Return the page's URL for another region."""
    return asked.link(region=region) + "#region"


@register.filter
def with_series(asked: Asked, series: int) -> str:
    """Return the page's URL for the newest forecast of another series."""
    return asked.link(series=str(series), as_of="")
