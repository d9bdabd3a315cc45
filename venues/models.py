"""Who runs which place, through which doors and devices, with which requirements."""

import datetime as dt
from functools import lru_cache, partial
from zoneinfo import ZoneInfo, available_timezones

from django.conf import settings
from django.contrib.postgres.indexes import GinIndex
from django.contrib.postgres.search import SearchVector
from django.core.exceptions import ValidationError
from django.core.validators import MaxValueValidator, MinValueValidator, RegexValidator
from django.db import models
from django.db.models import Q
from django.db.models.functions import Left

from common.fields import NameField
from common.ids import public_id
from common.privacy import NOBODY, Export, Privacy, Retention, Subject
from venues import places
from venues.kinds import USUAL_DWELL_MIN, Access, DeviceKind, OrganisationKind, Role, VenueKind
from venues.readings import HIGHEST_LIMIT_F, HIGHEST_OXYGEN, LOWEST_LIMIT_F, LOWEST_OXYGEN

AFTER_CLOSING = dt.timedelta(days=30)
STAFF_WHILE_ORGANISATION = Privacy(Subject.STAFF, kept="deleted with its organisation or account")


def known_time_zone(name: str) -> None:
    """Validate a name of the IANA time zone database. Raise `ValidationError`."""
    if name not in zone_names():
        raise ValidationError("No such time zone; an example is America/New_York.", code="unknown")


def known_zip(code: str) -> None:
    """Validate a ZIP code whose first three digits are in use. Raise `ValidationError`."""
    if code and places.place(code) is None:
        raise ValidationError("No such ZIP code area.", code="unknown")


@lru_cache(maxsize=1)
def zone_names() -> frozenset[str]:
    """Return every time zone that a venue may have."""
    return frozenset(available_timezones())


class Organisation(models.Model):
    """A school, a company, a congregation or one host of a dinner."""

    # Visits are kept for 14 days, so a month after closing nobody's data depends on it any more.
    privacy = Privacy(Subject.NOBODY, retention=(Retention("closed_at", AFTER_CLOSING),))

    public_id = models.CharField(max_length=32, unique=True, default=partial(public_id, "o"), editable=False)
    name = NameField(max_length=120)
    kind = models.CharField(max_length=16, choices=OrganisationKind)
    created_at = models.DateTimeField()
    verified_at = models.DateTimeField(null=True, blank=True, help_text="only verified ones count in the dataset")
    closed_at = models.DateTimeField(null=True, blank=True)
    simulated_until = models.DateTimeField(null=True, blank=True, help_text="end of a simulated past")

    def __str__(self) -> str:
        return self.name

    @property
    def verified(self) -> bool:
        """Return whether the operator has verified it."""
        return self.verified_at is not None


class Membership(models.Model):
    """One person's role in one organisation."""

    privacy = STAFF_WHILE_ORGANISATION

    public_id = models.CharField(max_length=32, unique=True, default=partial(public_id, "m"), editable=False)
    organisation = models.ForeignKey(Organisation, models.CASCADE, related_name="memberships")
    user = models.ForeignKey(settings.AUTH_USER_MODEL, models.CASCADE, related_name="memberships")
    role = models.CharField(max_length=8, choices=Role)

    class Meta:
        constraints = [models.UniqueConstraint(fields=["organisation", "user"], name="one_role_a_member")]

    def __str__(self) -> str:
        return f"{self.user} is {self.role} of {self.organisation}"


class MemberCode(models.Model):
    """A one-time code that makes its user a member: nobody is added without asking, and nobody is searched for."""

    privacy = Privacy(Subject.STAFF, retention=(Retention("expires_at", dt.timedelta(days=1)),))

    organisation = models.ForeignKey(Organisation, models.CASCADE, related_name="member_codes")
    role = models.CharField(max_length=8, choices=Role)
    code_hash = models.BinaryField(max_length=32, unique=True)
    expires_at = models.DateTimeField()
    used_at = models.DateTimeField(null=True)

    def __str__(self) -> str:
        return f"code for a {self.role} of {self.organisation}"


