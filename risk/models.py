"""Crowd state and its inputs: air, public signals, parameters, counted self-reports, cards of venues.

Nothing here links two stays. Crowd state holds numbers of people per quarter-hour and none of their answers. It is
recomputed without a stay when that is erased, and is deleted with the stays it came from.
"""

import datetime as dt
import uuid

from django.contrib.postgres.fields import ArrayField
from django.contrib.postgres.functions import RandomUUID
from django.core.validators import MaxValueValidator, MinValueValidator
from django.db import models
from django.db.models import Q

from common.privacy import NOBODY, Erasure, Export, Privacy, Retention, Subject
from passes.models import AFTER_RETENTION
from venues.models import Device, Venue


class ParameterSet(models.Model):
    """One version of the model's parameters. Rows are never changed; the newest is in force."""

    privacy = NOBODY

    version = models.CharField(max_length=12, help_text="short hash over every constant; what a shield names")
    pathogen = models.CharField(max_length=40)
    dose_scale = models.FloatField(default=1.0)
    hidden_carriers = models.FloatField(default=1.0)
    kind_intensity = models.JSONField(default=dict, help_text="factor by venue kind")
    learned = models.JSONField(default=list, help_text="by venue kind: factor on hits, share of spread left")
    created_at = models.DateTimeField()
    reason = models.CharField(max_length=200)

    def __str__(self) -> str:
        return f"{self.version} of {self.created_at:%Y-%m-%d}"


class CrowdClock(models.Model):
    """The only row of its table: the time up to which crowd state is computed, and the parameters used."""

    privacy = NOBODY

    id = models.PositiveSmallIntegerField(primary_key=True, default=1, editable=False)
    as_of = models.DateTimeField(help_text="what happened until then is counted")
    parameters = models.CharField(max_length=12)

    class Meta:
        constraints = [models.CheckConstraint(condition=Q(id=1), name="one_crowd_clock")]

    def __str__(self) -> str:
        return f"crowd as of {self.as_of:%Y-%m-%d %H:%M}"


class CrowdDay(models.Model):
    """Crowd state of one venue over the busy part of one UTC day; `risk.crowd.venue_days` reads and writes `data`."""

    privacy = Privacy(
        Subject.VISIT, erasure=Erasure.RECOMPUTED, retention=(Retention("day", AFTER_RETENTION, venue="venue"),)
    )

    venue = models.ForeignKey(Venue, models.CASCADE, related_name="+")
    day = models.DateField()
    data = models.BinaryField()

    class Meta:
        constraints = [models.UniqueConstraint(fields=["venue", "day"], name="one_crowd_a_day")]
        indexes = [models.Index(fields=["day"])]

    def __str__(self) -> str:
        return f"crowd of {self.day}"


class VenueCard(models.Model):
    """Inputs of a scouting card that are expensive to compute: costs by head count, usual crowd, expected crowd.

    `kind`, `volume_m3`, `air_changes_per_h` and `verified` are the venue's facts at the time its crowd was computed.
    """

    privacy = Privacy(Subject.NOBODY, export=Export.NEVER, kept="means of a venue; deleted with it")

    venue = models.OneToOneField(Venue, models.CASCADE, primary_key=True, related_name="+")
    kind = models.CharField(max_length=16)
    volume_m3 = models.FloatField(null=True)
    air_changes_per_h = models.FloatField(null=True)
    verified = models.BooleanField(default=False)
    basis = models.BinaryField(max_length=16, default=bytes, help_text="hash of what `curve` was computed from")
    curve = models.BinaryField(default=bytes, help_text="expected hits a head: float64, stays x mask x head nodes")
    usual = models.BinaryField(default=bytes, help_text="float32, usual heads by local hour of week, Monday first")
    usual_at = models.DateTimeField(null=True)
    rated = models.PositiveIntegerField(null=True, help_text="about how many ratings; null where noise hides them")
    rated_masks = models.FloatField(null=True, help_text="mean of ratings from 1 to 5")
    rated_distancing = models.FloatField(null=True, help_text="mean of ratings from 1 to 5")
    inside_from = models.BigIntegerField(default=0, help_text="edge the next field begins with")
    inside = models.BinaryField(default=bytes, help_text="int32, people inside at each edge, as far as is known")

    def __str__(self) -> str:
        return f"card of venue {self.venue_id}"


