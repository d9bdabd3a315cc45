"""Bytes on the wire: passes, bundles, revocation entries and sealed scans. Pure values in, values out."""

from passes.codec.bundle import Bundle, BundleError, open_bundle, sign_bundle
from passes.codec.causes import Cause
from passes.codec.cose import key_id
from passes.codec.gopass import (
    PASS_BYTES,
    PREFIX,
    SLOT_TOLERANCE,
    GoPass,
    UncheckedPass,
    check_pass,
    check_signature,
    check_time,
    parse_pass,
    read_pass,
    rotating_text,
    sign_pass,
    static_text,
)
from passes.codec.hours import Span, WeeklyHours
from passes.codec.keys import IssuerKey, Keyring
from passes.codec.occupancy import Occupancy
from passes.codec.requirements import DoorRequirements
from passes.codec.revocation import RevocationList, revocation_entry
from passes.codec.sealing import open_scan, seal_scan

__all__ = [
    "PASS_BYTES",
    "PREFIX",
    "SLOT_TOLERANCE",
    "Bundle",
    "BundleError",
    "Cause",
    "DoorRequirements",
    "GoPass",
    "IssuerKey",
    "Keyring",
    "Occupancy",
    "RevocationList",
    "Span",
    "UncheckedPass",
    "WeeklyHours",
    "check_pass",
    "check_signature",
    "check_time",
    "key_id",
    "open_bundle",
    "open_scan",
    "parse_pass",
    "read_pass",
    "revocation_entry",
    "rotating_text",
    "seal_scan",
    "sign_bundle",
    "sign_pass",
    "static_text",
]
