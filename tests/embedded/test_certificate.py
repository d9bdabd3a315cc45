"""The self-made certificate names the machine's addresses and is renewed in time."""

import ipaddress
import ssl
import stat
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from cryptography import x509
from django.test import Client

from embedded.certificate import LIFETIME, RENEW_BEFORE, ensure_certificate, fingerprint, network_addresses

NOW = datetime(2026, 3, 1, 12, tzinfo=UTC)


def test_it_names_loopback_and_every_given_address(tmp_path: Path) -> None:
    made = ensure_certificate(tmp_path / "tls", addresses=["192.0.2.7", "198.51.100.3"], now=NOW)
    names = x509.load_pem_x509_certificate(made.certificate.read_bytes()).extensions.get_extension_for_class(
        x509.SubjectAlternativeName
    )
    addresses = [str(address) for address in names.value.get_values_for_type(x509.IPAddress)]
    assert addresses == ["127.0.0.1", "192.0.2.7", "198.51.100.3"]
    assert names.value.get_values_for_type(x509.DNSName) == ["localhost"]


def test_a_server_can_use_it_and_the_fingerprint_is_the_one_that_browsers_show(tmp_path: Path) -> None:
    made = ensure_certificate(tmp_path / "tls", addresses=[], now=NOW)
    ssl.create_default_context(ssl.Purpose.CLIENT_AUTH).load_cert_chain(made.certificate, made.key)
    pairs = made.fingerprint.split(":")
    assert len(pairs) == 32
    assert all(len(pair) == 2 and pair == pair.upper() for pair in pairs)


def test_its_key_is_private(tmp_path: Path) -> None:
    made = ensure_certificate(tmp_path / "tls", addresses=[], now=NOW)
    assert stat.S_IMODE(made.key.stat().st_mode) == 0o600
    assert stat.S_IMODE((tmp_path / "tls").stat().st_mode) == 0o700


@pytest.mark.parametrize(
    ("later", "addresses", "is_kept"),
    [
        (timedelta(days=1), ["192.0.2.7"], True),
        (timedelta(days=1), [], True),
        (timedelta(days=1), ["192.0.2.8"], False),
        (LIFETIME - RENEW_BEFORE - timedelta(seconds=1), ["192.0.2.7"], True),
        (LIFETIME - RENEW_BEFORE, ["192.0.2.7"], False),
    ],
)
def test_it_is_kept_while_it_lasts_and_names_what_is_needed(
    tmp_path: Path, later: timedelta, addresses: list[str], is_kept: bool
) -> None:
    first = ensure_certificate(tmp_path / "tls", addresses=["192.0.2.7"], now=NOW)
    second = ensure_certificate(tmp_path / "tls", addresses=addresses, now=NOW + later)
    assert (second.fingerprint == first.fingerprint) is is_kept


def test_a_broken_one_is_replaced(tmp_path: Path) -> None:
    first = ensure_certificate(tmp_path / "tls", addresses=[], now=NOW)
    first.certificate.write_text("broken")
    assert ensure_certificate(tmp_path / "tls", addresses=[], now=NOW).fingerprint != first.fingerprint


def test_addresses_of_the_network_are_never_loopback() -> None:
    assert not [address for address in network_addresses() if address.startswith(("127.", "169.254."))]


def permitted(file: Path) -> list[object]:
    constraints = x509.load_pem_x509_certificate(file.read_bytes()).extensions.get_extension_for_class(
        x509.NameConstraints
    )
    assert constraints.critical
    return [tree.value for tree in constraints.value.permitted_subtrees or ()]


def test_an_authority_signs_it_that_may_vouch_for_this_machine_alone(tmp_path: Path) -> None:
    made = ensure_certificate(tmp_path / "tls", addresses=["192.0.2.7"], now=NOW)
    authority = x509.load_pem_x509_certificate(made.authority.read_bytes())
    leaf = x509.load_pem_x509_certificate(made.certificate.read_bytes())
    leaf.verify_directly_issued_by(authority)
    basic = authority.extensions.get_extension_for_class(x509.BasicConstraints)
    assert (basic.critical, basic.value.ca, basic.value.path_length) == (True, True, 0)
    networks = [ipaddress.ip_network(address) for address in ("127.0.0.1", "192.0.2.7")]
    assert permitted(made.authority) == ["localhost", *networks]
    assert leaf.not_valid_after_utc - leaf.not_valid_before_utc <= timedelta(days=825), "iOS takes no longer one"
    assert stat.S_IMODE((tmp_path / "tls" / "authority-key.pem").stat().st_mode) == 0o600


def test_a_renewed_one_is_signed_by_the_authority_that_phones_trust_already(tmp_path: Path) -> None:
    first = ensure_certificate(tmp_path / "tls", addresses=["192.0.2.7"], now=NOW)
    second = ensure_certificate(tmp_path / "tls", addresses=["192.0.2.7"], now=NOW + LIFETIME)
    assert second.fingerprint != first.fingerprint
    assert second.authority_fingerprint == first.authority_fingerprint


def test_an_address_never_had_needs_another_authority_which_is_good_for_the_former_ones_too(tmp_path: Path) -> None:
    home = ensure_certificate(tmp_path / "tls", addresses=["192.0.2.7"], now=NOW)
    away = ensure_certificate(tmp_path / "tls", addresses=["198.51.100.3"], now=NOW)
    back = ensure_certificate(tmp_path / "tls", addresses=["192.0.2.7"], now=NOW)
    assert home.authority_fingerprint != away.authority_fingerprint == back.authority_fingerprint


def test_one_from_before_there_was_an_authority_is_replaced(tmp_path: Path) -> None:
    first = ensure_certificate(tmp_path / "tls", addresses=[], now=NOW)
    (tmp_path / "tls" / "authority.pem").unlink()
    assert ensure_certificate(tmp_path / "tls", addresses=[], now=NOW).fingerprint != first.fingerprint


def test_a_device_gets_the_authority_where_there_is_one(tmp_path: Path, client: Client, settings: Any) -> None:
    settings.AUTHORITY_FILE = ""
    assert client.get("/authority.crt").status_code == 404
    assert b"/authority.crt" not in client.get("/kiosk").content
    made = ensure_certificate(tmp_path / "tls", addresses=[], now=NOW)
    settings.AUTHORITY_FILE = str(made.authority)
    answer = client.get("/authority.crt")
    assert answer["Content-Type"] == "application/x-x509-ca-cert"
    assert fingerprint(x509.load_der_x509_certificate(answer.content)) == made.authority_fingerprint
    assert b'href="/authority.crt" download' in client.get("/kiosk").content, "the door's staff page leads there"
