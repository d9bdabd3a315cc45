"""A self-made certificate, so that a phone on the same network can use its camera, which browsers allow over TLS only.

Nobody vouches for it: the phone warns once, and its owner compares the fingerprint that `make run` prints.
"""

import ipaddress
import socket
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path

import psutil
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import ExtendedKeyUsageOID, NameOID

from .home import replace_private

LIFETIME = timedelta(days=365)
RENEW_BEFORE = timedelta(days=30)
NAME = "CrowdTrace on this network"


@dataclass(frozen=True)
class Certificate:
    """Files of certificate and key (PEM, mode 0600), and the SHA-256 fingerprint in the form that browsers show."""

    certificate: Path
    key: Path
    fingerprint: str


def network_addresses() -> list[str]:
    """Return the IPv4 addresses of this machine that others on its networks can reach."""
    found = [
        address.address
        for addresses in psutil.net_if_addrs().values()
        for address in addresses
        if address.family == socket.AF_INET
    ]
    parsed = [ipaddress.ip_address(text) for text in found]
    return [str(address) for address in parsed if not address.is_loopback and not address.is_link_local]


def ensure_certificate(folder: Path, *, addresses: list[str], now: datetime) -> Certificate:
    """Return the certificate kept in a folder; made anew when it is missing, soon over, or lacks an address."""
    folder.mkdir(mode=0o700, exist_ok=True)
    files = (folder / "certificate.pem", folder / "key.pem")
    names = {"127.0.0.1", *addresses}
    try:
        kept = x509.load_pem_x509_certificate(files[0].read_bytes())
        is_good = files[1].exists() and kept.not_valid_after_utc - now > RENEW_BEFORE and names <= _addresses(kept)
    except (OSError, ValueError):
        is_good = False
    if not is_good:
        _make(*files, names=names, now=now)
    made = x509.load_pem_x509_certificate(files[0].read_bytes())
    return Certificate(*files, fingerprint=made.fingerprint(hashes.SHA256()).hex(":").upper())


def _addresses(certificate: x509.Certificate) -> set[str]:
    names = certificate.extensions.get_extension_for_class(x509.SubjectAlternativeName).value
    return {str(address) for address in names.get_values_for_type(x509.IPAddress)}


def _make(certificate_file: Path, key_file: Path, *, names: set[str], now: datetime) -> None:
    key = ec.generate_private_key(ec.SECP256R1())
    subject = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, NAME)])
    others: list[x509.GeneralName] = [x509.IPAddress(ipaddress.ip_address(name)) for name in sorted(names)]
    certificate = (
        x509.CertificateBuilder()
        .subject_name(subject)
        .issuer_name(subject)
        .public_key(key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(now.astimezone(UTC) - timedelta(hours=1))  # clocks of phones differ
        .not_valid_after(now.astimezone(UTC) + LIFETIME)
        .add_extension(x509.SubjectAlternativeName([x509.DNSName("localhost"), *others]), critical=False)
        .add_extension(x509.BasicConstraints(ca=False, path_length=None), critical=True)
        .add_extension(x509.ExtendedKeyUsage([ExtendedKeyUsageOID.SERVER_AUTH]), critical=False)
        .sign(key, hashes.SHA256())
    )
    private = key.private_bytes(
        serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
    )
    replace_private(key_file, private.decode())
    replace_private(certificate_file, certificate.public_bytes(serialization.Encoding.PEM).decode())
