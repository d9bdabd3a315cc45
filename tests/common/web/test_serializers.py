"""Fields and serializers that accept exactly what is documented."""

import datetime as dt
import re
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from rest_framework import serializers
from rest_framework.exceptions import ValidationError

from common.crypto import b64encode
from common.ids import public_id
from common.models import AuditEntry
from common.web.serializers import (
    Base64Url,
    Choice,
    Day,
    Flag,
    Number,
    PublicId,
    StrictModelSerializer,
    StrictSerializer,
    Text,
    UtcTime,
    Whole,
    base64url_pattern,
)


def accepts(field: serializers.Field[Any, Any, Any, Any], value: object) -> bool:
    """Return whether a field accepts a value."""
    try:
        field.run_validation(value)
    except ValidationError:
        return False
    return True


@pytest.mark.parametrize(
    ("field", "value"),
    [
        (Flag(), 1),
        (Flag(), "true"),
        (Flag(), "yes"),
        (Flag(), 0.0),
        (Flag(), None),
        (Flag(), []),
        (Flag(), {}),
        (Whole(), "1"),
        (Whole(), True),
        (Whole(), 1.5),
        (Whole(), 1e300),
        (Whole(), [1]),
        (Number(), "1.5"),
        (Number(), True),
        (Number(), float("nan")),
        (Number(), float("inf")),
        (Number(), {}),
        (Text(), 1),
        (Text(), True),
        (Text(), ["a"]),
        (Text(), ""),
        (Text(), "a\0b"),
        (Text(), "\ud800"),
        (Choice(["a", "1"]), 1),
        (Choice(["a"]), ["a"]),
        (Choice(["a"]), {}),
        (Choice(["a"]), "b"),
        (Day(), "2026-02-30"),
        (Day(), "20260814"),
        (Day(), "2026-W33-5"),
        (Day(), "2026-08-14T00:00:00Z"),
        (Day(), "２０２６-08-14"),
        (Day(), 20260814),
        (UtcTime(), "2026-08-14T17:00:00"),
        (UtcTime(), "2026-08-14 17:00:00Z"),
        (UtcTime(), "2026-08-14T17:00Z"),
        (UtcTime(), "2026-08-14T24:00:00Z"),
        (UtcTime(), "2026-08-14T17:00:00+25:00"),
        (UtcTime(), "0001-01-01T00:00:00+01:00"),
        (UtcTime(), "9999-12-31T23:59:59-01:00"),
        (UtcTime(), 1723654800),
        (Base64Url(length=3), "AAA"),
        (Base64Url(length=3), "AAAAAA"),
        (Base64Url(length=2), "AAB"),
        (Base64Url(length=2), "AAA="),
        (Base64Url(length=3), "AA+A"),
        (Base64Url(length=3), "AA\nAA"),
        (Base64Url(length=3), "ÄÄÄÄ"),
        (Base64Url(length=3), b"AAAA"),
        (Base64Url(min_length=2, max_length=4), "AA"),
        (Base64Url(min_length=2, max_length=4), "AAAAAAA"),
        (PublicId("v"), "k_7h3kq2m4xz"),
        (PublicId("v"), "v_7h3kq2m4x"),
        (PublicId("v"), "v_7H3KQ2M4XZ"),
        (PublicId("v"), "v_7h3kq2m4xz\n"),
        (PublicId("v"), 7),
    ],
)
def test_what_merely_looks_like_a_value_is_refused(field: serializers.Field[Any, Any, Any, Any], value: object) -> None:
    assert not accepts(field, value)


def test_values_of_the_right_type_are_taken() -> None:
    assert Flag().run_validation(False) is False
    assert Whole().run_validation(3.0) == 3
    assert Number().run_validation(2) == 2.0
    assert Text().run_validation(" né😀 ") == "né😀"
    assert Choice([("a", "A")]).run_validation("a") == "a"
    assert Day().run_validation("2024-02-29") == dt.date(2024, 2, 29)
    assert Base64Url(min_length=0).run_validation("") == b""


def test_times_are_read_with_any_offset_and_written_in_utc() -> None:
    moment = UtcTime().run_validation("2026-08-14T19:00:00.75+02:00")
    assert moment == dt.datetime(2026, 8, 14, 17, 0, 0, 750_000, dt.UTC)
    assert UtcTime().to_representation(moment) == "2026-08-14T17:00:00Z"


@given(st.binary(max_size=70))
def test_bytes_survive_base64url_and_match_the_documented_pattern(data: bytes) -> None:
    text = b64encode(data)
    assert Base64Url(length=len(data)).run_validation(text) == data
    assert re.fullmatch(base64url_pattern(len(data)), text)


@given(st.integers(0, 6).flatmap(lambda size: st.from_regex(base64url_pattern(size), fullmatch=True)))
def test_every_text_of_the_documented_pattern_is_taken(text: str) -> None:
    assert accepts(Base64Url(min_length=0), text)


def test_every_public_id_is_taken() -> None:
    assert all(accepts(PublicId("v"), public_id("v")) for _ in range(200))


def test_fields_made_from_models_are_strict_too() -> None:
    class EntrySerializer(StrictModelSerializer):
        class Meta:
            model = AuditEntry
            fields = ("at", "verb")

    assert EntrySerializer(data={"at": "2026-08-14T17:00:00Z", "verb": "x"}).is_valid()
    wrong = EntrySerializer(data={"at": "2026-08-14", "verb": 1, "actor": "me"})
    assert not wrong.is_valid()
    assert set(wrong.errors) == {"at", "verb", "actor"}


def test_a_wrong_choice_lists_the_choices_if_they_are_few() -> None:
    with pytest.raises(ValidationError, match="not one of the choices: few, many") as caught:
        Choice(["few", "many"]).run_validation("none")
    assert caught.value.get_codes() == ["invalid_choice"]
    with pytest.raises(ValidationError, match=r"not one of the choices\."):
        Choice([str(number) for number in range(100)]).run_validation("none")


def test_the_nearest_field_is_named_for_an_unknown_one() -> None:
    class Body(StrictSerializer):
        format = Choice(["json"], required=False)

    body = Body(data={"fromat": "json", "other": 1})
    assert not body.is_valid()
    assert body.errors == {
        "fromat": ["There is no such field. Did you mean format?"],
        "other": ["There is no such field."],
    }
    many = Body(data={f"formal{number}": 1 for number in range(1000)})
    assert not many.is_valid()
    assert sum("Did you mean" in str(each) for each in many.errors.values()) == 12
