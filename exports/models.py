"""The ledger of releases: one row a closed day, with what was drawn for it. No row of a person."""

import datetime as dt

from django.db import models
from django.db.models import F, Q

from crowdtrace.common.privacy import Export, Privacy, Retention, Subject


class Step(models.TextChoices):
    """Steps of a release, in order; a row names the last one that is done.

    The first three are one transaction, because exact counts are kept nowhere: it ends with the noisy ones.
    """

    OPENED = "opened"
    DRAWN = "draw"
    CHECKED = "check"
    WRITTEN = "write"
    CATALOGUED = "catalogue"
    ANNOUNCED = "announce"


class ServedDay(models.Model):
    """That the deployment was open on a day, so that a day without passes is released as empty, not left out."""

    privacy = Privacy(Subject.NOBODY, export=Export.PUBLIC, kept="says which days the dataset covers")

    day = models.DateField(primary_key=True)

    def __str__(self) -> str:
        return f"served on {self.day}"


class Release(models.Model):
    """One closed day's release and its entry in the budget. Once drawn, the noisy counts never change."""

    privacy = Privacy(Subject.NOBODY, export=Export.PUBLIC, kept="the privacy ledger; holds drawn counts only")

    day = models.DateField(unique=True)
    step = models.CharField(max_length=12, choices=Step, default=Step.OPENED)
    budget = models.FloatField(help_text="epsilon this day may cost one secret")
    epsilon = models.FloatField(null=True, help_text="what the draw cost, by the privacy maps")
    drawn = models.BinaryField(null=True, help_text="exports.policy.draw.Drawn")
    drawn_at = models.DateTimeField(null=True)
    snapshots = models.JSONField(default=dict, help_text="snapshot of each open table after this release")
    manifest = models.JSONField(default=dict)
    profile = models.JSONField(default=dict, help_text="exports.policy.profile: statistics of the drawn counts")
    daily = models.JSONField(default=list, help_text="rows of the day's aggregates by state, exports.tables.DAILY")
    announced_at = models.DateTimeField(null=True)
    number = models.PositiveIntegerField(null=True, unique=True, help_text="place in the order of announcements")
    tries = models.PositiveIntegerField(default=0)
    failure = models.TextField(blank=True, help_text="why the last try published nothing")

    class Meta:
        constraints = [
            models.CheckConstraint(
                condition=Q(drawn=None, epsilon=None, step=Step.OPENED)
                | Q(drawn__isnull=False, epsilon__lte=F("budget")),
                name="drawn_within_the_budget",
            )
        ]

    def __str__(self) -> str:
        return f"release of {self.day}: {self.step}"


class Webhook(models.Model):
    """An address that is told of each release, registered by the operator."""

    privacy = Privacy(Subject.STAFF, kept="until the operator removes it")

    public_id = models.CharField(max_length=32, unique=True)
    url = models.CharField(max_length=500)
    secret = models.BinaryField(help_text="encrypted; signs what is sent")
    created_at = models.DateTimeField()

    def __str__(self) -> str:
        return f"webhook {self.public_id}"


class WebhookDelivery(models.Model):
    """That an address is to be told of a release, or was."""

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
        constraints = [models.UniqueConstraint(fields=["webhook", "release"], name="told_once_of_a_release")]
        indexes = [models.Index(fields=["next_try_at"], condition=Q(delivered_at=None), name="deliveries_waiting")]

    def __str__(self) -> str:
        return f"delivery {self.public_id}"
