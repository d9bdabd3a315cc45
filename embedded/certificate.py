"""TLS for a private network, so that a phone can use its camera, which browsers allow only over TLS.

A home creates a small certificate authority and signs the server's certificate with it, because phones accept an
authority into their store but not a single certificate. A phone that does not trust it warns once, and its owner
compares the fingerprint that `make run` prints. A phone that trusts it accepts certificates of the authority's key only
for the addresses that this machine has had (name constraints, RFC 5280 section 4.2.1.10): the key is useless for other
sites.
"""

import ipaddress
import socket
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Final

import psutil
from cryptography import x509
from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import ExtendedKeyUsageOID, NameOID

from .home import replace_private

LIFETIME: Final = timedelta(days=365)
"""Lifetime of the server's certificate; iOS accepts at most 825 days, also with a private authority."""
RENEW_BEFORE: Final = timedelta(days=30)
AUTHORITY_LIFETIME: Final = timedelta(days=5 * 365)
CLOCKS_DIFFER: Final = timedelta(hours=1)
NAME: Final = "CrowdTrace on this network"
LOOPBACK: Final = "127.0.0.1"
LOOPBACK_NAME: Final = "localhost"


@dataclass(frozen=True)
class Certificate:
    """Files of the server's certificate and key, and of the authority that signed it (PEM, mode 0600).

    Fingerprints are SHA-256 in the format that browsers and phones show.
    """

    certificate: Path
    key: Path
    fingerprint: str
    authority: Path
    authority_fingerprint: str


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
    """Return the certificate in a folder. Create it if it is missing, expires soon, or lacks an address.

    The authority outlives the certificates it signs, so a phone that trusts it accepts a renewed one. An address that
    this machine never had requires a new authority, which covers the former addresses too.
    """
    folder.mkdir(mode=0o700, exist_ok=True)
    names = {LOOPBACK, *addresses}
    authority_files = (folder / "authority.pem", folder / "authority-key.pem")
    files = (folder / "certificate.pem", folder / "key.pem")
    authority, signer = _authority(*authority_files, names=names, now=now)
    made = _kept(*files)
    if made is None or not _is_good(made[0], authority, names=names, now=now):
        made = _make(*files, authority=authority, signer=signer, names=names, now=now)
    return Certificate(*files, fingerprint(made[0]), authority_files[0], fingerprint(authority))


def fingerprint(certificate: x509.Certificate) -> str:
    """Return the SHA-256 of a certificate in the format that browsers and phones show."""
    return certificate.fingerprint(hashes.SHA256()).hex(":").upper()


def _authority(
    certificate_file: Path, key_file: Path, *, names: set[str], now: datetime
) -> tuple[x509.Certificate, ec.EllipticCurvePrivateKey]:
    kept = _kept(certificate_file, key_file)
    permitted = _permitted(kept[0]) if kept else set()
    if kept and names <= permitted and kept[0].not_valid_after_utc - now > LIFETIME + RENEW_BEFORE:
        return kept
    key = ec.generate_private_key(ec.SECP256R1())
    # The date distinguishes several authorities in a phone's list.
    subject = _name(f"{NAME}, {now.astimezone(UTC):%Y-%m-%d}")
    subtrees = [x509.IPAddress(ipaddress.ip_network(name)) for name in sorted(names | permitted)]
    usage = _usage(key_cert_sign=True, crl_sign=True)
    certificate = (
        _begun(subject, subject, key, lifetime=AUTHORITY_LIFETIME, now=now)
        .add_extension(x509.BasicConstraints(ca=True, path_length=0), critical=True)
        .add_extension(usage, critical=True)
        .add_extension(x509.NameConstraints([x509.DNSName(LOOPBACK_NAME), *subtrees], None), critical=True)
        .sign(key, hashes.SHA256())
    )
    return _write(certificate_file, key_file, certificate, key)


