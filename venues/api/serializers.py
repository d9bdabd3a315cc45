"""Request and response bodies of the owner's API."""

from typing import Any, Final

from drf_spectacular.utils import extend_schema_field
from rest_framework import serializers

from common.web.serializers import Choice, Flag, StrictModelSerializer, StrictSerializer, Text, UtcTime, Whole
from venues import links
from venues.kinds import Access, DeviceKind, OrganisationKind, Role, VenueKind
from venues.models import (
    Device,
    Door,
    Event,
    Invitation,
    Membership,
    Organisation,
    OwnerToken,
    PresenceCount,
    Requirements,
    Venue,
)
from venues.services.codes import qr_svg
from venues.services.events import invitation_code

CODE: Final[dict[str, Any]] = {
    "max_length": 64,
    "help_text": "as shown; spaces, hyphens and capitals do not matter",
}
PASSWORD: Final[dict[str, Any]] = {"max_length": 256, "trim_whitespace": False, "write_only": True}
FACTS: Final = (
    "name",
    "kind",
    "zip",
    "time_zone",
    "volume_m3",
    "air_changes_per_h",
    "usual_dwell_min",
    "check_in_share",
    "listed",
    "unmanned",
    "alert_percent",
)
ASKED: Final = (
    "capacity",
    "enforced_limit_percent",
    "refuse_symptoms",
    "refuse_diagnosed",
    "refuse_contact",
    "refuse_near",
    "max_temperature_f",
    "min_o2",
    "rotating_code",
    "hours",
)


def identifier() -> serializers.CharField:
    """Return a field for the public id of a row."""
    return serializers.CharField(source="public_id", read_only=True)


@extend_schema_field(
    {
        "type": "array",
        "minItems": 7,
        "maxItems": 7,
        "description": "seven days, Monday first; each a sorted list of [opens, closes] in minutes from local midnight",
        "items": {
            "type": "array",
            "maxItems": 12,
            "items": {
                "type": "array",
                "minItems": 2,
                "maxItems": 2,
                "items": {"type": "integer", "minimum": 0, "maximum": 2160},
            },
        },
    }
)
class Hours(serializers.Field[Any, Any, Any, Any]):
    """Weekly hours; the service validates them and names the location of an error."""

    def to_internal_value(self, data: Any) -> Any:
        """Return the hours unchanged."""
        return data

    def to_representation(self, value: Any) -> Any:
        """Return the hours unchanged."""
        return value


class Zip(Text):
    """An optional ZIP code of three or five digits; the service checks whether it is in use."""

    def __init__(self, **kwargs: Any) -> None:
        super().__init__(max_length=5, required=False, allow_blank=True, **kwargs)


# Accounts ------------------------------------------------------------------------------------------------------------
class SignUpInput(StrictSerializer):
    """A new account."""

    username = Text(max_length=150, help_text="letters, digits and @ . + - _; co-members and the audit log show it")
    password = Text(min_length=10, **PASSWORD)
    email = Text(max_length=254, required=False, allow_blank=True, help_text="for a lost password and notifications")


class LogInInput(StrictSerializer):
    """User name and password, and a code if the second factor is on."""

    username = Text(max_length=150)
    password = Text(**PASSWORD)
    code = Text(required=False, max_length=64, help_text="code of the second factor, or a recovery code")


class EmailInput(StrictSerializer):
    """A new e-mail address."""

    email = Text(max_length=254, allow_blank=True)
    password = Text(**PASSWORD)


class PasswordInput(StrictSerializer):
    """The password, for confirmation."""

    password = Text(**PASSWORD)


class NewPasswordInput(StrictSerializer):
    """The old password and a new one."""

    old = Text(**PASSWORD)
    new = Text(min_length=10, **PASSWORD)


class ResetInput(StrictSerializer):
    """The e-mail address for a link."""

    email = Text(max_length=254)


class ConfirmInput(StrictSerializer):
    """The token of the link."""

    token = Text(max_length=200)


class ResetConfirmInput(StrictSerializer):
    """The token of the link, and a new password."""

    token = Text(max_length=200)
    password = Text(min_length=10, **PASSWORD)


class CodeInput(StrictSerializer):
    """A code."""

    code = Text(**CODE)


class SecondFactorOffInput(StrictSerializer):
    """Password and code, for confirmation."""

    password = Text(**PASSWORD)
    code = Text(max_length=64)


class TokenInput(StrictSerializer):
    """A new token."""

    name = Text(max_length=80)
    days = Whole(min_value=1, max_value=366, required=False, default=90)