class AirReading(models.Model):
    """A reading of a sensor, stored for as long as it narrows the estimate of the air."""

    privacy = Privacy(Subject.NOBODY, retention=(Retention("measured_at", dt.timedelta(days=9)),))

    venue = models.ForeignKey(Venue, models.CASCADE, related_name="+")
    device = models.ForeignKey(Device, models.CASCADE, related_name="+")
    measured_at = models.DateTimeField()
    co2_ppm = models.FloatField()

    class Meta:
        constraints = [models.UniqueConstraint(fields=["device", "measured_at"], name="one_reading_a_moment")]
        indexes = [models.Index(fields=["venue", "measured_at"]), models.Index(fields=["measured_at"])]

    def __str__(self) -> str:
        return f"{self.co2_ppm:.0f} ppm"


class AirHour(models.Model):
    """The measured outdoor air of a venue in one hour; an hour without a row has the prior."""

    privacy = Privacy(Subject.NOBODY, retention=(Retention("hour", dt.timedelta(days=16)),))

    venue = models.ForeignKey(Venue, models.CASCADE, related_name="+")
    hour = models.DateTimeField()
    air_changes_per_h = models.FloatField()
    air_log_sd = models.FloatField()

    class Meta:
        constraints = [models.UniqueConstraint(fields=["venue", "hour"], name="one_air_an_hour")]
        indexes = [models.Index(fields=["hour"])]

    def __str__(self) -> str:
        return f"{self.air_changes_per_h:.1f} air changes an hour"


class PublicSignal(models.Model):
    """The number of people of a region who are known active cases in one week."""

    privacy = Privacy(Subject.NOBODY, export=Export.PUBLIC, kept="published numbers of whole regions")

    region = models.CharField(max_length=3, help_text="first three digits of a ZIP code, or a state")
    week = models.DateField(help_text="Monday")
    known_active_per_person = models.FloatField(validators=[MinValueValidator(0.0), MaxValueValidator(1.0)])
    already_total = models.BooleanField(default=False, help_text="counts carriers who never were reported too")
    source = models.CharField(max_length=120)
    recorded_at = models.DateTimeField()

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["region", "week"], name="one_signal_a_week"),
            models.CheckConstraint(
                condition=Q(known_active_per_person__gte=0.0) & Q(known_active_per_person__lte=1.0),
                name="signal_is_a_share",
            ),
        ]

    def __str__(self) -> str:
        return f"{self.region} in the week of {self.week}"


class AnsweredDay(models.Model):
    """The number of visitors of a venue's UTC day whose answers were of each class, rounded once with a secret offset.

    It is written in the night after the day and never again, so an erasure does not change it: one person's answers
    changed it with a probability of one in eight, and nothing shows whose they were (`risk.model.answers`).
    """

    privacy = Privacy(
        Subject.VISIT, erasure=Erasure.FOLDED, retention=(Retention("day", AFTER_RETENTION, venue="venue"),)
    )

    id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    venue = models.ForeignKey(Venue, models.CASCADE, related_name="+")
    day = models.DateField()
    people = models.PositiveIntegerField(help_text="passes that arrived on the day")
    shown = ArrayField(models.PositiveIntegerField(), size=3, help_text="of them contact, symptoms, diagnosed; rounded")

    class Meta:
        constraints = [models.UniqueConstraint(fields=["venue", "day"], name="one_answered_day")]

    def __str__(self) -> str:
        return f"answers of {self.day}"


