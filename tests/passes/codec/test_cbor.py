"""The strict CBOR reader compared with `cbor2`: it accepts exactly what re-encodes to the same bytes."""

from __future__ import annotations

from typing import Any

import cbor2
import pytest
from hypothesis import given
from hypothesis import strategies as st

from passes.codec.strict import NotDeterministic, Tagged, decode

integers = st.integers(-(2**64), 2**64 - 1)
leaves = integers | st.binary(max_size=300) | st.text(st.characters(codec="utf-8")) | st.booleans() | st.none()
# Integer keys 0..23, for which the orders of RFC 8949 and of cbor2 (by length first) are the same.
values = st.recursive(
    leaves,
    lambda inner: st.lists(inner, max_size=5) | st.dictionaries(st.integers(0, 23), inner, max_size=5),
    max_leaves=12,
)


def taken(data: bytes) -> bool:
    try:
        decode(data)
    except NotDeterministic:
        return False
    return True


def untag(value: object) -> Any:
    """Return our tags as cbor2's, so that a value can be encoded again."""
    if isinstance(value, Tagged):
        return cbor2.CBORTag(value.tag, untag(value.value))
    if isinstance(value, list):
        return [untag(item) for item in value]
    if isinstance(value, dict):
        return {key: untag(item) for key, item in value.items()}
    return value


def depth(value: object) -> int:
    members = value.values() if isinstance(value, dict) else value if isinstance(value, list) else ()
    return 1 + max((depth(member) for member in members), default=0)


@given(values.filter(lambda value: depth(value) <= 8))
def test_what_cbor2_writes_canonically_is_read_back(value: object) -> None:
    assert decode(cbor2.dumps(value, canonical=True)) == value


@given(st.binary(max_size=40))
def test_what_is_read_encodes_to_the_same_bytes(data: bytes) -> None:
    try:
        value = decode(data)
    except NotDeterministic:
        return
    assert _encode(value) == data


@given(value=values, place=st.integers(0, 10**6), byte=st.integers(0, 255))
def test_a_changed_byte_is_refused_or_reads_as_written(value: object, place: int, byte: int) -> None:
    data = bytearray(cbor2.dumps(value, canonical=True))
    data[place % len(data)] = byte
    try:
        read = decode(bytes(data))
    except NotDeterministic:
        return
    assert _encode(read) == bytes(data)


def _encode(value: object) -> bytes:
    """Encode by RFC 8949, section 4.2.1: like cbor2, but with keys in the order of their bytes."""
    if isinstance(value, Tagged):
        return _head(6, value.tag) + _encode(value.value)
    if isinstance(value, list):
        return _head(4, len(value)) + b"".join(_encode(item) for item in value)
    if isinstance(value, dict):
        pairs = sorted((_encode(key), _encode(item)) for key, item in value.items())
        return _head(5, len(value)) + b"".join(key + item for key, item in pairs)
    return cbor2.dumps(value)


def _head(major: int, argument: int) -> bytes:
    number = bytearray(cbor2.dumps(argument))
    number[0] |= major << 5
    return bytes(number)


@pytest.mark.parametrize(
    ("name", "text"),
    [
        ("nothing", ""),
        ("trailing byte", "0000"),
        ("integer in one byte too many", "1817"),
        ("integer in two bytes too many", "1900ff"),
        ("integer in four bytes too many", "1a0000ffff"),
        ("integer in eight bytes too many", "1b00000000ffffffff"),
        ("cut integer", "1a0000"),
        ("reserved length", "1c"),
        ("long length of a string", "580100"),
        ("string without end", "5f4100ff"),
        ("text that is not UTF-8", "61ff"),
        ("text with a surrogate", "63eda080"),
        ("array without end", "9f00ff"),
        ("map without end", "bf0000ff"),
        ("key twice", "a200000000"),
        ("keys out of order", "a201000000"),
        ("negative key before a positive one", "a220000000"),
        ("text key", "a1613000"),
        ("boolean key", "a1f400"),
        ("array key", "a18000"),
        ("undefined", "f7"),
        ("simple value in two bytes", "f814"),
        ("half float", "f90000"),
        ("float", "fa00000000"),
        ("double", "fb0000000000000000"),
        ("break alone", "ff"),
        ("more members than bytes", "9affffffff"),
        ("nine arrays deep", "81" * 9 + "00"),
        ("a thousand arrays deep", "81" * 1000 + "00"),
    ],
)
def test_other_encodings_are_refused(name: str, text: str) -> None:
    assert not taken(bytes.fromhex(text)), name


def test_eight_levels_are_read() -> None:
    assert taken(bytes.fromhex("81" * 8 + "00"))


def test_a_bigfloat_bomb_costs_nothing() -> None:
    """Tag 5 with an exponent of 2^40: a reader that computes it would need a terabyte."""
    bomb = bytes.fromhex("c5821b000001000000000001")
    assert decode(bomb) == Tagged(5, [2**40, 1])
