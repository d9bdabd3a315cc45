"""Models: the ledger of releases, and the index, erasures and receipts for the erasure of verified rows."""

import datetime as dt
import uuid
from functools import partial
from typing import Final

from django.contrib.postgres.constraints import ExclusionConstraint
from django.contrib.postgres.fields import DateRangeField
from django.db import models
from django.db.models import F, Func, Q, Value
from django.db.models.expressions import Combinable

from common.ids import public_id
from common.privacy import Erasure as Erasing
from common.privacy import Export, Privacy, Retention, Subject
from exports.policy.periods import Period
from venues.models import Device, Venue

# Backups are kept 14 days (docs/operators.md); one more day covers a restore on the last.
ERASURES_KNOWN: Final = dt.timedelta(days=15)


def _days(first: Combinable, last: F) -> Func:
    """Return the range from one day to another, both inclusive."""
    return Func(first, last, Value("[]"), function="daterange", output_field=DateRangeField())


FIRST_DAY: Final = Func(
    F("day"), F("days"), template="(%(expressions)s + 1)", arg_joiner=" - ", output_field=models.DateField()
)
"""The first day of a release, as an expression."""


class Step(models.TextChoices):
    """Steps of a release, in order; a row names the last completed one.

    The first three are one transaction, because exact counts are never stored: it commits only the noisy ones.
    """

    OPENED = "opened"
    DRAWN = "draw"
    CHECKED = "check"
    WRITTEN = "write"
    CATALOGUED = "catalogue"
    ANNOUNCED = "announce"


class ServedDay(models.Model):
    """A day on which the deployment was in service, so that a day without passes is released as empty, not skipped."""

    privacy = Privacy(Subject.NOBODY, export=Export.PUBLIC, kept="says which days the dataset covers")

    day = models.DateField(primary_key=True)
    simulated = models.BooleanField(
        default=False, db_default=False, help_text="people of a simulated town are among those of the day"
    )

    def __str__(self) -> str:
        return f"served on {self.day}"


class LeftOutDay(models.Model):
    """A day of a device whose passes the operator excluded from the release before the day closed."""

    privacy = Privacy(Subject.NOBODY, export=Export.PUBLIC, kept="says what the dataset does not count")

    device = models.ForeignKey(Device, models.CASCADE, related_name="+")
    day = models.DateField()

    class Meta:
        constraints = [models.UniqueConstraint(fields=["device", "day"], name="left_out_once")]

    def __str__(self) -> str:
        return f"left out of {self.day}"


class Plan(models.Model):
    """The areas and venues that will be counted on a day or in a week, stored before it begins."""

    privacy = Privacy(Subject.NOBODY, export=Export.PUBLIC, kept="says what the draws could count")

    first_day = models.DateField(unique=True)
    last_day = models.DateField(unique=True, help_text="the same day, or the Sunday of the week that is drawn as one")
    zips = models.JSONField(help_text="3-digit ZIPs with a venue of a verified organisation")
    frozen_at = models.DateTimeField(null=True, help_text="venues verified by then count; null: made at the draw")

    class Meta:
        constraints = [
            models.CheckConstraint(condition=Q(last_day__gte=F("first_day")), name="plan_has_days"),
            ExclusionConstraint(name="a_day_has_one_plan", expressions=[(_days(F("first_day"), F("last_day")), "&&")]),
        ]

    def __str__(self) -> str:
        return f"plan of {self.first_day}"


class Release(models.Model):
    """The release of one closed day or week and its entry in the budget. Once drawn, the noisy counts never change.

    The budget is charged to each of its days: none of them is drawn in another release.
    """

    privacy = Privacy(Subject.NOBODY, export=Export.PUBLIC, kept="the privacy ledger; holds drawn counts only")

    day = models.DateField(unique=True, help_text="the last day")
    days = models.PositiveSmallIntegerField(default=1, db_default=1, help_text="how many, the last one included")
    step = models.CharField(max_length=12, choices=Step, default=Step.OPENED)
    budget = models.FloatField(help_text="epsilon that each of these days may cost one secret")
    epsilon = models.FloatField(null=True, help_text="what the draw cost, by the privacy maps")
    drawn = models.BinaryField(null=True, help_text="exports.policy.draw.Drawn")
    drawn_at = models.DateTimeField(null=True)
    snapshots = models.JSONField(default=dict, help_text="snapshot of each open table after this release")
    manifest = models.JSONField(default=dict)
    profile = models.JSONField(default=dict, help_text="exports.policy.profile: statistics of the drawn counts")
    daily = models.JSONField(
        default=list, help_text="rows of the day's aggregates by state, exports.dataset.tables.DAILY"
    )
    signals = models.JSONField(default=list, help_text="exports.policy.signals.Signal, without the day")
    announced_at = models.DateTimeField(null=True)
    number = models.PositiveIntegerField(null=True, unique=True, help_text="place in the order of announcements")
    tries = models.PositiveIntegerField(default=0)
    failure = models.TextField(blank=True, help_text="why the last try published nothing")
    lost_at = models.DateTimeField(null=True, help_text="when rows were found past their term before any was counted")

    class Meta:
        constraints = [
            models.CheckConstraint(
                condition=Q(drawn=None, epsilon=None, step=Step.OPENED)
                | Q(drawn__isnull=False, epsilon__lte=F("budget")),
                name="drawn_within_the_budget",
            ),
            models.CheckConstraint(condition=Q(days__gte=1), name="release_has_days"),
            ExclusionConstraint(name="a_day_is_drawn_once", expressions=[(_days(FIRST_DAY, F("day")), "&&")]),
        ]

    def __str__(self) -> str:
        return f"release of {self.day}: {self.step}"

    @property
    def first_day(self) -> dt.date:
        """Return the first of its days."""
        return self.day - dt.timedelta(days=self.days - 1)


