"""P12: no input crashes a parser."""

import json
import re
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from tests.factories import NOW, EnrolledDevice, make_device
from tests.passes.people import Phone, result, scan, send_bytes

pytestmark = pytest.mark.django_db
MALFORMED = json.loads((Path(__file__).parents[1] / "data" / "malformed_passes.json").read_text())
FEW = settings(max_examples=40, suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow])
ADDRESSES = (
    ("POST", "visitors"),
    ("DELETE", "visitors/me"),
    ("POST", "passes"),
    ("POST", "passes/render"),
    ("POST", "passes/revoke"),
    ("POST", "ratings"),
    ("POST", "names"),
    ("DELETE", "names"),
    ("POST", "diagnoses"),
    ("POST", "scans"),
    ("POST", "scans/batch"),
)
texts = st.text(st.characters(exclude_categories=["Cs"], exclude_characters="\0"), max_size=300)
values: Any = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=40),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(max_size=12), inner, max_size=4),
    max_leaves=8,
)
NAMES = ["scans", "scan_id", "owners", "owner", "venue", "epoch", "anchor", "answers", "credential", "type", "name"]
bodies = st.dictionaries(st.sampled_from(NAMES) | st.text(max_size=8), values, max_size=6)


class TestASenderOfNonsense:
    @pytest.fixture
    def door(self) -> EnrolledDevice:
        return make_device()

    @FEW
    @given(credential=texts | texts.map(lambda text: "GO1:" + text))
    def test_any_text_is_a_credential_and_declined(self, door: EnrolledDevice, credential: str) -> None:
        assert result(scan(door, credential, now=NOW)) == "Declined"

    def test_the_corpus_of_malformed_passes_is_declined(self, door: EnrolledDevice) -> None:
        assert len(MALFORMED) > 50
        for case in MALFORMED:
            answer = scan(door, case["credential"], now=NOW)
            if re.search("[\0\ud800-\udfff]", case["credential"]):  # no text that JSON carries here
                assert answer.status_code == 400
            else:
                assert result(answer) == "Declined"

    @FEW
    @given(data=st.binary(max_size=200) | bodies.map(lambda body: json.dumps(body).encode()))
    def test_any_bytes_anywhere_are_refused_in_words(self, door: EnrolledDevice, data: bytes) -> None:
        for method, path in ADDRESSES:
            headers = door.header if path.startswith("scans") else Phone(1).header
            answer = send_bytes(f"/api/v1/{path}", data, now=NOW, headers=headers, method=method)
            assert answer.status_code < 500, (path, data)
            if answer.status_code >= 400:
                assert answer.headers["Content-Type"] == "application/problem+json"
                assert {"type", "title", "status", "detail", "errors"} == set(answer.json())

    @pytest.mark.parametrize(
        "body",
        [
            b"[" * 5000,
            b'{"a":' * 40 + b"1" + b"}" * 40,
            b'{"owners": NaN}',
            b'{"owners": ["\\ud800"]}',
            b'{"owners": ["\\u0000"]}',
            b'{"owners": [], "owners": []}',
            b'\xff\xfe{"owners": []}',
            b"9" * 5000,
            b'{"owners": [' + b"1," * 20000 + b"1]}",
        ],
    )
    def test_hostile_json_is_refused(self, body: bytes) -> None:
        answer = send_bytes("/api/v1/passes/revoke", body, now=NOW)
        assert answer.status_code == 400, answer.content

    def test_bodies_have_limits(self, door: EnrolledDevice) -> None:
        assert send_bytes("/api/v1/passes/revoke", b" " * 65_537, now=NOW).status_code == 413
        large = b'{"scans": []}'.ljust(2 * 1024 * 1024)
        assert send_bytes("/api/v1/scans/batch", large, now=NOW, headers=door.header).status_code == 200
        assert send_bytes("/api/v1/scans/batch", large + b" ", now=NOW, headers=door.header).status_code == 413
