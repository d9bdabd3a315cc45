"""Send requests to registered URLs without reaching our own network (no server-side request forgery).

The host is resolved once, all its addresses must be public, and the connection goes to a resolved address, so DNS
rebinding has no effect. Redirects and the environment's proxies are ignored, and little of the response is read.
"""

import http.client
import ipaddress
import socket
import ssl
from collections.abc import Mapping
from typing import Final
from urllib.parse import SplitResult, urlsplit

SECONDS: Final = 10.0
MOST_CHARACTERS: Final = 500
ANSWER_BYTES: Final = 1024
# Global unicast of IPv6 (RFC 4291), so neither site-local nor IPv4-compatible addresses.
_GIVEN_OUT: Final = ipaddress.IPv6Network("2000::/3")
# Non-public networks within public ranges: 6to4 (RFC 3056) and Teredo (RFC 4380), which carry an IPv4 address,
# documentation (RFC 9637), protocol assignments (RFC 6890), 6to4's relays (RFC 7526), a cloud's own host (Azure).
_NOT_PUBLIC: Final = tuple(
    map(
        ipaddress.ip_network, ("2002::/16", "2001::/32", "3fff::/20", "192.0.0.0/24", "192.88.99.0/24", "168.63.129.16")
    )
)

Address = ipaddress.IPv4Address | ipaddress.IPv6Address


class AddressRefused(ValueError):
    """A URL that must not be requested; the text says why."""


def checked(url: str) -> SplitResult:
    """Return the parts of a URL; raise `AddressRefused` if it is not acceptable."""
    if len(url) > MOST_CHARACTERS or not url.isascii() or not url.isprintable() or " " in url:
        raise AddressRefused("not an address of up to 500 ASCII characters")
    try:
        parts = urlsplit(url)
        port = parts.port
    except ValueError as error:
        raise AddressRefused("not an address") from error
    if parts.scheme != "https" or not parts.hostname:
        raise AddressRefused("only https:// with a host")
    if parts.username is not None or parts.password is not None:
        raise AddressRefused("no user name or password in the address")
    if port == 0:
        raise AddressRefused("no such port")
    return parts


def is_public(address: Address) -> bool:
    """Return whether an address is on the public internet."""
    if isinstance(address, ipaddress.IPv6Address):
        if address.ipv4_mapped is not None:
            return is_public(address.ipv4_mapped)
        if address not in _GIVEN_OUT:
            return False
    special = any(address in network for network in _NOT_PUBLIC)
    return address.is_global and not address.is_multicast and not special


def resolve(host: str, port: int) -> list[str]:
    """Return the addresses of a host; raise `AddressRefused` unless all are public."""
    try:
        found = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)
    except (OSError, UnicodeError) as error:
        raise AddressRefused("the host has no address") from error
    texts = list(dict.fromkeys(str(each[4][0]) for each in found))
    if not all(is_public(ipaddress.ip_address(text.partition("%")[0])) for text in texts):
        raise AddressRefused("the host is not on the public internet")
    return texts


class _Pinned(http.client.HTTPSConnection):
    """A connection to one address, verified against the host's name."""

    def __init__(self, host: str, port: int, address: str, context: ssl.SSLContext) -> None:
        super().__init__(host, port, timeout=SECONDS, context=context)
        self._address, self._tls = address, context

    def connect(self) -> None:
        """Connect to the address, without resolving the name again."""
        raw = socket.create_connection((self._address, self.port), self.timeout)
        try:
            self.sock = self._tls.wrap_socket(raw, server_hostname=self.host)
        except BaseException:
            raw.close()
            raise


def post(url: str, body: bytes, headers: Mapping[str, str]) -> int:
    """Send a body; return the status of the response. Raise `AddressRefused`, or `OSError` without a response."""
    parts = checked(url)
    host, port = str(parts.hostname), parts.port or 443
    connection = _Pinned(host, port, resolve(host, port)[0], ssl.create_default_context())
    try:
        connection.request(
            "POST", (parts.path or "/") + (f"?{parts.query}" if parts.query else ""), body, dict(headers)
        )
        answer = connection.getresponse()
        answer.read(ANSWER_BYTES)
        return answer.status
    except http.client.HTTPException as error:
        raise OSError("not an HTTP response") from error
    finally:
        connection.close()
