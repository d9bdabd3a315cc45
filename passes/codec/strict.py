"""Deterministic CBOR (RFC 8949, section 4.2.1), the small part that passes and bundles use.

The reader accepts exactly one item, in its only allowed encoding: shortest lengths, no indefinite lengths, map keys
sorted and unique, nothing after it. Known types: integers, byte and text strings, arrays, maps with integer keys, tags,
false, true and null. It exists because `cbor2` accepts duplicates, long integers and trailing bytes, and because some
of its tags make a few hostile bytes take seconds (a bigfloat with a huge exponent), which comparing the re-encoding
afterwards cannot prevent. A test compares it with `cbor2`'s re-encoding.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final, NoReturn

_DEPTH: Final = 8
_SMALLEST: Final = {24: 24, 25: 1 << 8, 26: 1 << 16, 27: 1 << 32}  # smallest value that requires the longer head
_SIMPLE: Final = {20: False, 21: True, 22: None}


class NotDeterministic(ValueError):
    """The bytes are not one item of deterministic CBOR."""


@dataclass(frozen=True, slots=True)
class Tagged:
    """A tag number and its content."""

    tag: int
    value: object


def decode(data: bytes) -> object:
    """Return the only item in `data`. Raise `NotDeterministic` for anything else."""
    value, end = _item(data, 0, _DEPTH)
    if end != len(data):
        _refuse()
    return value


def _refuse() -> NoReturn:
    raise NotDeterministic("not deterministic CBOR")


def _head(data: bytes, at: int) -> tuple[int, int, int]:
    """Return major type, argument and the position after them."""
    if at >= len(data):
        _refuse()
    first = data[at]
    major, short = first >> 5, first & 31
    at += 1
    if short < 24:
        return major, short, at
    smallest = _SMALLEST.get(short)
    end = at + (1 << (short - 24)) if smallest is not None else at
    if smallest is None or end > len(data) or major == 7:
        _refuse()
    argument = int.from_bytes(data[at:end], "big")
    if argument < smallest:
        _refuse()
    return major, argument, end


def _item(data: bytes, at: int, depth: int) -> tuple[object, int]:  # noqa: PLR0911
    major, argument, at = _head(data, at)
    if major == 0:
        return argument, at
    if major == 1:
        return -1 - argument, at
    if major in {2, 3}:
        return _string(data, at, argument, text=major == 3)
    if major == 7:
        if argument not in _SIMPLE:
            _refuse()
        return _SIMPLE[argument], at
    if depth == 0 or (argument > len(data) - at and major != 6):
        _refuse()  # too deep, or more members than bytes left
    if major == 4:
        return _array(data, at, argument, depth)
    if major == 5:
        return _map(data, at, argument, depth)
    value, at = _item(data, at, depth - 1)
    return Tagged(argument, value), at


def _string(data: bytes, at: int, length: int, *, text: bool) -> tuple[bytes | str, int]:
    end = at + length
    if end > len(data):
        _refuse()
    if not text:
        return data[at:end], end
    try:
        return data[at:end].decode("utf-8"), end
    except UnicodeDecodeError:
        _refuse()


def _array(data: bytes, at: int, count: int, depth: int) -> tuple[list[object], int]:
    items = []
    for _ in range(count):
        value, at = _item(data, at, depth - 1)
        items.append(value)
    return items, at


def _map(data: bytes, at: int, count: int, depth: int) -> tuple[dict[int, object], int]:
    items: dict[int, object] = {}
    previous = b""
    for _ in range(count):
        key, end = _item(data, at, 0)
        encoded = data[at:end]
        if type(key) is not int or encoded <= previous:
            _refuse()
        previous = encoded
        items[key], at = _item(data, end, depth - 1)
    return items, at
