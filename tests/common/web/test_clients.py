"""The network that a request comes from."""

import pytest
from django.test import RequestFactory
from pytest_django.fixtures import Settings

from common.web.clients import client_network, network_of, wide_network


@pytest.mark.parametrize(
    ("proxies", "forwarded", "network"),
    [
        (0, "", "192.0.2.7"),
        (0, "198.51.100.1", "192.0.2.7"),
        (1, "198.51.100.1", "198.51.100.1"),
        (1, "203.0.113.9, 198.51.100.1", "198.51.100.1"),
        (2, "6.6.6.6, 203.0.113.9, 198.51.100.1", "203.0.113.9"),
        (2, "198.51.100.1", "192.0.2.7"),
        (1, "", "192.0.2.7"),
        (1, "unknown", ""),
    ],
)
def test_only_what_trusted_proxies_wrote_is_believed(
    settings: Settings, proxies: int, forwarded: str, network: str
) -> None:
    settings.TRUSTED_PROXIES = proxies
    headers = {"X-Forwarded-For": forwarded} if forwarded else {}
    assert client_network(RequestFactory().get("/", REMOTE_ADDR="192.0.2.7", headers=headers)) == network


@pytest.mark.parametrize(
    ("text", "network"),
    [
        ("192.0.2.7:51234", "192.0.2.7"),
        ("[2001:db8:1:2:3:4:5:6]:443", "2001:db8:1:2::/64"),
        ("2001:db8:1:2::9", "2001:db8:1:2::/64"),
        ("::ffff:192.0.2.7", "192.0.2.7"),
        ("fe80::1%eth0", "fe80::/64"),
        ("", ""),
        ("'; DROP", ""),
    ],
)
def test_a_household_is_one_network(text: str, network: str) -> None:
    assert network_of(text) == network


@pytest.mark.parametrize(
    ("address", "network"),
    [("192.0.2.7", "192.0.2.0/24"), ("2001:db8:1:2::7", "2001:db8:1::/48"), ("nothing", "")],
)
def test_a_host_has_many_addresses_of_one_wide_network(address: str, network: str) -> None:
    assert wide_network(RequestFactory().get("/", REMOTE_ADDR=address)) == network
