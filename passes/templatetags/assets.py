"""`{% asset "app/file.js" %}`: the address of a static file, with a hash of its content."""

from django import template

from passes.assets import address

register = template.Library()


@register.simple_tag
def asset(name: str) -> str:
    """See `passes.assets.address`."""
    return address(name)