class SecondFactor(models.Model):
    """A person's TOTP secret (RFC 6238), encrypted; `last_step` prevents reuse of a code, `misses` limits guesses."""

    privacy = STAFF_WHILE_ORGANISATION

    user = models.OneToOneField(settings.AUTH_USER_MODEL, models.CASCADE, related_name="second_factor")
    secret = models.BinaryField()
    confirmed_at = models.DateTimeField(null=True)
    last_step = models.BigIntegerField(default=0)
    misses = models.PositiveIntegerField(default=0, help_text="wrong codes since the last right one")
    recovery_hashes = models.JSONField(default=list, help_text="hashes of one-time recovery codes")

    def __str__(self) -> str:
        return f"second factor of {self.user}"


class ConfirmedEmail(models.Model):
    """Records that a person opened a link in the mailbox `email`; valid while that is the address of their account.

    Empty after a change: the row stays, with its time, so that a link that was opened once cannot be opened again.
    """

    privacy = STAFF_WHILE_ORGANISATION

    user = models.OneToOneField(settings.AUTH_USER_MODEL, models.CASCADE, related_name="confirmed_email")
    email = models.EmailField(blank=True)
    confirmed_at = models.DateTimeField()

    def __str__(self) -> str:
        return f"confirmed address of {self.user}"


class OwnerToken(models.Model):
    """A token of the owner API, for programs; only its hash is stored."""

    privacy = Privacy(Subject.STAFF, retention=(Retention("expires_at", dt.timedelta(0)),))

    public_id = models.CharField(max_length=32, unique=True, default=partial(public_id, "t"), editable=False)
    user = models.ForeignKey(settings.AUTH_USER_MODEL, models.CASCADE, related_name="owner_tokens")
    name = NameField(max_length=80)
    token_hash = models.BinaryField(max_length=32, unique=True)
    created_at = models.DateTimeField()
    expires_at = models.DateTimeField()

    def __str__(self) -> str:
        return self.name


class Venue(models.Model):
    """A place that people enter through doors."""

    privacy = Privacy(Subject.NOBODY, export=Export.PUBLIC, retention=(Retention("closed_at", AFTER_CLOSING),))

    public_id = models.CharField(max_length=32, unique=True, default=partial(public_id, "v"), editable=False)
    organisation = models.ForeignKey(Organisation, models.CASCADE, related_name="venues")
    name = NameField(max_length=120)
    words = models.TextField(blank=True, editable=False, help_text="what finds its name: common.text.searchable")
    kind = models.CharField(max_length=16, choices=VenueKind)
    zip = models.CharField(
        max_length=5, blank=True, validators=[RegexValidator(r"\A([0-9]{5}|[0-9]{3})?\Z"), known_zip]
    )
    time_zone = models.CharField(max_length=64, default="UTC", validators=[known_time_zone])
    volume_m3 = models.FloatField(null=True, blank=True, validators=[MinValueValidator(5), MaxValueValidator(5e6)])
    air_changes_per_h = models.FloatField(
        null=True, blank=True, validators=[MinValueValidator(0.05), MaxValueValidator(60)]
    )
    usual_dwell_min = models.PositiveSmallIntegerField(
        null=True, blank=True, validators=[MinValueValidator(5), MaxValueValidator(1440)], help_text="else by kind"
    )
    check_in_share = models.FloatField(
        null=True,
        blank=True,
        validators=[MinValueValidator(0.01), MaxValueValidator(1)],
        help_text="share of the people present who check in, as those who run it say, from 0.01 to 1",
    )
    listed = models.BooleanField(default=True, help_text="found by search; an unlisted one needs its link")
    alert_percent = models.PositiveSmallIntegerField(
        default=90,
        validators=[MinValueValidator(1), MaxValueValidator(100)],
        help_text="share of the enforced limit at which its people are told that it fills up",
    )
    unmanned = models.BooleanField(default=False, help_text="commercial: doors that open on green without staff")
    created_at = models.DateTimeField()
    closed_at = models.DateTimeField(null=True, blank=True)
    requirements = models.ForeignKey(
        "Requirements", models.SET_NULL, null=True, related_name="+", help_text="the version in force at doors"
    )

    class Meta:
        indexes = [
            GinIndex(SearchVector("words", config="simple"), name="venue_words_search"),
            models.Index(fields=["zip", "kind"], condition=Q(closed_at=None), name="venue_zip_kind"),
            models.Index(
                Left("zip", 3), "kind", condition=Q(closed_at=None, listed=True), name="venue_zip3_kind_listed"
            ),
        ]

    def __str__(self) -> str:
        return self.name

    @property
    def zip3(self) -> str:
        """Return the first three digits of the ZIP code, or an empty string."""
        return self.zip[:3]

    @property
    def zone(self) -> ZoneInfo:
        """Return the time zone of its opening hours."""
        return ZoneInfo(self.time_zone)

    @property
    def dwell_min(self) -> int:
        """Return the usual minutes of a stay: its own figure, otherwise that of its kind."""
        return self.usual_dwell_min or USUAL_DWELL_MIN[self.kind]


