"""Page speed, as daily counts."""

import datetime as dt

from django.db import models

from common.privacy import Privacy, Retention, Subject


class Metric(models.TextChoices):
    """The three web vitals (web.dev/vitals)."""

    LCP = "lcp", "LCP"
    INP = "inp", "INP"
    CLS = "cls", "CLS"


class VitalsCount(models.Model):
    """The number of loads of a page on a day in one step of one metric. It says nothing about the visitors."""

    privacy = Privacy(Subject.NOBODY, retention=(Retention("day", dt.timedelta(days=91)),))

    day = models.DateField()
    page = models.CharField(max_length=64)
    metric = models.CharField(max_length=3, choices=Metric)
    step = models.PositiveSmallIntegerField(help_text="index into the bounds of crowdtrace.site.vitals.counts")
    count = models.PositiveIntegerField(default=1)

    class Meta:
        constraints = [models.UniqueConstraint(fields=["day", "page", "metric", "step"], name="one_count_a_step")]

    def __str__(self) -> str:
        return f"{self.metric} of {self.page} on {self.day}"
