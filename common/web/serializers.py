"""Serializers that accept exactly what is documented: real JSON types, no unknown fields, times in UTC with `Z`."""

import datetime as dt
import math
import re
from collections.abc import Callable, Iterable, Mapping, Sequence
from difflib import get_close_matches
from functools import wraps
from typing import Any, Final, NoReturn, TypeVar

from django.db import models
from django.utils.translation import gettext_lazy as _
from rest_framework import serializers
from rest_framework.exceptions import ErrorDetail
from rest_framework.request import Request
from rest_framework.validators import ProhibitSurrogateCharactersValidator
from rest_framework.views import APIView

from common.crypto import b64decode, b64encode
from common.ids import ALPHABET
from common.time import z
from common.web.parsers import MAX_INTEGER
from common.web.problems import FieldError, Invalid, field_errors

S = TypeVar("S", bound=serializers.Serializer[Any])
Handler = Callable[..., Any]

UNKNOWN: Final = _("There is no such field.")
UNKNOWN_BUT_NEAR: Final = _("There is no such field. Did you mean %(name)s?")
# Choices that an error lists, and unknown names to which it says the nearest one.
MOST_LISTED: Final = 12
# RFC 3339 with an offset; seconds may have a fraction.
_MOMENT: Final = re.compile(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(\.\d{1,9})?(Z|[+-]\d\d:\d\d)", re.ASCII)
_DAY: Final = re.compile(r"\d{4}-\d\d-\d\d", re.ASCII)


# Fields ---------------------------------------------------------------------------------------------------------------
class Text(serializers.CharField):
    """A string without surrounding spaces, NUL and lone surrogates. The length limit applies to the raw text."""

    def __init__(self, **kwargs: Any) -> None:
        super().__init__(**kwargs)
        _drop_slow_check(self)

    def to_internal_value(self, data: Any) -> str:
        """Return the string."""
        if not isinstance(data, str):
            self.fail("invalid")
        if self.max_length is not None and len(data) > self.max_length:
            self.fail("max_length", max_length=self.max_length)
        return super().to_internal_value(data)

    default_error_messages = {"max_length": _("At most {max_length} characters.")}

    def json_schema(self) -> dict[str, Any]:
        """Return the JSON schema."""
        schema: dict[str, Any] = {"type": "string", "pattern": r"^[^\x00]*$"}
        if not self.allow_blank:
            schema = {"type": "string", "pattern": r"^[^\x00]*[^\s\x00][^\x00]*$", "minLength": 1}
        if self.min_length is not None:
            schema["minLength"] = self.min_length
        if self.max_length is not None:
            schema["maxLength"] = self.max_length
        return schema

    def run_validators(self, value: Any) -> None:
        """Also refuse text that the database cannot store."""
        if isinstance(value, str):
            try:
                value.encode()
            except UnicodeEncodeError:
                self.fail("invalid")
        super().run_validators(value)


class Matching(serializers.RegexField):
    """A string that fully matches a pattern, so that none can contain half of a surrogate pair."""

    def __init__(self, pattern: str, **kwargs: Any) -> None:
        super().__init__(rf"\A{pattern}\Z", **kwargs)
        _drop_slow_check(self)


def _drop_slow_check(field: serializers.CharField) -> None:
    """Remove DRF's search for surrogates, which is slow Python code, if another check does the same."""
    field.validators = [one for one in field.validators if not isinstance(one, ProhibitSurrogateCharactersValidator)]


class Choice(serializers.ChoiceField):
    """One of a few strings."""

    def to_internal_value(self, data: Any) -> Any:
        """Return the choice."""
        if not isinstance(data, str):
            self.fail("invalid_choice", input=type(data).__name__)
        return super().to_internal_value(data)

    def fail(self, key: str, **kwargs: Any) -> NoReturn:
        """Raise the error; that of a wrong value lists the choices, if they are few."""
        names = [str(each) for each in self.choices]
        if key == "invalid_choice" and len(names) <= MOST_LISTED:
            detail = _("This is not one of the choices: %(choices)s.") % {"choices": ", ".join(names)}
            raise serializers.ValidationError(detail, code=key)
        super().fail(key, **kwargs)

    default_error_messages = {"invalid_choice": _("This is not one of the choices.")}


class Flag(serializers.BooleanField):
    """`true` or `false`, and nothing that merely looks like it."""

    def to_internal_value(self, data: Any) -> bool:
        """Return the flag."""
        if not isinstance(data, bool):
            self.fail("invalid")
        return data


class Whole(serializers.IntegerField):
    """An integer."""

    def __init__(self, *, min_value: int = -MAX_INTEGER, max_value: int = MAX_INTEGER, **kwargs: Any) -> None:
        super().__init__(min_value=min_value, max_value=max_value, **kwargs)

    def to_internal_value(self, data: Any) -> int:
        """Return the integer; `3.0` is one, because JSON does not distinguish them."""
        if isinstance(data, float) and data.is_integer():
            data = int(data)
        if isinstance(data, bool) or not isinstance(data, int):
            self.fail("invalid")
        return data


class Number(serializers.FloatField):
    """A finite number."""

    def to_internal_value(self, data: Any) -> float:
        """Return the number."""
        if isinstance(data, bool) or not isinstance(data, int | float) or not math.isfinite(data):
            self.fail("invalid")
        return float(data)


class Day(serializers.DateField):
    """A calendar day, `2026-08-14`."""

    def to_internal_value(self, value: Any) -> dt.date:
        """Return the day."""
        if not isinstance(value, str) or not _DAY.fullmatch(value):
            self.fail("invalid", format="YYYY-MM-DD")
        try:
            return dt.date.fromisoformat(value)
        except ValueError:
            self.fail("invalid", format="YYYY-MM-DD")


class UtcTime(serializers.Field[dt.datetime, str, str, Any]):
    """A time, read with any offset (RFC 3339), written in UTC with `Z` and to the second."""

    default_error_messages = {
        "invalid": _("Not a time like 2026-08-14T17:00:00Z; the offset is needed."),
    }

    def to_internal_value(self, data: Any) -> dt.datetime:
        """Return the time in UTC."""
        if not isinstance(data, str) or not _MOMENT.fullmatch(data):
            self.fail("invalid")
        try:
            return dt.datetime.fromisoformat(data).astimezone(dt.UTC)
        except (ValueError, OverflowError):
            self.fail("invalid")

    def to_representation(self, value: dt.datetime) -> str:
        """Return the text."""
        return z(value)


class Base64Url(serializers.Field[bytes, str, str, Any]):
    """Bytes as base64url without padding; exactly `length`, or from `min_length` to `max_length`."""

    default_error_messages = {
        "invalid": _("Not base64url without padding (RFC 4648 section 5)."),
        "length": _("Not the right number of bytes."),
    }

    def __init__(
        self, *, length: int | None = None, min_length: int = 0, max_length: int | None = None, **kwargs: Any
    ) -> None:
        super().__init__(**kwargs)
        self.length = length
        self.min_bytes = min_length if length is None else length
        self.max_bytes = max_length if length is None else length

    def to_internal_value(self, data: Any) -> bytes:
        """Return the bytes."""
        if not isinstance(data, str):
            self.fail("invalid")
        try:
            value = b64decode(data)
        except ValueError:
            self.fail("invalid")
        if len(value) < self.min_bytes or (self.max_bytes is not None and len(value) > self.max_bytes):
            self.fail("length")
        return value

    def to_representation(self, value: bytes | memoryview) -> str:
        """Return the text."""
        return b64encode(bytes(value))

    def json_schema(self) -> dict[str, Any]:
        """Return the JSON schema."""
        schema: dict[str, Any] = {"type": "string", "pattern": "^[A-Za-z0-9_-]*$"}
        if self.length is not None:
            schema["pattern"] = base64url_pattern(self.length)
        else:
            schema["minLength"] = -(-self.min_bytes * 4 // 3)
            if self.max_bytes is not None:
                schema["maxLength"] = -(-self.max_bytes * 4 // 3)
        return schema


def base64url_pattern(length: int) -> str:
    """Return the regular expression of `length` bytes in base64url; unused bits of the last letter are zero."""
    whole, rest = divmod(length, 3)
    tail = {0: "", 1: "[A-Za-z0-9_-][AQgw]", 2: "[A-Za-z0-9_-]{2}[AEIMQUYcgkosw048]"}[rest]
    return f"^[A-Za-z0-9_-]{{{4 * whole}}}{tail}$"


class PublicId(serializers.CharField):
    """A public id such as `v_7h3kq2m4xz`. Another prefix or alphabet is refused before the database is queried."""

    default_error_messages = {"invalid": _("Not an id of this kind.")}

    def __init__(self, prefix: str, **kwargs: Any) -> None:
        super().__init__(**kwargs)
        self.pattern = public_id_pattern(prefix)

    def to_internal_value(self, data: Any) -> str:
        """Return the id."""
        if not isinstance(data, str) or not re.fullmatch(self.pattern.strip("^$"), data):
            self.fail("invalid")
        return data

    def json_schema(self) -> dict[str, Any]:
        """Return the JSON schema."""
        return {"type": "string", "pattern": self.pattern}


def public_id_pattern(prefix: str, length: int = 10) -> str:
    """Return the regular expression of `public_id(prefix, length)`."""
    return f"^{prefix}_[{ALPHABET}]{{{length}}}$"


# Serialisers ----------------------------------------------------------------------------------------------------------
class StrictSerializer(serializers.Serializer[Any]):
    """A serializer that refuses unknown fields, together with every other error."""

    def to_internal_value(self, data: Any) -> Any:
        """Return the validated values."""
        if not isinstance(data, Mapping):
            return super().to_internal_value(data)
        known = {field.field_name for field in self._writable_fields}
        said = _unknown([str(name) for name in data if name not in known], filter(None, known))
        unknown = {name: [ErrorDetail(detail, code="unknown")] for name, detail in said.items()}
        try:
            values = super().to_internal_value(data)
        except serializers.ValidationError as error:
            raise serializers.ValidationError({**error.detail, **unknown}) from None  # type: ignore[dict-item]
        if unknown:
            raise serializers.ValidationError(unknown)
        return values


class StrictModelSerializer(StrictSerializer, serializers.ModelSerializer[Any]):
    """The same for a model; its fields accept real JSON types only."""

    serializer_field_mapping = serializers.ModelSerializer.serializer_field_mapping | {
        models.CharField: Text,
        models.TextField: Text,
        models.BooleanField: Flag,
        models.FloatField: Number,
        models.IntegerField: Whole,
        models.BigIntegerField: Whole,
        models.SmallIntegerField: Whole,
        models.PositiveIntegerField: Whole,
        models.PositiveSmallIntegerField: Whole,
        models.PositiveBigIntegerField: Whole,
        models.DateField: Day,
        models.DateTimeField: UtcTime,
    }
    serializer_choice_field = Choice


def _unknown(names: Sequence[str], known: Iterable[str]) -> dict[str, str]:
    """Return what is said of each field that is not known: of the first ones also the field spelled almost so."""
    said, choices = dict.fromkeys(names, str(UNKNOWN)), list(known)
    for name in names[:MOST_LISTED]:
        if near := get_close_matches(name[:100], choices, n=1):
            said[name] = str(UNKNOWN_BUT_NEAR % {"name": near[0]})
    return said


class QuerySerializer(serializers.Serializer[Any]):
    """Query parameters: text that is converted to values. Use it through `read_query`."""


def read_body(request: Request, serializer_class: type[S], **kwargs: Any) -> Any:
    """Return the validated body of a request. Raise `Invalid` with pointers into the body."""
    serializer = serializer_class(data=request.data, **kwargs)
    if not serializer.is_valid():
        raise Invalid(errors=field_errors(serializer.errors))
    return serializer.validated_data


class NoFields(StrictSerializer):
    """The body of a request that takes none."""


def without_body(handler: Handler) -> Handler:
    """Make a handler refuse a body if it takes none, since the body was meant for something else.

    `{}` counts as none.
    """

    @wraps(handler)
    def strict(view: APIView, request: Request, *args: Any, **kwargs: Any) -> Any:
        read_body(request, NoFields)
        return handler(view, request, *args, **kwargs)

    return strict


def read_query(request: Request, serializer_class: type[S], *, also: frozenset[str] = frozenset()) -> Any:
    """Return the validated query parameters. Unknown and repeated ones are refused, except those that `also` names.

    Raise `Invalid` with pointers such as `?limit`.
    """
    serializer = serializer_class(data=request.query_params.dict())
    strange = [name for name in request.query_params if name not in serializer.fields and name not in also]
    said = _unknown(strange, [*serializer.fields, *also])
    errors = [FieldError(f"?{name}", detail, "unknown") for name, detail in said.items()]
    errors += [
        FieldError(f"?{name}", str(_("Give this once.")), "repeated")
        for name, values in request.query_params.lists()
        if len(values) > 1
    ]
    if not serializer.is_valid():
        errors += [
            FieldError("?" + error.pointer.removeprefix("/") if error.pointer else "", error.detail, error.code)
            for error in field_errors(serializer.errors)
        ]
    if errors:
        raise Invalid(errors=errors)
    return serializer.validated_data
