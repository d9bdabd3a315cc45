"""Passes, scans, visits and visitors' later reports. No row names a visitor, and no two passes of one share a value.

Rows of one pass are joined by `tag` (a keyed hash of the anchor) or by the pass's random id. None of them has a key to
a visitor, because a check-in is paid for with a ticket that was drawn under a blind signature.
"""

import datetime as dt
import uuid

from django.contrib.postgres.functions import RandomUUID
from django.db import models
from django.db.models import Q

from common.privacy import NOBODY, Erasure, Export, Privacy, Retention, Subject
from passes.limits import EPOCH_LENGTH, VISIT_RETENTION
from venues.models import Device, Venue

# Retention periods of an epoch's date, counted from the start of its day.
AT_END = EPOCH_LENGTH
AFTER_RETENTION = EPOCH_LENGTH + VISIT_RETENTION
VISIT_ROW = Privacy(
    Subject.VISIT,
    erasure=Erasure.REMOVED,
    export=Export.COUNTS,
    retention=(Retention("epoch", AFTER_RETENTION, venue="venue"),),
)


class ScanType(models.TextChoices):
    CHECKIN = "Checkin"
    CHECKOUT = "Checkout"


class IssuerKey(models.Model):
    """The Ed25519 key that signs every pass of one epoch; the private half is encrypted with the master key."""

    privacy = Privacy(Subject.NOBODY, export=Export.PUBLIC, kept="small; its private half is erased at epoch end")

    epoch = models.DateField(unique=True)
    kid = models.BinaryField(max_length=4)
    public = models.BinaryField(max_length=32)
    private = models.BinaryField(null=True)
    created_at = models.DateTimeField()

    def __str__(self) -> str:
        return f"issuer key of {self.epoch}"


class SealingKey(models.Model):
    """An X25519 key for which kiosks seal queued scans, a new one each week.

    It is stored for the 7 days of its use, a day for which an offline kiosk may still use its bundle, and the 7 days by
    which a scan may be late.
    """

    privacy = Privacy(Subject.NOBODY, retention=(Retention("epoch", AT_END + dt.timedelta(days=15)),))

    epoch = models.DateField(unique=True, help_text="first day of use")
    public = models.BinaryField(max_length=32)
    private = models.BinaryField()

    def __str__(self) -> str:
        return f"sealing key of {self.epoch}"


class Visitor(models.Model):
    """A registration: two keyed hashes and two months. No key to any pass."""

    privacy = Privacy(
        Subject.VISITOR, erasure=Erasure.REMOVED, retention=(Retention("used_month", dt.timedelta(days=180 + 31)),)
    )

    key_hash = models.BinaryField(primary_key=True, max_length=32)
    erase_hash = models.BinaryField(max_length=32)
    made_month = models.DateTimeField(help_text="first instant of the month")
    used_month = models.DateTimeField(help_text="first instant of the month")

    def __str__(self) -> str:
        return f"visitor of {self.used_month:%Y-%m}"


class TicketKey(models.Model):
    """One of the two RSA keys that sign the tickets of an epoch; the private half is encrypted with the master key.

    The row is deleted when check-in closes. A row without its halves records that the key is lost, and prevents another
    from being made.
    """

    privacy = Privacy(Subject.NOBODY, export=Export.PUBLIC, kept="deleted by the task for keys when check-in closes")

    epoch = models.DateField()
    ticket_class = models.CharField(max_length=8, help_text="passes.codec.ticket_keys.TicketClass")
    public = models.BinaryField(null=True, help_text="SubjectPublicKeyInfo, DER")
    private = models.BinaryField(null=True, help_text="PKCS #8, DER, encrypted")
    counts = models.BooleanField(
        default=True, help_text="false after a restore: a ticket may have been spent before it"
    )

    class Meta:
        constraints = [models.UniqueConstraint(fields=["epoch", "ticket_class"], name="one_ticket_key_a_class")]

    def __str__(self) -> str:
        return f"ticket key of {self.epoch}"