def _make(
    certificate_file: Path,
    key_file: Path,
    *,
    authority: x509.Certificate,
    signer: ec.EllipticCurvePrivateKey,
    names: set[str],
    now: datetime,
) -> tuple[x509.Certificate, ec.EllipticCurvePrivateKey]:
    key = ec.generate_private_key(ec.SECP256R1())
    shown = [x509.IPAddress(ipaddress.ip_address(name)) for name in sorted(names)]
    issuer_key = x509.AuthorityKeyIdentifier.from_issuer_public_key(signer.public_key())
    certificate = (
        _begun(_name(NAME), authority.subject, key, lifetime=LIFETIME, now=now)
        .add_extension(x509.SubjectAlternativeName([x509.DNSName(LOOPBACK_NAME), *shown]), critical=False)
        .add_extension(x509.BasicConstraints(ca=False, path_length=None), critical=True)
        .add_extension(_usage(digital_signature=True), critical=True)
        .add_extension(x509.ExtendedKeyUsage([ExtendedKeyUsageOID.SERVER_AUTH]), critical=False)
        .add_extension(issuer_key, critical=False)
        .sign(signer, hashes.SHA256())
    )
    return _write(certificate_file, key_file, certificate, key)


def _kept(certificate_file: Path, key_file: Path) -> tuple[x509.Certificate, ec.EllipticCurvePrivateKey] | None:
    """Return a certificate and its key; `None` if either is missing or broken, or they do not belong together."""
    try:
        certificate = x509.load_pem_x509_certificate(certificate_file.read_bytes())
        key = serialization.load_pem_private_key(key_file.read_bytes(), password=None)
    except (OSError, ValueError):
        return None
    fits = isinstance(key, ec.EllipticCurvePrivateKey) and key.public_key() == certificate.public_key()
    return (certificate, key) if fits else None  # type: ignore[return-value]


def _is_good(certificate: x509.Certificate, authority: x509.Certificate, *, names: set[str], now: datetime) -> bool:
    try:
        certificate.verify_directly_issued_by(authority)
        known = certificate.extensions.get_extension_for_class(x509.SubjectAlternativeName).value
    except (ValueError, InvalidSignature, x509.ExtensionNotFound):
        return False
    is_named = names <= {str(address) for address in known.get_values_for_type(x509.IPAddress)}
    return is_named and certificate.not_valid_after_utc - now > RENEW_BEFORE


def _permitted(authority: x509.Certificate) -> set[str]:
    """Return the addresses for which an authority may issue certificates."""
    try:
        constraints = authority.extensions.get_extension_for_class(x509.NameConstraints).value
    except x509.ExtensionNotFound:
        return set()
    trees = (tree.value for tree in constraints.permitted_subtrees or () if isinstance(tree, x509.IPAddress))
    return {str(tree.network_address) for tree in trees if isinstance(tree, ipaddress.IPv4Network)}


def _name(text: str) -> x509.Name:
    return x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, text)])


def _usage(*, digital_signature: bool = False, key_cert_sign: bool = False, crl_sign: bool = False) -> x509.KeyUsage:
    return x509.KeyUsage(
        digital_signature=digital_signature,
        key_cert_sign=key_cert_sign,
        crl_sign=crl_sign,
        content_commitment=False,
        key_encipherment=False,
        data_encipherment=False,
        key_agreement=False,
        encipher_only=False,
        decipher_only=False,
    )


def _begun(
    subject: x509.Name, issuer: x509.Name, key: ec.EllipticCurvePrivateKey, *, lifetime: timedelta, now: datetime
) -> x509.CertificateBuilder:
    start = now.astimezone(UTC)
    builder = x509.CertificateBuilder().subject_name(subject).issuer_name(issuer).public_key(key.public_key())
    builder = builder.serial_number(x509.random_serial_number())
    builder = builder.not_valid_before(start - CLOCKS_DIFFER).not_valid_after(start + lifetime)
    return builder.add_extension(x509.SubjectKeyIdentifier.from_public_key(key.public_key()), critical=False)


def _write(
    certificate_file: Path, key_file: Path, certificate: x509.Certificate, key: ec.EllipticCurvePrivateKey
) -> tuple[x509.Certificate, ec.EllipticCurvePrivateKey]:
    private = key.private_bytes(
        serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
    )
    replace_private(key_file, private.decode())
    replace_private(certificate_file, certificate.public_bytes(serialization.Encoding.PEM).decode())
    return certificate, key
