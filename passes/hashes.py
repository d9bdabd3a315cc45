"""Keyed hashes of what holders present: nothing that the database keeps can be searched for without the pepper."""

from collections.abc import Iterable
from typing import Final

from common.crypto import keyed_hash
from passes.codec.identity import epoch_bytes, hash_erase_key
from passes.codec.revocation import SALT_BYTES

TAG_BYTES: Final = 16
VENUE_BYTES: Final = 8


def visitor_hash(auth_key: bytes) -> bytes:
    """What is kept of `K_auth`: `HMAC(pepper, "visitor" || K_auth)`."""
    return keyed_hash("visitor", auth_key)


def erase_hash(hash_of_erase_key: bytes) -> bytes:
    """What is kept of SHA-256(K_erase): `HMAC(pepper, "erase" || SHA-256(K_erase))`."""
    return keyed_hash("erase", hash_of_erase_key)


def erase_hash_of_key(erase_key: bytes) -> bytes:
    """The same, from the erase key itself."""
    return erase_hash(hash_erase_key(erase_key))


def drawn_hash(auth_key: bytes, epoch_start: int) -> bytes:
    """`HMAC(pepper, "drawn" || K_auth || e)`: that a key has drawn its tickets of an epoch."""
    return keyed_hash("drawn", auth_key + epoch_bytes(epoch_start))


def set_hash(values: Iterable[bytes]) -> bytes:
    """What is kept of the blinded values of one draw and epoch, in their order."""
    return keyed_hash("ticket-set", b"".join(values))


def spent_ticket_hash(nonce: bytes) -> bytes:
    """`HMAC(pepper, "spent-ticket" || nonce)[:16]`: that a ticket is spent."""
    return keyed_hash("spent-ticket", nonce)[:TAG_BYTES]


def body_hash(nonce: bytes, body: bytes) -> bytes:
    """`HMAC(pepper, "body" || nonce || body)[:16]`: what a ticket was spent on; nobody without the nonce can guess."""
    return keyed_hash("body", nonce + body)[:TAG_BYTES]


def pass_tag(anchor: bytes) -> bytes:
    """`HMAC(pepper, "tag" || anchor)[:16]`: joins a pass to its scans and visits, and to nothing else."""
    return keyed_hash("tag", anchor)[:TAG_BYTES]


def nobodys_tag(text: str) -> bytes:
    """A tag that no pass has, made from a credential that is none: its look-up costs what any look-up costs."""
    return keyed_hash("no pass", text.encode("utf-8", "surrogatepass"))[:TAG_BYTES]


def spent_hash(owner_hash: bytes) -> bytes:
    """What is kept of an owner who has reported."""
    return keyed_hash("spent", owner_hash)


def list_salt(venue: str) -> bytes:
    """Salt of a venue's revocation list. It stays, so that entries of erased passes hold while their epoch lives."""
    return keyed_hash("revocations", venue.encode())[:SALT_BYTES]


def random_entry_key(venue: str) -> bytes:
    """Key of the random entries in a venue's revocation list."""
    return keyed_hash("random-entries", venue.encode())


def erased_pass_mark(tag: bytes) -> bytes:
    """`HMAC(pepper, "erased-pass" || tag)[:16]`: what is kept of the anchor of an erased pass."""
    return keyed_hash("erased-pass", tag)[:TAG_BYTES]


def erased_owner_mark(owner_hash: bytes) -> bytes:
    """`HMAC(pepper, "erased-owner" || owner hash)[:16]`: what is kept of the owner of an erased pass."""
    return keyed_hash("erased-owner", owner_hash)[:TAG_BYTES]


def erased_venue_mask(tag: bytes) -> bytes:
    """`HMAC(pepper, "erased-venue" || tag)[:8]`: masks the venue's number; each tag has its own, used once."""
    return keyed_hash("erased-venue", tag)[:VENUE_BYTES]
