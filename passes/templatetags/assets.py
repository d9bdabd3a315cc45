"""`{% asset "app/file.js" %}`: the URL of a static file, with a hash of its content."""

from django import template

from passes.assets import address

register = template.Library()


@register.simple_tag
def asset(name: str) -> str:
    """Return `passes.assets.address` of a static file."""
    return address(name)
