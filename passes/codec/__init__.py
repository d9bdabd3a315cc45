"""Bytes on the wire: passes, bundles, revocation entries and sealed scans. Pure values in, values out."""

from passes.codec.causes import Cause
from passes.codec.cose import key_id
from passes.codec.gopass import (
    PASS_BYTES,
    PREFIX,
    SLOT_TOLERANCE,
    GoPass,
    UncheckedPass,
    check_signature,
    check_time,
    parse_pass,
    read_pass,
    rotating_text,
    sign_pass,
    static_text,
)
from passes.codec.keys import IssuerKey, Keyring

__all__ = [
    "PASS_BYTES",
    "PREFIX",
    "SLOT_TOLERANCE",
    "Cause",
    "GoPass",
    "IssuerKey",
    "Keyring",
    "UncheckedPass",
    "check_signature",
    "check_time",
    "key_id",
    "parse_pass",
    "read_pass",
    "rotating_text",
    "sign_pass",
    "static_text",
]
