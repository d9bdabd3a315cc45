"""Eight characters of an epoch's two ticket keys, for people to compare visually.

The phone, the door's screen and the public page show them for one day. If two of them differ, the server shows
different keys to different people, and could tell their tickets apart when they are spent.

    set  = start of the epoch in 4 bytes || SHA-256(SPKI of `counted`) || SHA-256(SPKI of `other`)
    text = Crockford's base32 of the first 5 bytes of
           PBKDF2-HMAC-SHA256(set, salt "crowdtrace/v1/ticket-keys", 131,072 rounds)

The start is included because it is signed with every ticket: a start that differs from visitor to visitor marks them as
a key does. Eight characters hold only five bytes, and if the server may choose two sets freely, about 2^20 attempts
find a pair that looks the same: seconds of work with a plain hash, since a few thousand keys combine to that many sets.
The rounds raise this to 2^37 rounds for each day and each pair of views: expensive, but not impossible.
"""

import hashlib
from typing import Final

ROUNDS: Final = 1 << 17
_DOMAIN: Final = b"crowdtrace/v1/ticket-keys"
_BYTES: Final = 5
_ALPHABET: Final = "0123456789ABCDEFGHJKMNPQRSTVWXYZ"


def ticket_fingerprint(*, epoch_start: int, counted: bytes, other: bytes) -> str:
    """Return the eight characters. `counted` and `other` are SubjectPublicKeyInfos (DER). Takes about 0.1 s."""
    key_set = epoch_start.to_bytes(4, "big") + hashlib.sha256(counted).digest() + hashlib.sha256(other).digest()
    digest = hashlib.pbkdf2_hmac("sha256", key_set, _DOMAIN, ROUNDS, dklen=_BYTES)
    value = int.from_bytes(digest, "big")
    return "".join(_ALPHABET[value >> shift & 31] for shift in range(35, -1, -5))
