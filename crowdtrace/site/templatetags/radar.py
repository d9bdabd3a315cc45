"""Filters of the radar page."""

from django import template

from crowdtrace.site.radar.words import Asked
from exports.radar import shown

register = template.Library()


@register.filter
def radar_number(value: float) -> str:
    """A value as the radar writes it."""
    return shown.number(value)


@register.filter
def with_region(asked: Asked, region: str) -> str:
    """The page's address for another region."""
    return asked.link(region=region) + "#region"


@register.filter
def with_series(asked: Asked, series: int) -> str:
    """The page's address for another series, as it is now."""
    return asked.link(series=str(series), as_of="")
