"""The tag of pages whose times may be shown in the zone of the reader."""

from typing import Any

from django import template
from django.utils.html import format_html
from django.utils.safestring import SafeString

from venues.pages.zones import COOKIE, Zones

register = template.Library()


@register.simple_tag(takes_context=True)
def times_in_own_zone(context: dict[str, Any]) -> SafeString | str:
    """Ask the page's script for the zone of the browser, if the page shows times of the demonstration's town."""
    if not Zones.of_request(context["request"]).applies:
        return ""
    return format_html('<meta name="times-in-own-zone" content="{}">', COOKIE)