class DrawnSet(models.Model):
    """Records that a key has drawn its tickets of an epoch: it gets no second set, even after registering again."""

    privacy = Privacy(Subject.VISITOR, retention=(Retention("epoch", AT_END),))

    drawn_hash = models.BinaryField(primary_key=True, max_length=32, help_text='HMAC(pepper, "drawn" || K_auth || e)')
    set_hash = models.BinaryField(max_length=32)
    epoch = models.DateField()

    def __str__(self) -> str:
        return f"tickets of {self.epoch}"


class SpentTicket(models.Model):
    """Records that a ticket is spent, on what and with which verdict; written with the pass or refusal."""

    privacy = Privacy(Subject.VISIT, retention=(Retention("epoch", AT_END),))

    nonce_hash = models.BinaryField(
        primary_key=True, max_length=16, help_text='HMAC(pepper, "spent-ticket" || nonce)[:16]'
    )
    body_hash = models.BinaryField(max_length=16, help_text='HMAC(pepper, "body" || nonce || body)[:16]')
    go = models.BooleanField()
    epoch = models.DateField()

    def __str__(self) -> str:
        return f"ticket of {self.epoch}"


class Pass(models.Model):
    """A pass or a refusal: four answers for one venue in one epoch."""

    privacy = Privacy(
        Subject.VISIT,
        erasure=Erasure.REMOVED,
        export=Export.COUNTS,
        retention=(
            Retention("epoch", AFTER_RETENTION, venue="venue"),
            Retention("epoch", AT_END, venue="venue", blank="anchor"),
        ),
    )

    id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    tag = models.BinaryField(max_length=16, unique=True, help_text='HMAC(pepper, "tag" || anchor)[:16]')
    anchor = models.BinaryField(max_length=16, null=True, help_text="for the revocation list, until the epoch ends")
    venue = models.ForeignKey(Venue, models.CASCADE, related_name="+")
    epoch = models.DateField()
    owner_hash = models.BinaryField(max_length=32, unique=True)
    symptoms = models.BooleanField()
    diagnosed = models.BooleanField()
    contact = models.BooleanField()
    near = models.BooleanField()
    survey_seconds = models.PositiveIntegerField()
    go = models.BooleanField()
    refused_hour = models.PositiveSmallIntegerField(null=True, help_text="local hour of a refusal")
    revoked = models.BooleanField(default=False)
    counted = models.BooleanField(help_text="counts for the open release")

    class Meta:
        verbose_name_plural = "passes"
        indexes = [models.Index(fields=["venue", "epoch"]), models.Index(fields=["epoch"])]

    def __str__(self) -> str:
        return f"pass of {self.epoch}"


class RevokedEntry(models.Model):
    """The entry of a revoked or erased pass in its venue's revocation list, by which offline kiosks decline it.

    `HMAC(list salt, anchor)[:8]` reveals nothing without the anchor. The time at which it appears is random.
    """

    privacy = Privacy(
        Subject.VISIT, erasure=Erasure.NOT_CONCERNED, retention=(Retention("epoch", AT_END, venue="venue"),)
    )

    id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    venue = models.ForeignKey(Venue, models.CASCADE, related_name="+")
    epoch = models.DateField()
    entry = models.BinaryField(max_length=8)
    appears_at = models.DateTimeField(help_text="a publication drawn from those of the 12 hours after")

    class Meta:
        verbose_name_plural = "revoked entries"
        constraints = [models.UniqueConstraint(fields=["venue", "epoch", "entry"], name="listed_once")]

    def __str__(self) -> str:
        return f"revoked in {self.epoch}"


