"""The body of a scan: the usual form is parsed by hand, any other by the serializer, with the same result."""

from collections.abc import Callable
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from rest_framework.exceptions import ValidationError

from passes.api.answers import read_scan, scan_request
from passes.api.serializers import ScanSerializer
from passes.services.scans import ScanRequest

TEXTS = st.text(max_size=8) | st.sampled_from(["GO1:A B", "", "Checkin", "Checkout", "2026-05-13T12:00:00Z"])
BODIES = st.fixed_dictionaries(
    {
        "scan_id": st.from_regex(r"[A-Za-z0-9_-]{14,18}\n?", fullmatch=True) | st.none(),
        "credential": TEXTS | st.integers(),
        "type": st.sampled_from(["Checkin", "Checkout", "checkin", None]),
        "scanned_at": st.from_regex(r"202[67]-[01][0-9]-[0-3]0T2[0-9]:[0-9]0:[0-6]0(Z|\+01:00|)\n?", fullmatch=True),
    },
    optional={"kiosk_result": st.sampled_from(["Approved", None]), "o2": st.floats(90, 101), "other": TEXTS},
)


@given(BODIES | TEXTS | st.lists(TEXTS, max_size=1))
def test_a_scan_read_by_hand_is_the_one_that_the_serialiser_reads(body: Any) -> None:
    def told(read: Callable[[Any], ScanRequest]) -> ScanRequest | Any:
        try:
            return read(body)
        except ValidationError as error:
            return error.detail

    def by_serialiser(body: Any) -> ScanRequest:
        values = ScanSerializer().run_validation(body)
        return scan_request(values, values["scan_id"])

    assert told(read_scan) == told(by_serialiser)


def test_a_plain_scan_needs_no_serialiser(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(ScanSerializer, "run_validation", lambda *_: pytest.fail("the long way"))
    plain = {"scan_id": "a" * 16, "credential": "GO1:A B", "type": "Checkout", "scanned_at": "2026-05-13T12:00:00Z"}
    assert read_scan(plain).credential == "GO1:A B"
