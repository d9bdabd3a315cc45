"""Whom a request comes from, as far as the network says."""

import ipaddress

from django.conf import settings
from django.http import HttpRequest


def client_network(request: HttpRequest) -> str:
    """The network that counts as one asker: an IPv4 address, or the /64 of an IPv6 address; empty when unknown.

    `TRUSTED_PROXIES` proxies stand in front and each appended the address it saw to `X-Forwarded-For`, so the one
    that counts is that many places from the right; what stands further left was written by the asker.
    """
    text = request.META.get("REMOTE_ADDR", "")
    proxies = settings.TRUSTED_PROXIES
    if proxies:
        hops = [hop.strip() for hop in request.META.get("HTTP_X_FORWARDED_FOR", "").split(",")]
        text = hops[-proxies] if len(hops) >= proxies and hops[-proxies] else text
    return network_of(text)


def wide_network(request: HttpRequest) -> str:
    """The /24 or /48 of a request: what one host can easily have many addresses of; empty when unknown."""
    found = client_network(request)
    if not found:
        return ""
    narrow = ipaddress.ip_network(found)
    return str(narrow.supernet(new_prefix=24 if narrow.version == 4 else 48))


def network_of(text: str) -> str:
    """The network of an address as text, ports and brackets removed."""
    host = text.strip()
    if host.startswith("["):
        host = host[1:].partition("]")[0]
    elif host.count(":") == 1:
        host = host.partition(":")[0]
    try:
        address = ipaddress.ip_address(host.partition("%")[0])
    except ValueError:
        return ""
    if isinstance(address, ipaddress.IPv6Address):
        if address.ipv4_mapped is not None:
            return str(address.ipv4_mapped)
        return str(ipaddress.ip_network((address, 64), strict=False))
    return str(address)
