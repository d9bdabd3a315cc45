"""Issuer keys as values: what a verifier must know to check passes."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey

from passes.codec.cose import key_id


@dataclass(frozen=True, slots=True)
class IssuerKey:
    """A raw Ed25519 public key (32 bytes) and the starts (Unix seconds) of the epochs that it may sign."""

    public: bytes
    epochs: frozenset[int]
    verifier: Ed25519PublicKey = field(init=False, repr=False, compare=False)

    def __post_init__(self) -> None:
        """Load the key once instead of for every scan. Raise `ValueError` if it does not have 32 bytes."""
        object.__setattr__(self, "verifier", Ed25519PublicKey.from_public_bytes(self.public))

    @property
    def kid(self) -> bytes:
        """Return the four bytes that identify the key in a header. Not unique."""
        return key_id(self.public)


@dataclass(frozen=True, slots=True)
class Keyring:
    """All keys that a verifier trusts, by kid. If several share a kid, all are tried."""

    by_kid: Mapping[bytes, tuple[IssuerKey, ...]]

    @classmethod
    def of(cls, keys: Iterable[IssuerKey]) -> Keyring:
        """Group keys by their kid."""
        groups: dict[bytes, list[IssuerKey]] = defaultdict(list)
        for key in keys:
            groups[key.kid].append(key)
        return cls({kid: tuple(group) for kid, group in groups.items()})

    def with_kid(self, kid: bytes) -> tuple[IssuerKey, ...]:
        """Return the keys that a header may refer to."""
        return self.by_kid.get(kid, ())
