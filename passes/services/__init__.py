"""Everything that changes something in this room. Keyword-only; `now` is told."""

from passes.services.checkins import COUNTED_PASSES, UNMARKED_ONE_IN, CheckinAnswer, CheckinRequest, check_in
from passes.services.erasure import ErasedCounts, erase_owners
from passes.services.holders import (
    OLDEST_TEST,
    drop_reports,
    hide_name,
    rate_visit,
    report_test,
    revoke_passes,
    show_name,
)
from passes.services.kiosks import make_bundle
from passes.services.rendering import render_credential
from passes.services.scans import ScanRequest, record_malformed, record_scan, record_scans
from passes.services.scoring import score_scans
from passes.services.visitors import delete_visitor, drop_closed_draws, register_visitor

__all__ = [
    "COUNTED_PASSES",
    "OLDEST_TEST",
    "UNMARKED_ONE_IN",
    "CheckinAnswer",
    "CheckinRequest",
    "ErasedCounts",
    "ScanRequest",
    "check_in",
    "delete_visitor",
    "drop_closed_draws",
    "drop_reports",
    "erase_owners",
    "hide_name",
    "make_bundle",
    "rate_visit",
    "record_malformed",
    "record_scan",
    "record_scans",
    "register_visitor",
    "render_credential",
    "report_test",
    "revoke_passes",
    "score_scans",
    "show_name",
]
