"""Rows that every app may write: the audit log, and stored responses to retried requests."""

import datetime as dt
import uuid

from django.db import models

from common.privacy import Privacy, Retention, Subject


class AuditEntry(models.Model):
    """An action of the staff, in words and public ids: no foreign keys, no data of a visitor."""

    privacy = Privacy(Subject.STAFF, retention=(Retention("at", dt.timedelta(days=365)),))

    id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    at = models.DateTimeField()
    actor = models.CharField(max_length=150, help_text="user name, `system`, or `device`")
    verb = models.CharField(max_length=64)
    subject = models.CharField(max_length=128, help_text="public id of what it was done to")
    organisation = models.CharField(max_length=64, blank=True)
    details = models.JSONField(default=dict)

    class Meta:
        verbose_name_plural = "audit entries"
        indexes = [models.Index(fields=["organisation", "-at"]), models.Index(fields=["at"])]

    def __str__(self) -> str:
        return f"{self.at:%Y-%m-%d %H:%M} {self.actor} {self.verb} {self.subject}"


class RememberedAnswer(models.Model):
    """The response to a request with an Idempotency-Key, encrypted with a key derived from that Idempotency-Key."""

    privacy = Privacy(Subject.STAFF, retention=(Retention("at", dt.timedelta(days=1)),))

    key_hash = models.BinaryField(primary_key=True, max_length=32)
    request_hash = models.BinaryField(max_length=32)
    at = models.DateTimeField()
    status = models.PositiveSmallIntegerField(null=True)
    answer = models.BinaryField(null=True)

    class Meta:
        indexes = [models.Index(fields=["at"])]

    def __str__(self) -> str:
        return f"answer of {self.at:%Y-%m-%d %H:%M}"