class Tombstone(models.Model):
    """Records that an anchor, or an owner hash, belonged to an erased pass or refusal, so that it makes no second one.

    It is kept as long as the row would have been: responses to an erased anchor never differ from those to a known one.
    """

    privacy = Privacy(Subject.HOLDER, retention=(Retention("epoch", AFTER_RETENTION),), ordered_by_acts=True)

    mark = models.BinaryField(
        primary_key=True, max_length=16, help_text="HMAC(pepper, label || tag or owner hash)[:16]"
    )
    sealed_venue = models.BinaryField(
        max_length=8, help_text="masked with HMAC(pepper, label || tag): readable with the pass alone; else random"
    )
    epoch = models.DateField()

    def __str__(self) -> str:
        return f"erased in {self.epoch}"


class Scan(models.Model):
    """One result at a door, green or red, with the cause for the operator's totals."""

    privacy = VISIT_ROW

    id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    scan_id = models.CharField(max_length=64)
    # No index on the venue alone, which every scan would have to update: other indexes begin with the venue.
    venue = models.ForeignKey(Venue, models.CASCADE, related_name="+", db_index=False)
    device = models.ForeignKey(Device, models.SET_NULL, null=True, related_name="+")
    tag = models.BinaryField(max_length=16, null=True, help_text="null: no pass could be read")
    epoch = models.DateField()
    type = models.CharField(max_length=8, choices=ScanType)
    slot = models.SmallIntegerField(help_text="minute of the epoch, from 1")
    scanned_at = models.DateTimeField()
    approved = models.BooleanField()
    cause = models.CharField(max_length=24, help_text="passes.admission.Cause")
    kiosk_approved = models.BooleanField(null=True, help_text="what an offline kiosk had said")
    temperature_f = models.FloatField(null=True, help_text="only where the deployment publishes readings")
    o2 = models.PositiveSmallIntegerField(null=True, help_text="only where the deployment publishes readings")
    abuse_score = models.FloatField(null=True, help_text="passes.abuse: 0 to 1; null while or if it is not computed")

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["venue", "scan_id"], name="one_answer_a_scan_id"),
            models.UniqueConstraint(
                fields=["tag", "type", "slot"], condition=Q(approved=True), name="a_code_counts_once"
            ),
        ]
        indexes = [models.Index(fields=["venue", "scanned_at"]), models.Index(fields=["tag"])]

    def __str__(self) -> str:
        return f"{self.type} of {self.epoch}"


class Visit(models.Model):
    """One stay: from a Checkin to a Checkout, the venue's usual dwell or closing time, the earliest of these."""

    privacy = VISIT_ROW

    id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    tag = models.BinaryField(max_length=16)
    venue = models.ForeignKey(Venue, models.CASCADE, related_name="+", db_index=False)
    epoch = models.DateField()
    arrived_at = models.DateTimeField()
    left_at = models.DateTimeField(null=True, help_text="null while only the time-out is known")
    times_out_at = models.DateTimeField(help_text="end of the stay when nobody checks out")
    kept_out = models.BooleanField(
        default=False, db_default=False, help_text="not in crowd state: the scan that began it scored too high"
    )

    class Meta:
        constraints = [
            models.CheckConstraint(condition=Q(times_out_at__gt=models.F("arrived_at")), name="stay_has_length"),
            # Both may be in the same second.
            models.CheckConstraint(condition=Q(left_at__gte=models.F("arrived_at")), name="left_after_arrival"),
        ]
        indexes = [
            # Both include what the head count at a door reads, so that it does not need to read the rows.
            models.Index(
                fields=["venue", "times_out_at"], include=["arrived_at"], condition=Q(left_at=None), name="visits_open"
            ),
            models.Index(
                fields=["venue", "left_at"],
                include=["arrived_at"],
                condition=Q(left_at__isnull=False),
                name="visits_left",
            ),
            models.Index(fields=["venue", "arrived_at"]),
            models.Index(fields=["tag"]),
        ]

    def __str__(self) -> str:
        return f"visit of {self.epoch}"