class PresenceCount(models.Model):
    """The number of people whom somebody of the venue counted there at one time, with a check-in or without."""

    privacy = Privacy(Subject.NOBODY, retention=(Retention("counted_at", dt.timedelta(days=30), venue="venue"),))

    public_id = models.CharField(max_length=32, unique=True, default=partial(public_id, "n"), editable=False)
    venue = models.ForeignKey(Venue, models.CASCADE, related_name="presence_counts")
    counted_at = models.DateTimeField()
    people = models.PositiveIntegerField(validators=[MinValueValidator(1), MaxValueValidator(1_000_000)])
    created_at = models.DateTimeField()

    class Meta:
        constraints = [models.UniqueConstraint(fields=["venue", "counted_at"], name="one_count_a_moment")]

    def __str__(self) -> str:
        return f"{self.people} people at {self.venue}"


class AlertMail(models.Model):
    """A member who wants an e-mail when a place is filling up, with the language and origin of the request."""

    privacy = STAFF_WHILE_ORGANISATION

    venue = models.ForeignKey(Venue, models.CASCADE, related_name="alert_mails")
    membership = models.ForeignKey(Membership, models.CASCADE, related_name="alert_mails")
    language = models.CharField(max_length=16)
    origin = models.CharField(max_length=300, help_text="where the page was that they asked on; its link leads there")
    told_at = models.DateTimeField(null=True, help_text="of the present crossing; empty again once it fell below")

    class Meta:
        constraints = [models.UniqueConstraint(fields=["venue", "membership"], name="one_alert_a_member")]

    def __str__(self) -> str:
        return f"alert of {self.venue}"


class Requirements(models.Model):
    """One version of a venue's requirements. Rows are never changed: a change is a new version.

    The rules on answers (`refuse_*`) that were in force when check-in for an epoch opened apply to that epoch; the
    other rules are live at the doors.
    """

    privacy = NOBODY

    venue = models.ForeignKey(Venue, models.CASCADE, related_name="requirement_versions")
    version = models.PositiveIntegerField()
    created_at = models.DateTimeField()
    refuse_symptoms = models.BooleanField(default=True)
    refuse_diagnosed = models.BooleanField(default=True)
    refuse_contact = models.BooleanField(default=False)
    refuse_near = models.BooleanField(default=False)
    max_temperature_f = models.FloatField(
        null=True, blank=True, validators=[MinValueValidator(LOWEST_LIMIT_F), MaxValueValidator(HIGHEST_LIMIT_F)]
    )
    min_o2 = models.PositiveSmallIntegerField(
        null=True, blank=True, validators=[MinValueValidator(LOWEST_OXYGEN), MaxValueValidator(HIGHEST_OXYGEN)]
    )
    capacity = models.PositiveIntegerField(validators=[MinValueValidator(1), MaxValueValidator(1_000_000)])
    enforced_limit_percent = models.PositiveSmallIntegerField(
        default=100, validators=[MinValueValidator(1), MaxValueValidator(100)]
    )
    rotating_code = models.BooleanField(default=True)
    hours = models.JSONField(
        default=list,
        help_text="seven lists, Monday first, of [opens, closes] in local minutes from midnight; closes may pass 1440",
    )

    class Meta:
        verbose_name_plural = "requirements"
        constraints = [models.UniqueConstraint(fields=["venue", "version"], name="one_row_a_version")]

    def __str__(self) -> str:
        return f"version {self.version} of {self.venue}"