class PassPool(models.Model):
    """All scanned passes of 28 days, with noise from the beginning: the stored sum is never exact."""

    privacy = Privacy(Subject.NOBODY, export=Export.COUNTS, kept="one noisy sum for 28 days, published once")

    first_day = models.DateField(unique=True)
    noisy_sum = models.BigIntegerField(help_text="begins with the noise; each day's scanned passes are added")
    scale = models.FloatField(help_text="of the noise")
    epsilon = models.FloatField(help_text="what it costs one secret on each of its days")
    days = models.PositiveSmallIntegerField(default=0, help_text="days that were added")
    published_in = models.DateField(null=True, help_text="the release whose manifest has it; then it is closed")

    def __str__(self) -> str:
        return f"passes from {self.first_day}"


class Webhook(models.Model):
    """A URL that gets a request for each release, registered by the operator."""

    privacy = Privacy(Subject.STAFF, kept="until the operator removes it")

    public_id = models.CharField(max_length=32, unique=True)
    url = models.CharField(max_length=500)
    secret = models.BinaryField(help_text="encrypted; signs what is sent")
    created_at = models.DateTimeField()

    def __str__(self) -> str:
        return f"webhook {self.public_id}"


class WebhookDelivery(models.Model):
    """A delivery of a release to a URL, pending or finished."""

    privacy = Privacy(Subject.STAFF, retention=(Retention("created_at", dt.timedelta(days=90)),))

    public_id = models.CharField(max_length=40, unique=True)
    webhook = models.ForeignKey(Webhook, on_delete=models.CASCADE)
    release = models.ForeignKey(Release, on_delete=models.CASCADE)
    created_at = models.DateTimeField()
    next_try_at = models.DateTimeField()
    tries = models.PositiveSmallIntegerField(default=0)
    delivered_at = models.DateTimeField(null=True)
    failure = models.CharField(max_length=200, blank=True)

    class Meta:
        verbose_name_plural = "webhook deliveries"
        constraints = [models.UniqueConstraint(fields=["webhook", "release"], name="told_once_of_a_release")]
        indexes = [models.Index(fields=["next_try_at"], condition=Q(delivered_at=None), name="deliveries_waiting")]

    def __str__(self) -> str:
        return f"delivery {self.public_id}"


# Statistics of venues -------------------------------------------------------------------------------------------------
class StatisticsDraw(models.Model):
    """One draw of figures for people who run venues, and its entry in their budget. Once drawn it never changes."""

    privacy = Privacy(Subject.NOBODY, kept="the privacy ledger; holds drawn counts only")

    period = models.CharField(max_length=4, choices=[(period.value, period.value) for period in Period])
    first_day = models.DateField(help_text="of a day's draw the day, of a week's its Monday")
    budget = models.FloatField(help_text="epsilon that all figures of a day may cost one secret")
    epsilon = models.FloatField(null=True, help_text="what the draw cost, by the privacy maps")
    scales = models.JSONField(default=dict, help_text="scale of the noise, by table")
    drawn = models.BinaryField(null=True, help_text="exports.policy.draw.Drawn")
    drawn_at = models.DateTimeField(null=True)
    kept_at = models.DateTimeField(null=True, help_text="when it was copied to the lake; shown from then on")
    lost_at = models.DateTimeField(null=True, help_text="when rows were found past their term before any was counted")

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["period", "first_day"], name="one_draw_of_statistics"),
            models.CheckConstraint(
                condition=Q(epsilon=None) | Q(epsilon__lte=F("budget")), name="statistics_in_budget"
            ),
        ]

    def __str__(self) -> str:
        return f"statistics of {self.period} {self.first_day}"


