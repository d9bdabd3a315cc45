"""Eight characters of an epoch's two ticket keys, for people to compare by eye.

The phone, the door's screen and the public page show them for one day. Where two of them differ, the server shows
different keys to different people, and could tell their tickets apart when they are spent.

    set  = start of the epoch in 4 bytes || SHA-256(SPKI of `counted`) || SHA-256(SPKI of `other`)
    text = Crockford's base32 of the first 5 bytes of
           PBKDF2-HMAC-SHA256(set, salt "crowdtrace/v1/ticket-keys", 131,072 rounds)

The start is in it because it is signed with every ticket: a start that differs from visitor to visitor marks them as a
key does. Five bytes are all that eight characters hold, and of two sets that a server may choose freely about 2^20
tries find a pair that looks the same: seconds of work with a plain hash, since a few thousand keys pair up to that
many sets. The rounds make it 2^37 rounds for each day and each pair of views: dear, not impossible.
"""

import hashlib
from typing import Final

ROUNDS: Final = 1 << 17
_DOMAIN: Final = b"crowdtrace/v1/ticket-keys"
_BYTES: Final = 5
_ALPHABET: Final = "0123456789ABCDEFGHJKMNPQRSTVWXYZ"


def ticket_fingerprint(*, epoch_start: int, counted: bytes, other: bytes) -> str:
    """The eight characters. `counted` and `other` are SubjectPublicKeyInfos (DER); takes about 0.1 s."""
    key_set = epoch_start.to_bytes(4, "big") + hashlib.sha256(counted).digest() + hashlib.sha256(other).digest()
    digest = hashlib.pbkdf2_hmac("sha256", key_set, _DOMAIN, ROUNDS, dklen=_BYTES)
    value = int.from_bytes(digest, "big")
    return "".join(_ALPHABET[value >> shift & 31] for shift in range(35, -1, -5))