class Door(models.Model):
    """A way in or out."""

    privacy = NOBODY

    public_id = models.CharField(max_length=32, unique=True, default=partial(public_id, "d"), editable=False)
    venue = models.ForeignKey(Venue, models.CASCADE, related_name="doors")
    name = NameField(max_length=80)
    access = models.CharField(max_length=8, choices=Access, default=Access.PUBLIC)
    closed_at = models.DateTimeField(null=True, blank=True)
    created_at = models.DateTimeField()

    def __str__(self) -> str:
        return f"{self.name}, {self.venue}"


class EnrolmentCode(models.Model):
    """A one-time code that enrols a device, valid for ten minutes."""

    privacy = Privacy(Subject.NOBODY, retention=(Retention("expires_at", dt.timedelta(days=1)),))

    door = models.ForeignKey(Door, models.CASCADE, related_name="enrolment_codes")
    code_hash = models.BinaryField(max_length=32, unique=True)
    expires_at = models.DateTimeField()
    used_at = models.DateTimeField(null=True)

    def __str__(self) -> str:
        return f"enrolment code for {self.door}"


class Device(models.Model):
    """A kiosk or phone that scans at one door. It is not a user: its token may call a list of endpoints only."""

    privacy = Privacy(Subject.NOBODY, kept="deleted with its venue; contains no personal data")

    public_id = models.CharField(max_length=32, unique=True, default=partial(public_id, "k"), editable=False)
    door = models.ForeignKey(Door, models.CASCADE, related_name="devices")
    name = NameField(max_length=80)
    kind = models.CharField(max_length=8, choices=DeviceKind)
    token_hash = models.BinaryField(max_length=32, unique=True)
    enrolled_at = models.DateTimeField()
    revoked_at = models.DateTimeField(null=True, blank=True)
    last_seen = models.DateTimeField(null=True, blank=True, help_text="coarse: to the quarter of an hour")

    def __str__(self) -> str:
        return self.name


class Event(models.Model):
    """A time at a venue with a separate crowd: a dinner, a match, a service."""

    privacy = Privacy(Subject.NOBODY, kept="lives with its venue")

    public_id = models.CharField(max_length=32, unique=True, default=partial(public_id, "e"), editable=False)
    venue = models.ForeignKey(Venue, models.CASCADE, related_name="events")
    name = NameField(max_length=120)
    starts_at = models.DateTimeField()
    ends_at = models.DateTimeField()
    created_at = models.DateTimeField()
    size = models.PositiveIntegerField(validators=[MinValueValidator(1), MaxValueValidator(1_000_000)])
    invitation_needed = models.BooleanField(default=True)
    cancelled_at = models.DateTimeField(null=True, blank=True)

    class Meta:
        constraints = [models.CheckConstraint(condition=Q(ends_at__gt=models.F("starts_at")), name="event_has_length")]
        indexes = [models.Index(fields=["venue", "starts_at"])]

    def __str__(self) -> str:
        return self.name


class Invitation(models.Model):
    """A code that opens check-in to an event. It is checked at issue and not stored with a pass."""

    privacy = Privacy(Subject.NOBODY, kept="deleted with its event; does not show who used it", ordered_by_acts=True)

    public_id = models.CharField(max_length=32, unique=True, default=partial(public_id, "i"), editable=False)
    event = models.ForeignKey(Event, models.CASCADE, related_name="invitations")
    created_at = models.DateTimeField()
    code = models.BinaryField(help_text="encrypted, so that the host can show the link again")
    code_hash = models.BinaryField(max_length=32, unique=True)
    uses = models.PositiveIntegerField(
        db_default=1,  # written by a server of the previous version during an upgrade
        help_text="as many as the event holds, or as its host says",
    )
    uses_left = models.PositiveIntegerField(
        help_text="on the first day of the event; shown to nobody: it falls with each answered check-in"
    )
    used_later = models.JSONField(
        default=dict,
        db_default={},  # written by a server of the previous version during an upgrade
        help_text="uses on further days of the event, by the start of the day in Unix seconds; shown to nobody",
    )
    revoked_at = models.DateTimeField(null=True, blank=True)

    def __str__(self) -> str:
        return f"invitation to {self.event}"