class CountedDay(models.Model):
    """What one count of people at a venue says about a UTC day: their number, and about how many had checked in.

    The check-ins are rounded once, after the day, with a secret offset, and never again (`risk.model.answers.rounded`):
    one person changed them with a probability of one in eight. It counts as long as the venue keeps its count.
    """

    privacy = Privacy(
        Subject.VISIT, erasure=Erasure.FOLDED, retention=(Retention("day", AFTER_RETENTION, venue="venue"),)
    )

    id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    venue = models.ForeignKey(Venue, models.CASCADE, related_name="+")
    day = models.DateField()
    counted_at = models.DateTimeField()
    people = models.PositiveIntegerField()
    shown = models.PositiveIntegerField(help_text="check-ins inside at that time, rounded")

    class Meta:
        constraints = [models.UniqueConstraint(fields=["venue", "day"], name="one_counted_day")]

    def __str__(self) -> str:
        return f"count of {self.day}"


class SeenDay(models.Model):
    """The number of people for each check-in on a UTC day, from CO2 in air whose renewal the venue declares.

    It holds for the declared figures it was computed with. It is empty if the readings did not inform it.
    """

    privacy = Privacy(Subject.NOBODY, retention=(Retention("day", AFTER_RETENTION, venue="venue"),))

    venue = models.ForeignKey(Venue, models.CASCADE, related_name="+")
    day = models.DateField()
    per_check_in = models.FloatField(null=True)
    log_sd = models.FloatField(null=True)
    air_changes_per_h = models.FloatField()
    volume_m3 = models.FloatField(null=True)

    class Meta:
        constraints = [models.UniqueConstraint(fields=["venue", "day"], name="one_seen_day")]

    def __str__(self) -> str:
        return f"people by CO2 on {self.day}"


class VenueAdoption(models.Model):
    """The share of the people present who check in at a venue, where there is more than the deployment's estimate."""

    privacy = Privacy(Subject.NOBODY, export=Export.PUBLIC, kept="an estimate of a venue; deleted with it")

    class Source(models.TextChoices):
        """The strongest evidence it uses."""

        SAID = "said"
        COUNTED = "counted"
        MEASURED = "measured"

    venue = models.OneToOneField(Venue, models.CASCADE, primary_key=True, related_name="+")
    share = models.FloatField()
    low = models.FloatField()
    high = models.FloatField()
    source = models.CharField(max_length=8, choices=Source)

    def __str__(self) -> str:
        return f"adoption at venue {self.venue_id}"


class ReportCell(models.Model):
    """The number of people with similar visits who reported a result in 28 days, and the number of positive results.

    It has no owner, no day and no place. `sums` holds the cell's sums of expected hits, encrypted: for a cell of one
    person they almost describe that person's visits. Cells are read merged, with five reporters or more
    (`risk.estimates.cells`).
    """

    privacy = Privacy(
        Subject.VISIT, erasure=Erasure.FOLDED, retention=(Retention("begins", dt.timedelta(days=28 * 27)),)
    )

    id = models.UUIDField(primary_key=True, default=uuid.uuid4, db_default=RandomUUID(), editable=False)
    begins = models.DateField(help_text="first of the 28 days in which they reported")
    prompted = models.BooleanField(help_text="a random prompt asked them")
    band = models.SmallIntegerField(help_text="of total expected hits")
    kind = models.CharField(max_length=16, help_text="of venue that gave most of them")
    share = models.SmallIntegerField(help_text="band of that kind's share")
    reporters = models.PositiveIntegerField(default=0)
    positives = models.PositiveIntegerField(default=0)
    sums = models.BinaryField(help_text="encrypted: sums over the reporters of expected hits")

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["begins", "prompted", "band", "kind", "share"], name="one_report_cell"),
            models.CheckConstraint(
                condition=Q(positives__lte=models.F("reporters")), name="no_more_positives_than_reporters"
            ),
        ]

    def __str__(self) -> str:
        return f"reports from {self.begins}"