class VenueFigures(models.Model):
    """One venue's part of a draw: noisy counts by table."""

    privacy = Privacy(Subject.NOBODY, kept="drawn counts; goes with its venue")

    draw = models.ForeignKey(StatisticsDraw, models.CASCADE, related_name="figures")
    venue = models.ForeignKey(Venue, models.CASCADE, related_name="+")
    noisy = models.JSONField(help_text="exports.policy.owner_figures, by name of the table")

    class Meta:
        verbose_name_plural = "venue figures"
        constraints = [models.UniqueConstraint(fields=["draw", "venue"], name="one_part_of_a_draw")]

    def __str__(self) -> str:
        return f"figures of {self.draw_id}"


# Verified tier --------------------------------------------------------------------------------------------------------
class VerifiedDay(models.Model):
    """One closed day's real rows for approved organisations: the last completed step, and numbers of rows."""

    privacy = Privacy(Subject.NOBODY, export=Export.PUBLIC, kept="totals of whole days")

    class Step(models.TextChoices):
        """Steps in order; a row names the last completed one."""

        OPENED = "opened"
        INDEXED = "index"
        WRITTEN = "write"
        ANNOUNCED = "announce"

    day = models.DateField(unique=True)
    step = models.CharField(max_length=10, choices=Step, default=Step.OPENED)
    token_key = models.BinaryField(null=True, help_text="encrypted; makes the day's tokens, forgotten once announced")
    rows = models.PositiveIntegerField(default=0, help_text="as published; erasures take some away")
    dropped = models.PositiveIntegerField(default=0, help_text="marked passes without a class that holds")
    announced_at = models.DateTimeField(null=True)
    tries = models.PositiveIntegerField(default=0)
    failure = models.TextField(blank=True)

    def __str__(self) -> str:
        return f"verified rows of {self.day}: {self.step}"

    @property
    def job(self) -> str:
        """Return the name of its commit and of the files it writes."""
        return f"verified-{self.day.isoformat()}"


class Recipient(models.Model):
    """An organisation that the operator approved to read the verified tier."""

    privacy = Privacy(Subject.STAFF, kept="who was approved, and when that ended, stays known")

    public_id = models.CharField(max_length=32, unique=True, default=partial(public_id, "r"), editable=False)
    name = models.CharField(max_length=120)
    approved_at = models.DateTimeField()
    withdrawn_at = models.DateTimeField(null=True)

    def __str__(self) -> str:
        return self.name


class Credential(models.Model):
    """A recipient's credential for some days of data, until it expires. Only its hash is stored."""

    privacy = Privacy(Subject.STAFF, retention=(Retention("expires_at", dt.timedelta(0)),))

    public_id = models.CharField(max_length=32, unique=True, default=partial(public_id, "c"), editable=False)
    recipient = models.ForeignKey(Recipient, models.CASCADE, related_name="credentials")
    token_hash = models.BinaryField(max_length=32, unique=True)
    created_at = models.DateTimeField()
    expires_at = models.DateTimeField()
    first_day = models.DateField(help_text="of the data it opens")
    last_day = models.DateField(help_text="of the data it opens")

    class Meta:
        constraints = [models.CheckConstraint(condition=Q(last_day__gte=F("first_day")), name="credential_has_days")]

    def __str__(self) -> str:
        return f"credential of {self.recipient}"


# Erasure --------------------------------------------------------------------------------------------------------------
class VerifiedFile(models.Model):
    """A data file of the verified tier, by its name under the table; an erasure that rewrites it renames it."""

    privacy = Privacy(Subject.NOBODY, kept="names a file for as long as rows of it are in the index")

    day = models.DateField(db_index=True)
    name = models.CharField(max_length=250, unique=True)

    def __str__(self) -> str:
        return self.name


class IndexEntry(models.Model):
    """The location of a verified row. Only its holder can find it, even after the pass itself is purged."""

    privacy = Privacy(Subject.HOLDER, erasure=Erasing.REMOVED, kept="lives and goes with its row in the lake")

    index_hash = models.BinaryField(primary_key=True, max_length=32, help_text='HMAC(pepper, "index" || owner hash)')
    # The database does not check this foreign key, because the check took a third of the time of publishing a day. A
    # file and its entries are created and deleted in one transaction, under the lock of the verified tier; an erasure
    # that finds an entry without a file reports it.
    file = models.ForeignKey(VerifiedFile, models.CASCADE, related_name="entries", db_index=False, db_constraint=False)
    token = models.BinaryField(max_length=16, help_text="`userid` of the row, in hexadecimal there")

    class Meta:
        verbose_name_plural = "index entries"
        constraints = [models.UniqueConstraint(fields=["file", "token"], name="one_entry_a_row")]

    def __str__(self) -> str:
        return f"a row in {self.file_id}"


