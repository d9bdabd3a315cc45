"""Request and response bodies of this app's API."""

import re
from typing import Any, Final

from django.utils.translation import gettext_lazy as _
from rest_framework import serializers

from common.text import clean_name
from common.web.serializers import (
    Base64Url,
    Choice,
    Day,
    Flag,
    Matching,
    Number,
    PublicId,
    StrictSerializer,
    Text,
    UtcTime,
    Whole,
)
from passes.admission import AdviceCode, Result, ScanType
from passes.codec.blind import NUMBER_BYTES
from passes.codec.ticket_keys import TicketClass
from passes.formats import Format
from passes.limits import MOST_DRAWS
from venues.readings import OXYGEN_RANGE, TEMPERATURE_RANGE_F

MOST_OWNERS: Final = 1000
MOST_SCANS: Final = 1000
LONGEST_SURVEY_S: Final = 24 * 3600
LONGEST_NAME: Final = 80
SCAN_ID: Final = re.compile(r"[A-Za-z0-9_-]{16,64}", re.ASCII)
_RESULTS: Final = [result.value for result in Result]
_TYPES: Final = [kind.value for kind in ScanType]


# Visitors ------------------------------------------------------------------------------------------------------------
class RegistrationSerializer(StrictSerializer):
    """The registration of a key."""

    erase_hash = Base64Url(length=32, help_text="SHA-256 of K_erase")


class DeletionSerializer(StrictSerializer):
    """The deletion of a visitor's row."""

    erase_key = Base64Url(length=32, help_text="K_erase; its SHA-256 was sent at registration")


class RegisteredSerializer(serializers.Serializer[Any]):
    """The registration was stored."""

    registered = serializers.BooleanField()


# Tickets -------------------------------------------------------------------------------------------------------------
def _values(ticket_class: TicketClass) -> serializers.ListField:
    count = len(ticket_class.indices)
    return serializers.ListField(
        child=Base64Url(length=NUMBER_BYTES),
        min_length=count,
        max_length=count,
        help_text=f"for the key of class `{ticket_class.value}`",
    )


class TicketSetSerializer(StrictSerializer):
    """The tickets of one epoch."""

    epoch = Day(help_text="date of an epoch in the list of ticket keys")
    counted = _values(TicketClass.COUNTED)
    other = _values(TicketClass.OTHER)


class DrawSerializer(StrictSerializer):
    """Blinded values to sign, 256 bytes each."""

    draws = serializers.ListField(child=TicketSetSerializer(), min_length=1, max_length=MOST_DRAWS)
    pad = Text(
        required=False,
        allow_blank=True,
        trim_whitespace=False,
        max_length=None,
        help_text="padding: any text, so that the size of the body reveals nothing",
    )

    def validate_draws(self, draws: list[dict[str, Any]]) -> list[dict[str, Any]]:
        """Refuse an epoch that appears twice."""
        if len({each["epoch"] for each in draws}) < len(draws):
            raise serializers.ValidationError(_("Ask for each day once."), code="repeated")
        return draws


class DrawnSerializer(serializers.Serializer[Any]):
    """The blind signatures, in the order requested."""

    draws = TicketSetSerializer(many=True)


class TicketKeySerializer(serializers.Serializer[Any]):
    """A public key of tickets (RFC 7517, RFC 7518)."""

    kty = serializers.CharField()
    n = serializers.CharField(help_text="modulus, 256 bytes")
    e = serializers.CharField()
    kid = serializers.CharField(help_text="SHA-256(SubjectPublicKeyInfo)[:8]")
    epoch = serializers.DateField()
    alg = serializers.CharField()
    key_ops = serializers.ListField(child=serializers.CharField())

    def get_fields(self) -> dict[str, Any]:
        """Add the field `class`, which is a reserved word in Python."""
        return super().get_fields() | {"class": serializers.ChoiceField([each.value for each in TicketClass])}


class TicketEpochSerializer(serializers.Serializer[Any]):
    """An epoch with listed keys; times are in Unix seconds."""

    date = serializers.DateField()
    start = serializers.IntegerField()
    end = serializers.IntegerField()


class TicketKeysSerializer(serializers.Serializer[Any]):
    """Keys that sign tickets, two for each epoch, and these epochs."""

    keys = TicketKeySerializer(many=True)
    epochs = TicketEpochSerializer(many=True)


# Check-in ------------------------------------------------------------------------------------------------------------
class AnswersSerializer(StrictSerializer):
    """The four answers, each about the past two weeks."""

    symptoms = Flag(help_text="symptoms of an infection")
    diagnosed = Flag(help_text="diagnosed, or waiting for a result")
    contact = Flag(help_text="in contact with a diagnosed person")
    near = Flag(help_text="near a diagnosed person")


class CheckinSerializer(StrictSerializer):
    """A check-in."""

    venue = PublicId("v")
    epoch = Day(help_text="date of an open epoch, as listed on the venue's card")
    anchor = Base64Url(length=16, help_text="the pass id, x_0 of its chain")
    owner_hash = Base64Url(length=32, help_text="SHA-256 of the owner")
    answers = AnswersSerializer()
    survey_seconds = Whole(min_value=0, max_value=LONGEST_SURVEY_S, help_text="how long answering took")
    invitation = Text(required=False, max_length=64, help_text="code of an event by invitation")


class AdviceSerializer(serializers.Serializer[Any]):
    """One thing that would have to change."""

    code = serializers.ChoiceField([code.value for code in AdviceCode])
    text = serializers.CharField()


