"""The certificate that signs wallet files.

The operator provides it in files (`PKPASS_CERTIFICATE_FILE`, the signing certificate first, followed by those between
it and the wallet's maker, and `PKPASS_KEY_FILE`). The embedded mode uses a self-signed one, so that the file can be
inspected; wallets on phones accept only certificates of their maker.
"""

import datetime as dt
import hashlib
from functools import lru_cache
from pathlib import Path
from typing import Final

from cryptography import x509
from cryptography.hazmat.primitives.asymmetric import ec, rsa
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.serialization import load_pem_private_key
from cryptography.x509.oid import NameOID
from django.conf import settings

from common.crypto import derived_key
from common.web.problems import NotOffered
from passes.render import WalletSigner

_P256_ORDER: Final = 0xFFFFFFFF00000000FFFFFFFFFFFFFFFFBCE6FAADA7179E84F3B9CAC2FC632551  # FIPS 186-5, P-256
_SELF_MADE_FROM: Final = dt.datetime(2025, 1, 1, tzinfo=dt.UTC)
_SELF_MADE_UNTIL: Final = dt.datetime(2125, 1, 1, tzinfo=dt.UTC)


def wallet_configured() -> bool:
    """Return whether the operator provided a certificate, so that wallets on phones accept the files."""
    return bool(settings.PKPASS_CERTIFICATE_FILE and settings.PKPASS_KEY_FILE)


def wallet_signer() -> WalletSigner:
    """Return the deployment's signer. Raise `NotOffered` if the operator provided none."""
    if wallet_configured():
        return _read(settings.PKPASS_CERTIFICATE_FILE, settings.PKPASS_KEY_FILE)
    if settings.EMBEDDED:
        return _self_made(derived_key("wallet"))
    raise NotOffered


@lru_cache(maxsize=2)
def _read(certificate_file: str, key_file: str) -> WalletSigner:
    certificate, *between = x509.load_pem_x509_certificates(Path(certificate_file).read_bytes())
    key = load_pem_private_key(Path(key_file).read_bytes(), password=None)
    if not isinstance(key, rsa.RSAPrivateKey | ec.EllipticCurvePrivateKey):
        raise TypeError("a wallet file must be signed with an RSA or an elliptic curve key")
    return WalletSigner(certificate=certificate, key=key, intermediates=tuple(between))


@lru_cache(maxsize=2)
def _self_made(seed: bytes) -> WalletSigner:
    wide = int.from_bytes(hashlib.sha512(seed).digest())
    key = ec.derive_private_key(1 + wide % (_P256_ORDER - 1), ec.SECP256R1())
    name = x509.Name(
        [
            x509.NameAttribute(NameOID.USER_ID, "pass.crowdtrace.embedded"),
            x509.NameAttribute(NameOID.ORGANIZATIONAL_UNIT_NAME, "CROWDTRACE"),
            x509.NameAttribute(NameOID.COMMON_NAME, "CrowdTrace, self-made"),
        ]
    )
    certificate = (
        x509.CertificateBuilder()
        .subject_name(name)
        .issuer_name(name)
        .public_key(key.public_key())
        .serial_number(1)
        .not_valid_before(_SELF_MADE_FROM)
        .not_valid_after(_SELF_MADE_UNTIL)
        .sign(key, SHA256())
    )
    return WalletSigner(certificate=certificate, key=key)