class AbuseThreshold(models.Model):
    """The only row of its table: the score from which a visit is kept out of crowd state."""

    privacy = NOBODY

    id = models.PositiveSmallIntegerField(primary_key=True, default=1, editable=False)
    value = models.FloatField()

    class Meta:
        constraints = [
            models.CheckConstraint(condition=Q(id=1), name="one_threshold"),
            models.CheckConstraint(condition=Q(value__gt=0, value__lte=1), name="threshold_is_a_score"),
        ]

    def __str__(self) -> str:
        return f"threshold {self.value}"


class Exemption(models.Model):
    """A device of a verified organisation whose scores keep nobody out of crowd state until it ends."""

    privacy = Privacy(Subject.NOBODY, retention=(Retention("until", dt.timedelta(0)),))

    device = models.OneToOneField(Device, models.CASCADE, primary_key=True, related_name="+")
    until = models.DateTimeField()
    reason = models.CharField(max_length=200)

    def __str__(self) -> str:
        return f"exempt until {self.until:%Y-%m-%d}"


class Change(models.Model):
    """A queue that the crowd task empties: something in this venue's hour changed. Append-only, so doors never wait.

    Ids are random, because consecutive numbers would reveal which venues one erasure affected.
    """

    privacy = NOBODY

    id = models.UUIDField(primary_key=True, default=uuid.uuid4, db_default=RandomUUID(), editable=False)
    venue = models.ForeignKey(Venue, models.CASCADE, related_name="+")
    since = models.DateTimeField(help_text="the earliest instant that changed")

    def __str__(self) -> str:
        return f"change since {self.since:%Y-%m-%d %H:%M}"


class Rating(models.Model):
    """A visitor's rating of masks and distancing, 1 to 5."""

    privacy = Privacy(
        Subject.VISIT,
        erasure=Erasure.REMOVED,
        export=Export.COUNTS,
        retention=(Retention("pass_row__epoch", AFTER_RETENTION, venue="pass_row__venue"),),
    )

    pass_row = models.OneToOneField(Pass, models.CASCADE, primary_key=True, related_name="rating")
    masks = models.PositiveSmallIntegerField()
    distancing = models.PositiveSmallIntegerField()

    class Meta:
        constraints = [
            models.CheckConstraint(
                condition=Q(masks__range=(1, 5)) & Q(distancing__range=(1, 5)), name="ratings_from_one_to_five"
            )
        ]

    def __str__(self) -> str:
        return f"{self.masks} {self.distancing}"


class Name(models.Model):
    """A name that a visitor shows to one venue, encrypted with the venue's key; deleted when the epoch ends."""

    privacy = Privacy(
        Subject.VISIT,
        erasure=Erasure.REMOVED,
        retention=(Retention("pass_row__epoch", AT_END, venue="pass_row__venue"),),
    )

    pass_row = models.OneToOneField(Pass, models.CASCADE, primary_key=True, related_name="name")
    text = models.BinaryField()

    def __str__(self) -> str:
        return "a name"


class SpentOwner(models.Model):
    """Records that an owner has reported already: `HMAC(pepper, "spent" || owner hash)`."""

    privacy = Privacy(Subject.VISIT, erasure=Erasure.REMOVED, retention=(Retention("spent_on", AFTER_RETENTION),))

    spent_hash = models.BinaryField(primary_key=True, max_length=32)
    spent_on = models.DateField()

    def __str__(self) -> str:
        return f"spent on {self.spent_on}"


class Mixed(models.Model):
    """The only row of its table: the transaction up to which rows of visits are in random order."""

    privacy = NOBODY

    id = models.PositiveSmallIntegerField(primary_key=True, default=1, editable=False)
    horizon = models.BigIntegerField(default=0, help_text="number of a transaction; all before it are mixed")
    own = models.JSONField(default=list, help_text="numbers of the transactions since then that did the mixing")

    class Meta:
        verbose_name_plural = "mixings"
        constraints = [models.CheckConstraint(condition=Q(id=1), name="one_horizon")]

    def __str__(self) -> str:
        return f"mixed up to {self.horizon}"
