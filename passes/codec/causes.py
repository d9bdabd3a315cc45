"""Why a scan was declined: one closed list for the parser and the door.

A door never learns a cause, only one bit. Causes are stored for the operator's totals only. The values are stored in
the database, so they may be added to but never renamed.
"""

from __future__ import annotations

from enum import StrEnum


class Cause(StrEnum):
    """Causes of a red light, in the order in which they are checked."""

    # The scan itself
    MALFORMED = "malformed"  # a batch item that is not a scan, or a sealed item that cannot be opened
    TOO_LATE = "too_late"  # scanned more than 7 days before it arrived
    TOO_EARLY = "too_early"  # scanned more than 2 minutes after it arrived

    # The credential's bytes
    PREFIX = "prefix"
    TEXT_LENGTH = "text_length"
    BASE45 = "base45"
    BYTE_LENGTH = "byte_length"
    CBOR = "cbor"
    UNPROTECTED = "unprotected"
    ALGORITHM = "algorithm"
    KEY_UNKNOWN = "key_unknown"
    SIGNATURE = "signature"  # forged, or signed for another venue, which look the same
    KEY_EPOCH = "key_epoch"  # a genuine key signed for an epoch that it may not sign

    # Its time
    NOT_YET_VALID = "not_yet_valid"
    EXPIRED = "expired"
    SLOT = "slot"  # a slot outside 1..1680 or more than one from the door's clock
    CHAIN = "chain"  # a code whose chain does not end at the anchor

    # What is known of the pass
    UNKNOWN = "unknown"  # signed, but its row is gone: erased
    REVOKED = "revoked"
    ROTATING_REQUIRED = "rotating_required"
    REPLAY = "replay"
    STILL_INSIDE = "still_inside"  # a static pass that has not left

    # The door
    PRIVATE_DOOR = "private_door"
    CLOSED = "closed"
    READING_MISSING = "reading_missing"
    TEMPERATURE = "temperature"
    O2 = "o2"
    FULL = "full"