class MembershipOutput(serializers.ModelSerializer[Membership]):
    """The user's role in an organisation."""

    id = serializers.CharField(source="organisation.public_id", read_only=True)
    name = serializers.CharField(source="organisation.name", read_only=True)
    membership = serializers.CharField(source="public_id", read_only=True)

    class Meta:
        model = Membership
        fields = ("id", "name", "role", "membership")


class AccountOutput(serializers.Serializer[Any]):
    """The account of the user."""

    username = serializers.CharField()
    email = serializers.CharField()
    email_confirmed = serializers.BooleanField(help_text="whether a link sent to it was opened")
    operator = serializers.BooleanField()
    second_factor = serializers.BooleanField()
    organisations = MembershipOutput(many=True)


class SecondFactorOutput(serializers.Serializer[Any]):
    """Data for an authenticator app, shown only once."""

    uri = serializers.CharField(help_text="otpauth:// URI (RFC 6238: SHA-1, six digits, 30 seconds)")
    qr_svg = serializers.CharField(help_text="the same as a QR code")


class RecoveryCodesOutput(serializers.Serializer[Any]):
    """Ten codes, each valid for one log-in, shown only once."""

    recovery_codes = serializers.ListField(child=serializers.CharField())


class TokenOutput(serializers.ModelSerializer[OwnerToken]):
    """A token's metadata, without the token itself."""

    id = identifier()
    created_at = UtcTime(read_only=True)
    expires_at = UtcTime(read_only=True)

    class Meta:
        model = OwnerToken
        fields = ("id", "name", "created_at", "expires_at")


class NewTokenOutput(TokenOutput):
    """A new token, shown only once."""

    token = serializers.CharField(read_only=True)

    class Meta(TokenOutput.Meta):
        fields = (*TokenOutput.Meta.fields, "token")  # type: ignore[assignment]


# Organisations -------------------------------------------------------------------------------------------------------
class OrganisationSerializer(StrictModelSerializer):
    """An organisation."""

    id = identifier()
    kind = Choice(choices=OrganisationKind.choices)
    created_at = UtcTime(read_only=True)
    verified_at = UtcTime(read_only=True, allow_null=True)

    class Meta:
        model = Organisation
        fields = ("id", "name", "kind", "created_at", "verified_at")


class MemberOutput(serializers.ModelSerializer[Membership]):
    """A member of an organisation."""

    id = identifier()
    username = serializers.CharField(source="user.username", read_only=True)

    class Meta:
        model = Membership
        fields = ("id", "username", "role")


class RoleInput(StrictSerializer):
    """A role."""

    role = Choice(choices=Role.choices)


class NewCodeOutput(serializers.Serializer[Any]):
    """A one-time code, shown only once."""

    code = serializers.CharField()
    expires_at = UtcTime()
    link = serializers.CharField(help_text="the code follows the #; browsers do not send that part")
    qr_svg = serializers.CharField(help_text="the link as a QR code")


def new_code(link: str, code: str, expires_at: Any) -> dict[str, Any]:
    """Return the value of a `NewCodeOutput`."""
    return {"code": code, "expires_at": expires_at, "link": link, "qr_svg": qr_svg(link)}


# Venues --------------------------------------------------------------------------------------------------------------
class VenueSerializer(StrictModelSerializer):
    """The facts of a venue."""

    id = identifier()
    organisation = serializers.CharField(source="organisation.public_id", read_only=True)
    kind = Choice(choices=VenueKind.choices)
    zip = Zip()
    created_at = UtcTime(read_only=True)

    class Meta:
        model = Venue
        fields = ("id", "organisation", *FACTS, "created_at")


class PresenceCountSerializer(StrictModelSerializer):
    """The number of people counted at a venue at one time, with a check-in or without."""

    id = identifier()
    venue = serializers.CharField(source="venue.public_id", read_only=True)
    counted_at = UtcTime(help_text="to the minute; at most 7 days back, and not in the future")
    people = Whole(min_value=1, max_value=1_000_000)

    class Meta:
        model = PresenceCount
        fields = ("id", "venue", "counted_at", "people")


class AlertInput(StrictSerializer):
    """Whether the user wants an e-mail when a venue is filling up."""

    mail = Flag()


class AlertOutput(serializers.Serializer[Any]):
    """The share from which a venue counts as filling up, and whether the user gets an e-mail then."""

    percent = serializers.IntegerField(help_text="percent of the enforced limit; set as `alert_percent` of the venue")
    mail = serializers.BooleanField()
    email_confirmed = serializers.BooleanField(help_text="notifications wait until the account's address is confirmed")


class RequirementsSerializer(StrictModelSerializer):
    """The requirements of a venue."""

    version = serializers.IntegerField(read_only=True)
    created_at = UtcTime(read_only=True)
    hours = Hours()

    class Meta:
        model = Requirements
        fields = ("version", "created_at", *ASKED)
        extra_kwargs = {name: {"required": True} for name in ASKED if name != "hours"}