class CheckinAnswerSerializer(serializers.Serializer[Any]):
    """A pass, or advice; always 2,048 bytes."""

    go = serializers.BooleanField()
    credential = serializers.CharField(allow_null=True, help_text="the text of the pass, null when `go` is false")
    valid_from = UtcTime()
    valid_until = UtcTime()
    advice = AdviceSerializer(many=True)
    pad = serializers.CharField(help_text="padding, so that the size of the response reveals nothing")


class RenderSerializer(StrictSerializer):
    """A credential and the format to render."""

    credential = Text(trim_whitespace=False, max_length=256)
    format = Choice([form.value for form in Format])


# Owners --------------------------------------------------------------------------------------------------------------
class OwnersSerializer(StrictSerializer):
    """Owners of passes, as derived by the phone."""

    owners = serializers.ListField(child=Base64Url(length=32), max_length=MOST_OWNERS)


class OwnerSerializer(StrictSerializer):
    """One owner."""

    owner = Base64Url(length=32)


class RatingSerializer(OwnerSerializer):
    """A visitor's rating of the crowd."""

    masks = Whole(min_value=1, max_value=5, help_text="1: hardly any, 5: all")
    distancing = Whole(min_value=1, max_value=5, help_text="1: packed, 5: always apart")


class NameSerializer(OwnerSerializer):
    """A name to show to the venue of one pass."""

    name = Text(max_length=LONGEST_NAME)

    def validate_name(self, value: str) -> str:
        """Return the name in its stored form; one without visible characters is empty."""
        name = clean_name(value)
        if not name:
            raise serializers.ValidationError(_("Enter a name with visible characters."), "blank")
        return name


class DiagnosisSerializer(OwnersSerializer):
    """A test result for the passes of these owners."""

    tested_on = Day()
    result = Choice(["positive", "negative"])
    prompted = Flag(default=False, help_text="whether a random prompt of the app asked for the result, whatever it is")


# Devices -------------------------------------------------------------------------------------------------------------
class ScanBodySerializer(StrictSerializer):
    """A scan without its id, also the content of a sealed item."""

    credential = Text(
        trim_whitespace=False,
        allow_blank=True,
        max_length=None,
        help_text="text that was read; may be any text",
    )
    type = Choice(_TYPES)
    scanned_at = UtcTime()
    kiosk_result = Choice(_RESULTS, required=False, allow_null=True, help_text="the decision of an offline kiosk")
    temperature_f = Number(
        required=False, allow_null=True, min_value=TEMPERATURE_RANGE_F[0], max_value=TEMPERATURE_RANGE_F[1]
    )
    o2 = Number(required=False, allow_null=True, min_value=OXYGEN_RANGE[0], max_value=OXYGEN_RANGE[1])


class ScanSerializer(ScanBodySerializer):
    """A scan."""

    scan_id = Matching(SCAN_ID.pattern, help_text="random, chosen by the device; a known one gets its first result")


class ScanAnswerSerializer(serializers.Serializer[Any]):
    """One bit."""

    result = serializers.ChoiceField(_RESULTS)


class AnyItems(serializers.ListField):
    """A list whose items are validated later, one by one; any items are accepted here."""

    child = serializers.JSONField()

    def run_child_validation(self, data: Any) -> Any:
        """Return the items unchanged."""
        return data


class BatchSerializer(StrictSerializer):
    """Scans, plain or sealed. An item that is not a scan is declined in its place."""

    scans = AnyItems(
        max_length=MOST_SCANS,
        help_text="scans, or `{scan_id, sealed}` (docs/protocol.md, section 10)",
    )


class BatchResultSerializer(ScanAnswerSerializer):
    """The result of one item."""

    scan_id = serializers.CharField(allow_null=True, help_text="id of the item; null if it has none")


class BatchAnswerSerializer(serializers.Serializer[Any]):
    """Results in the order of the items."""

    results = BatchResultSerializer(many=True)


class BundleSerializer(serializers.Serializer[Any]):
    """The signed bundle (docs/protocol.md, section 8)."""

    bundle = serializers.CharField(help_text="base64url of a COSE_Sign1")


# Keys ----------------------------------------------------------------------------------------------------------------
class JwkSerializer(serializers.Serializer[Any]):
    """A public key (RFC 8037)."""

    kty = serializers.CharField()
    crv = serializers.CharField()
    alg = serializers.CharField()
    use = serializers.CharField()
    kid = serializers.CharField()
    x = serializers.CharField()
    nbf = serializers.IntegerField(help_text="start of the epoch it signs, Unix seconds")
    exp = serializers.IntegerField(help_text="its end")


class RootSerializer(serializers.Serializer[Any]):
    """The key that signs bundles; kiosks pin it when they enrol."""

    kty = serializers.CharField()
    crv = serializers.CharField()
    kid = serializers.CharField()
    x = serializers.CharField()


class JwksSerializer(serializers.Serializer[Any]):
    """Issuer keys of every epoch that has not ended, and the root key."""

    keys = JwkSerializer(many=True)
    root = RootSerializer()


# People who run venues -----------------------------------------------------------------------------------------------
class PresentNameSerializer(serializers.Serializer[Any]):
    """A name that a visitor inside chose to show."""

    name = serializers.CharField()


class NamesSerializer(serializers.Serializer[Any]):
    """Names of people who are inside now."""

    results = PresentNameSerializer(many=True)
