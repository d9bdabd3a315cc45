"""Strict JSON parsing: input that two parsers could understand differently is refused, with its location."""

import json
from collections.abc import Iterator, Mapping
from typing import IO, Any, Final

from django.utils.translation import gettext as _
from rest_framework.parsers import BaseParser

from common.web.problems import BadRequest, FieldError, pointer

MAX_DEPTH: Final = 32
# Larger integers differ between parsers (RFC 8259 section 6).
MAX_INTEGER: Final = 2**53 - 1
_CONTAINERS: Final = (dict, list)  # created once: `dict | list` in a loop is slower than the test
_MAX_DIGITS: Final = len(str(MAX_INTEGER))


class StrictJSONParser(BaseParser):
    """Parser of `application/json` in UTF-8 (RFC 8259), using `parse_json`."""

    media_type = "application/json"

    def parse(
        self,
        stream: IO[bytes],
        media_type: str | None = None,  # noqa: ARG002
        parser_context: Mapping[str, Any] | None = None,  # noqa: ARG002
    ) -> Any:
        """Return the value in the body. Raise `BadRequest`."""
        return parse_json(stream.read())


class _Flaw:
    """Placeholder in the parsed value for a refused part, until its location is known."""

    __slots__ = ("code", "detail")

    def __init__(self, code: str, detail: str) -> None:
        self.code = code
        self.detail = detail


class _Reader:
    """Hooks of the decoder; `flawed` tells whether the value has to be searched for a `_Flaw`."""

    def __init__(self) -> None:
        self.flawed = False

    def _flaw(self, code: str, detail: str) -> _Flaw:
        self.flawed = True
        return _Flaw(code, detail)

    def pairs(self, pairs: list[tuple[str, Any]]) -> Any:
        found = dict(pairs)
        if len(found) == len(pairs):
            return found
        seen: set[str] = set()
        for key, _value in pairs:
            if key in seen:
                found[key] = self._flaw("duplicate_key", _("This name appears twice in one object."))
            seen.add(key)
        return found

    def integer(self, text: str) -> int | _Flaw:
        if len(text) <= _MAX_DIGITS + 1:
            value = int(text)
            if -MAX_INTEGER <= value <= MAX_INTEGER:
                return value
        return self._flaw("too_large_number", _("Integers go up to 9007199254740991."))

    def real(self, text: str) -> float | _Flaw:
        value = float(text)
        if abs(value) == float("inf"):
            return self._flaw("too_large_number", _("This number is too large."))
        return value

    def constant(self, text: str) -> _Flaw:  # noqa: ARG002
        return self._flaw("not_a_number", _("NaN and Infinity are not JSON numbers."))


def parse_json(data: bytes) -> Any:
    """Parse a JSON text.

    Raise `BadRequest` with the location for: bytes that are not UTF-8, syntax errors, NaN and Infinity, numbers too
    large to be exact, duplicate names in an object, NUL and lone surrogates, nesting deeper than 32.
    """
    try:
        text = data.decode("utf-8")
    except UnicodeDecodeError as error:
        raise _refusal("", "not_utf8", _("Byte %(at)d is not UTF-8.") % {"at": error.start}) from None
    reader = _Reader()
    try:
        value = json.loads(
            text,
            object_pairs_hook=reader.pairs,
            parse_int=reader.integer,
            parse_float=reader.real,
            parse_constant=reader.constant,
        )
    except RecursionError:
        raise _refusal("", "too_deep", _too_deep()) from None
    except json.JSONDecodeError as error:
        where = {"line": error.lineno, "column": error.colno}
        detail = _("Not JSON at line %(line)d, column %(column)d.") % where
        raise _refusal("", "not_json", detail) from None
    # NUL and surrogates can only come from escapes.
    if reader.flawed or "\\u" in text or _is_too_deep(value):
        for place, flaw in _flaws(value, ""):
            raise _refusal(place, flaw.code, flaw.detail)
    return value


def _is_too_deep(value: Any) -> bool:
    level = [value] if isinstance(value, _CONTAINERS) else []
    for _depth in range(MAX_DEPTH):
        if not level:
            return False
        members = (outer.values() if isinstance(outer, dict) else outer for outer in level)
        level = [inner for each in members for inner in each if isinstance(inner, _CONTAINERS)]
    return bool(level)


def _flaws(value: Any, place: str, depth: int = 0) -> Iterator[tuple[str, _Flaw]]:
    if isinstance(value, _Flaw):
        yield place, value
    elif isinstance(value, str):
        if flaw := _flaw_of_text(value):
            yield place, flaw
    elif isinstance(value, dict | list):
        if depth == MAX_DEPTH:
            yield place, _Flaw("too_deep", _too_deep())
            return
        items = value.items() if isinstance(value, dict) else enumerate(value)
        for key, item in items:
            if isinstance(key, str) and (flaw := _flaw_of_text(key)):
                yield place, flaw
                return
            yield from _flaws(item, place + pointer(key), depth + 1)


def _flaw_of_text(text: str) -> _Flaw | None:
    if "\0" in text:
        return _Flaw("nul", _("The character NUL is not allowed."))
    try:
        text.encode()
    except UnicodeEncodeError:
        return _Flaw("lone_surrogate", _("Half of a surrogate pair is not a character."))
    return None


def _too_deep() -> str:
    return _("Nesting goes at most %(depth)d deep.") % {"depth": MAX_DEPTH}


def _refusal(place: str, code: str, detail: str) -> BadRequest:
    return BadRequest(errors=[FieldError(place, detail, code)])
