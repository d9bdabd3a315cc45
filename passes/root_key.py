"""The deployment's root key: it signs the bundles that kiosks trust, and kiosks pin it when they enrol."""

from functools import lru_cache

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from crowdtrace.common import crypto


@lru_cache(maxsize=1)
def root_key() -> Ed25519PrivateKey:
    """Derived from the master key, so that it is the same on every process and is stored nowhere."""
    return Ed25519PrivateKey.from_private_bytes(crypto.derived_key("root"))


def root_public_key() -> bytes:
    """Its 32 raw public bytes."""
    return root_key().public_key().public_bytes_raw()
