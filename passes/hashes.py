"""Keyed hashes of what holders present, so that stored values cannot be searched for without the pepper."""

from collections.abc import Iterable
from typing import Final

from common.crypto import keyed_hash
from passes.codec.identity import epoch_bytes, hash_erase_key
from passes.codec.revocation import SALT_BYTES

TAG_BYTES: Final = 16
VENUE_BYTES: Final = 8


def visitor_hash(auth_key: bytes) -> bytes:
    """Return the stored form of `K_auth`: `HMAC(pepper, "visitor" || K_auth)`."""
    return keyed_hash("visitor", auth_key)


def erase_hash(hash_of_erase_key: bytes) -> bytes:
    """Return the stored form of SHA-256(K_erase): `HMAC(pepper, "erase" || SHA-256(K_erase))`."""
    return keyed_hash("erase", hash_of_erase_key)


def erase_hash_of_key(erase_key: bytes) -> bytes:
    """Return the same from the erase key itself."""
    return erase_hash(hash_erase_key(erase_key))


def drawn_hash(auth_key: bytes, epoch_start: int) -> bytes:
    """Return `HMAC(pepper, "drawn" || K_auth || e)`, which records that a key has drawn its tickets of an epoch."""
    return keyed_hash("drawn", auth_key + epoch_bytes(epoch_start))


def set_hash(values: Iterable[bytes]) -> bytes:
    """Return the stored form of the blinded values of one draw and epoch, in their order."""
    return keyed_hash("ticket-set", b"".join(values))


def spent_ticket_hash(nonce: bytes) -> bytes:
    """Return `HMAC(pepper, "spent-ticket" || nonce)[:16]`, which records that a ticket is spent."""
    return keyed_hash("spent-ticket", nonce)[:TAG_BYTES]


def body_hash(nonce: bytes, body: bytes) -> bytes:
    """Return `HMAC(pepper, "body" || nonce || body)[:16]`: the use of a ticket, not guessable without the nonce."""
    return keyed_hash("body", nonce + body)[:TAG_BYTES]


def pass_tag(anchor: bytes) -> bytes:
    """Return `HMAC(pepper, "tag" || anchor)[:16]`, which joins a pass to its scans and visits, and to nothing else."""
    return keyed_hash("tag", anchor)[:TAG_BYTES]


def nobodys_tag(text: str) -> bytes:
    """Return a tag that no pass has, from an invalid credential, so that its look-up takes as long as any other."""
    return keyed_hash("no pass", text.encode("utf-8", "surrogatepass"))[:TAG_BYTES]


def spent_hash(owner_hash: bytes) -> bytes:
    """Return the stored form of an owner who has reported."""
    return keyed_hash("spent", owner_hash)


def list_salt(venue: str) -> bytes:
    """Return the salt of a venue's revocation list. It is constant, so that entries of erased passes stay valid."""
    return keyed_hash("revocations", venue.encode())[:SALT_BYTES]


def random_entry_key(venue: str) -> bytes:
    """Return the key of the random entries in a venue's revocation list."""
    return keyed_hash("random-entries", venue.encode())


def erased_pass_mark(tag: bytes) -> bytes:
    """Return `HMAC(pepper, "erased-pass" || tag)[:16]`, the stored form of the anchor of an erased pass."""
    return keyed_hash("erased-pass", tag)[:TAG_BYTES]


def erased_owner_mark(owner_hash: bytes) -> bytes:
    """Return `HMAC(pepper, "erased-owner" || owner hash)[:16]`, the stored form of the owner of an erased pass."""
    return keyed_hash("erased-owner", owner_hash)[:TAG_BYTES]


def erased_venue_mask(tag: bytes) -> bytes:
    """Return `HMAC(pepper, "erased-venue" || tag)[:8]`, which masks the venue's number; each mask is used once."""
    return keyed_hash("erased-venue", tag)[:VENUE_BYTES]