class ErasureBatch(models.Model):
    """Erasures that are processed together in the lake, in one commit. Deleted when they are finished."""

    privacy = Privacy(Subject.HOLDER, kept="goes when its erasures are finished")

    class Step(models.TextChoices):
        """Steps in order. From `removing` on, the batch cannot be cancelled."""

        OPENED = "opened"
        REMOVING = "removing"
        REMOVED = "removed"

    id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    step = models.CharField(max_length=10, choices=Step, default=Step.OPENED)
    plan = models.BinaryField(null=True, help_text="encrypted: tokens that go, files that are renamed")
    tries = models.PositiveIntegerField(default=0)

    class Meta:
        verbose_name_plural = "erasure batches"

    def __str__(self) -> str:
        return f"batch: {self.step}"

    @property
    def job(self) -> str:
        """Return the name of its commit and of the files it writes."""
        return f"erasure-{self.id.hex}"


class Erasure(models.Model):
    """One request of a holder and its receipt: counts and object names, nothing that identifies a pass or a person.

    The owners are stored encrypted in `work`, so that the database cannot join their passes, until it is finished.
    """

    privacy = Privacy(Subject.HOLDER, retention=(Retention("asked_at", dt.timedelta(days=90)),))

    class Status(models.TextChoices):
        """States of an erasure, as the API names them."""

        QUEUED = "queued"
        RUNNING = "running"
        DONE = "done"
        FAILED = "failed"
        CANCELLED = "cancelled"

    receipt_hash = models.BinaryField(primary_key=True, max_length=32, help_text="keyed hash of the capability")
    asked_at = models.DateTimeField()
    finished_at = models.DateTimeField(null=True)
    status = models.CharField(max_length=10, choices=Status, default=Status.QUEUED)
    work = models.BinaryField(null=True, help_text="encrypted owner hashes, until it is finished")
    again = models.BooleanField(
        default=False, help_text="after a restore: `work` holds hashes of the log, as the index has them"
    )
    batch = models.ForeignKey(ErasureBatch, models.SET_NULL, null=True, related_name="erasures")
    passes = models.PositiveIntegerField(default=0)
    scans = models.PositiveIntegerField(default=0)
    ratings = models.PositiveIntegerField(default=0)
    rows = models.PositiveIntegerField(default=0, help_text="rows of the verified tier")
    objects_changed = models.JSONField(default=list, help_text="name, rows before, rows after")
    proven = models.BooleanField(default=False)
    failure = models.CharField(max_length=200, blank=True, help_text="for the operator")

    class Meta:
        indexes = [models.Index(fields=["status"], condition=Q(status__in=("queued", "running")), name="erasures_open")]

    def __str__(self) -> str:
        return f"erasure: {self.status}"


class ErasedOwner(models.Model):
    """An erased owner, whose rows must be erased again after a restore. Copied to the lake's storage day by day."""

    privacy = Privacy(Subject.HOLDER, retention=(Retention("erased_on", ERASURES_KNOWN),), ordered_by_acts=True)

    index_hash = models.BinaryField(primary_key=True, max_length=32)
    erased_on = models.DateField(db_index=True)
    copied = models.BooleanField(default=False, help_text="is in the storage's copy")

    def __str__(self) -> str:
        return f"erased on {self.erased_on}"


# Athena's protocol ----------------------------------------------------------------------------------------------------
class AthenaQuery(models.Model):
    """A query that a client started through Athena's protocol; its rows are in the lake's `results/`."""

    privacy = Privacy(Subject.NOBODY, retention=(Retention("submitted_at", dt.timedelta(days=1)),))

    class State(models.TextChoices):
        QUEUED = "QUEUED"
        RUNNING = "RUNNING"
        SUCCEEDED = "SUCCEEDED"
        FAILED = "FAILED"
        CANCELLED = "CANCELLED"

    id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    token = models.CharField(max_length=64, unique=True, help_text="hash of ClientRequestToken; random without one")
    sql = models.TextField()
    parameters = models.JSONField(default=list, db_default=models.Value([], models.JSONField()))
    state = models.CharField(max_length=10, choices=State, default=State.QUEUED)
    reason = models.TextField(blank=True)
    submitted_at = models.DateTimeField()
    completed_at = models.DateTimeField(null=True)
    elapsed_ms = models.PositiveIntegerField(default=0)
    stored_bytes = models.PositiveIntegerField(default=0, db_default=0, help_text="of its results; 0: none, or removed")

    class Meta:
        verbose_name_plural = "Athena queries"

    def __str__(self) -> str:
        return f"{self.state} query of {self.submitted_at:%Y-%m-%d %H:%M}"


# Radar: Django finds the models of an app through this module. -------------------------------------------------------
from exports.radar.models import RadarForecast, RadarRun  # noqa: E402, F401
