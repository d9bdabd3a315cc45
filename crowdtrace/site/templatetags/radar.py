"""Filters of the radar page."""

from django import template

from crowdtrace.site.radar.words import Asked
from exports.radar import shown

register = template.Library()


@register.filter
def radar_number(value: float) -> str:
    """Format a value as the radar does."""
    return shown.number(value)


@register.filter
def with_region(asked: Asked, region: str) -> str:
    """Return the page's URL for another region."""
    return asked.link(region=region) + "#region"


@register.filter
def with_series(asked: Asked, series: int) -> str:
    """Return the page's URL for the newest forecast of another series."""
    return asked.link(series=str(series), as_of="")