class DoorSerializer(StrictModelSerializer):
    """A door."""

    id = identifier()
    venue = serializers.CharField(source="venue.public_id", read_only=True)
    access = Choice(choices=Access.choices, required=False)

    class Meta:
        model = Door
        fields = ("id", "venue", "name", "access")


class DeviceOutput(serializers.ModelSerializer[Device]):
    """A device, without its token."""

    id = identifier()
    door = serializers.CharField(source="door.public_id", read_only=True)
    enrolled_at = UtcTime(read_only=True)
    revoked_at = UtcTime(read_only=True, allow_null=True)
    last_seen = UtcTime(read_only=True, allow_null=True, help_text="rounded to a quarter of an hour")

    class Meta:
        model = Device
        fields = ("id", "door", "name", "kind", "enrolled_at", "revoked_at", "last_seen")


class EnrolInput(StrictSerializer):
    """A code from the owner's page, and a description of the device."""

    code = Text(**CODE)
    name = Text(max_length=80)
    kind = Choice(choices=DeviceKind.choices)


class EnrolOutput(serializers.Serializer[Any]):
    """The device's token, shown only once."""

    token = serializers.CharField()


# Events --------------------------------------------------------------------------------------------------------------
class EventSerializer(StrictModelSerializer):
    """An event."""

    id = identifier()
    venue = serializers.CharField(source="venue.public_id", read_only=True)
    invitation_needed = Flag(required=False)
    cancelled_at = UtcTime(read_only=True, allow_null=True)

    class Meta:
        model = Event
        fields = ("id", "venue", "name", "starts_at", "ends_at", "size", "invitation_needed", "cancelled_at")


class InvitationOutput(serializers.ModelSerializer[Invitation]):
    """An invitation with its code and link, which the host can display again."""

    id = identifier()
    code = serializers.SerializerMethodField()
    link = serializers.SerializerMethodField()
    created_at = UtcTime(read_only=True)
    revoked_at = UtcTime(read_only=True, allow_null=True)

    class Meta:
        model = Invitation
        fields = ("id", "code", "link", "uses", "created_at", "revoked_at")

    def get_code(self, row: Invitation) -> str:
        """Return the code."""
        return invitation_code(row)

    def get_link(self, row: Invitation) -> str:
        """Return the URL that opens check-in with it."""
        return links.event(self.context["origin"], row.event.public_id, invitation_code(row))


class InvitationInput(StrictSerializer):
    """A new invitation."""

    uses = Whole(min_value=1, max_value=1_000_000, required=False, help_text="default: the size of the event")


class QuickEventInput(StrictSerializer):
    """A free event in one call."""

    name = Text(max_length=120)
    place = Text(max_length=120, help_text="name of the venue that is created for it")
    zip = Zip()
    time_zone = Text(max_length=64, required=False)
    kind = Choice(choices=VenueKind.choices, required=False)
    starts_at = UtcTime()
    ends_at = UtcTime()
    size = Whole(min_value=1, max_value=1_000_000)
    organisation = Text(max_length=32, required=False, help_text="default: a personal one, created if needed")


class QuickEventOutput(serializers.Serializer[Any]):
    """Everything that the call created."""

    organisation = OrganisationSerializer()
    venue = VenueSerializer()
    event = EventSerializer()
    invitation = InvitationOutput()


# Operator ------------------------------------------------------------------------------------------------------------
class UnverifiedOutput(serializers.ModelSerializer[Organisation]):
    """An organisation as displayed to the operator."""

    id = identifier()
    created_at = UtcTime(read_only=True)
    verified_at = UtcTime(read_only=True, allow_null=True)
    open_venues = serializers.IntegerField(read_only=True)
    owners = serializers.ListField(child=serializers.CharField(), read_only=True)

    class Meta:
        model = Organisation
        fields = ("id", "name", "kind", "created_at", "verified_at", "open_venues", "owners")


class OperatorQuery(serializers.Serializer[Any]):
    """Which organisations to list."""

    verified = serializers.ChoiceField(choices=("true", "false"), required=False)


class OrganisationExportOutput(serializers.Serializer[Any]):
    """Everything kept of an organisation, as it lies in the tables."""

    format = serializers.CharField(help_text="name and version of this form")
    exported_at = serializers.CharField()
    organisation = serializers.DictField(child=serializers.JSONField())
    members = serializers.ListField(child=serializers.DictField(child=serializers.CharField()))
    venues = serializers.ListField(child=serializers.DictField(child=serializers.JSONField()))
    audit = serializers.ListField(child=serializers.DictField(child=serializers.JSONField()))