class LearnedEstimate(models.Model):
    """What a night learned from all cells, and whether it took effect. Rows are never changed."""

    privacy = Privacy(Subject.NOBODY, export=Export.PUBLIC, kept="estimates of the whole deployment from many reports")

    version = models.CharField(max_length=12, help_text="hash of the cells, the prior and the form of the model")
    period = models.PositiveIntegerField(help_text="number of the 28 days it was made in")
    created_at = models.DateTimeField()
    reporters = models.PositiveIntegerField()
    positives = models.PositiveIntegerField()
    prompted = models.PositiveIntegerField(help_text="of the reporters, those whom a random prompt asked")
    accepted = models.BooleanField()
    reason = models.CharField(max_length=40)
    difference = models.FloatField(help_text="log score against the version before, on the newest reports")
    standard_error = models.FloatField()
    judged_positives = models.PositiveIntegerField(help_text="positive reports that both were tried on")
    summary = models.JSONField(default=dict, help_text="mean, sd, 5 % and 95 % point by parameter; empty where refused")
    typical_dose = models.FloatField(null=True)
    draws = models.BinaryField(default=bytes, help_text="float32, draws x parameters; empty where refused")

    class Meta:
        indexes = [models.Index(fields=["accepted", "period"])]

    def __str__(self) -> str:
        return f"{self.version} of {self.created_at:%Y-%m-%d}"


class ReportedDay(models.Model):
    """Self-reported positive results in the quarter-hours of a venue's UTC day, as reporters inside.

    A report is added on arrival and counts after the next nightly run. It cannot be distinguished from the others, so
    an erasure does not change it: it is a number of people in a quarter-hour, which is deleted with its day.
    """

    privacy = Privacy(
        Subject.VISIT, erasure=Erasure.FOLDED, retention=(Retention("day", AFTER_RETENTION, venue="venue"),)
    )

    id = models.UUIDField(primary_key=True, default=uuid.uuid4, db_default=RandomUUID(), editable=False)
    venue = models.ForeignKey(Venue, models.CASCADE, related_name="+")
    day = models.DateField()
    positive = models.BinaryField(default=bytes, help_text="float32, reporters inside by quarter-hour of the day")
    reports = models.PositiveIntegerField(default=0, help_text="how many positive reports made that")
    new_positive = models.BinaryField(default=bytes, help_text="the same of reports since the last night")
    new_reports = models.PositiveIntegerField(default=0, help_text="how many reports those are")
    waiting = models.PositiveIntegerField(default=0, help_text="reports beyond the cap, for the operator")

    class Meta:
        constraints = [models.UniqueConstraint(fields=["venue", "day"], name="one_reported_day")]

    def __str__(self) -> str:
        return f"reports of {self.day}"


class Series(models.Model):
    """A series of weekly numbers of regions, published by an authority or taken from this deployment's releases."""

    privacy = Privacy(Subject.NOBODY, export=Export.PUBLIC, kept="names a published series")

    class Unit(models.TextChoices):
        """The meaning of its numbers, which determines how areas add up to a state."""

        COUNT = "count"
        PERCENT = "percent"
        SCORE = "score"

    source = models.CharField(max_length=60, help_text="who publishes it")
    signal = models.CharField(max_length=60, help_text="what is counted")
    unit = models.CharField(max_length=8, choices=Unit)
    simulated = models.BooleanField(default=False, help_text="nothing in it happened")

    class Meta:
        verbose_name_plural = "series"
        constraints = [models.UniqueConstraint(fields=["source", "signal"], name="one_series_a_signal")]

    def __str__(self) -> str:
        return f"{self.source}: {self.signal}"


class SeriesWeek(models.Model):
    """A number of one region and week as it was recorded. A revision is a separate row; no row is ever changed."""

    privacy = Privacy(Subject.NOBODY, export=Export.PUBLIC, kept="published numbers, and when each became known")

    series = models.ForeignKey(Series, models.CASCADE, related_name="weeks")
    region = models.CharField(max_length=3, help_text="US, letters of a state, or first three digits of a ZIP code")
    week = models.DateField(help_text="Saturday, its last day")
    value = models.FloatField()
    stderr = models.FloatField(null=True, help_text="standard error, where it is known")
    sample_size = models.FloatField(null=True, help_text="what the value was computed from, where it is known")
    recorded_at = models.DateTimeField()

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["series", "region", "week", "recorded_at"], name="one_number_a_moment"),
            models.CheckConstraint(
                condition=Q(value__gte=0.0) & Q(value__lt=1e15), name="series_number_is_not_below_0"
            ),
        ]

    def __str__(self) -> str:
        return f"{self.region} in the week to {self.week}"
