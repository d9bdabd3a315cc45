"""Strict JSON."""

import json
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from common.web.parsers import MAX_INTEGER, parse_json
from common.web.problems import BadRequest, FieldError


def refusal(data: bytes) -> FieldError:
    """Return the only error of a refused text."""
    with pytest.raises(BadRequest) as caught:
        parse_json(data)
    (error,) = caught.value.errors
    return error


@pytest.mark.parametrize(
    ("data", "pointer", "code"),
    [
        (b'{"a":{"b":[1,NaN]}}', "/a/b/1", "not_a_number"),
        (b'{"a":Infinity}', "/a", "not_a_number"),
        (b"-Infinity", "", "not_a_number"),
        (b'{"a":1,"b":{"c~/d":1,"c~/d":2}}', "/b/c~0~1d", "duplicate_key"),
        (b'{"a":1,"a":1,"a":1}', "/a", "duplicate_key"),
        (b'{"a":["x","\\ud800"]}', "/a/1", "lone_surrogate"),
        (b'{"\\udc00":1}', "", "lone_surrogate"),
        (b'{"a":"x\\u0000y"}', "/a", "nul"),
        (b'{"a\\u0000":1}', "", "nul"),
        (b'{"a":9007199254740992}', "/a", "too_large_number"),
        (b'{"a":-9007199254740992}', "/a", "too_large_number"),
        (b'{"a":' + b"9" * 5000 + b"}", "/a", "too_large_number"),
        (b'{"a":1e400}', "/a", "too_large_number"),
        (b'{"a":-1e400}', "/a", "too_large_number"),
        (b"[" * 33 + b"]" * 33, "/0" * 32, "too_deep"),
        (b'{"a":' * 33 + b"1" + b"}" * 33, "/a" * 32, "too_deep"),
        (b"[" * 60_000, "", "too_deep"),
        (b'{"a":' * 60_000, "", "too_deep"),
        (b'{"a":"\xff"}', "", "not_utf8"),
        (b'{"a":"\xed\xa0\x80"}', "", "not_utf8"),
        (b"\xef\xbb\xbf{}", "", "not_json"),
        (b"", "", "not_json"),
        (b"{", "", "not_json"),
        (b"{'a':1}", "", "not_json"),
        (b'{"a":1,}', "", "not_json"),
        (b'{"a":01}', "", "not_json"),
        (b'{"a":"\x01"}', "", "not_json"),
        (b'{"a":"\x00"}', "", "not_json"),
        (b"{} {}", "", "not_json"),
    ],
)
def test_ambiguous_json_is_refused_with_its_position(data: bytes, pointer: str, code: str) -> None:
    error = refusal(data)
    assert (error.pointer, error.code) == (pointer, code)


def test_a_syntax_error_names_line_and_column() -> None:
    assert "line 2, column 7" in refusal(b'{"a": 1,\n "b": x}').detail


def test_values_at_the_limits_are_read() -> None:
    deep = b"[" * 32 + b"]" * 32
    assert json.dumps(parse_json(deep)).encode() == deep
    assert parse_json(b'{"a":9007199254740991,"b":-9007199254740991}') == {"a": MAX_INTEGER, "b": -MAX_INTEGER}
    assert parse_json(b'"\\ud83d\\ude00"') == "😀"
    assert parse_json(b'"[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[["') == "[" * 38
    assert parse_json(b'["a","a",{"a":1},{"a":1}]') == ["a", "a", {"a": 1}, {"a": 1}]


texts = st.text(st.characters(exclude_characters="\0", exclude_categories=["Cs"]))
values = st.recursive(
    st.none()
    | st.booleans()
    | st.integers(-MAX_INTEGER, MAX_INTEGER)
    | st.floats(allow_nan=False, allow_infinity=False)
    | texts,
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(texts, inner, max_size=4),
    max_leaves=12,
)


@given(values, st.booleans())
def test_every_ordinary_value_is_read_as_it_was_written(value: Any, ascii_only: bool) -> None:
    assert parse_json(json.dumps(value, ensure_ascii=ascii_only).encode()) == value


@given(st.binary() | st.text(alphabet='[]{}",:\\u0dcNaInfity-+.eE19 ', max_size=60).map(str.encode))
def test_any_bytes_are_read_or_refused(data: bytes) -> None:
    try:
        value = parse_json(data)
    except BadRequest:
        return
    assert parse_json(json.dumps(value, allow_nan=False).encode()) == value
