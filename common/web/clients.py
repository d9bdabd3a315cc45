"""The network that a request comes from."""

import ipaddress

from django.conf import settings
from django.http import HttpRequest


def client_network(request: HttpRequest) -> str:
    """Return the network that counts as one client: an IPv4 address, or the /64 of an IPv6 address; empty if unknown.

    `TRUSTED_PROXIES` proxies are in front of the server, and each appended the address it saw to `X-Forwarded-For`. The
    client's address is therefore that many places from the right; entries further left were written by the client.
    """
    text = request.META.get("REMOTE_ADDR", "")
    proxies = settings.TRUSTED_PROXIES
    if proxies:
        hops = [hop.strip() for hop in request.META.get("HTTP_X_FORWARDED_FOR", "").split(",")]
        text = hops[-proxies] if len(hops) >= proxies and hops[-proxies] else text
    return network_of(text)


def wide_network(request: HttpRequest) -> str:
    """Return the /24 or /48 of a request, in which one host can easily have many addresses; empty if unknown."""
    found = client_network(request)
    if not found:
        return ""
    narrow = ipaddress.ip_network(found)
    return str(narrow.supernet(new_prefix=24 if narrow.version == 4 else 48))


def network_of(text: str) -> str:
    """Return the network of an address as text, without port and brackets."""
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
