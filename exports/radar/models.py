"""Published forecasts: rows are written once and never change."""

from django.db import models
from django.db.models import Q

from common.privacy import Export, Privacy, Subject
from risk.models import Series


class RadarRun(models.Model):
    """The forecasts of one series from one week, with the skill of earlier forecasts as known then."""

    privacy = Privacy(Subject.NOBODY, export=Export.PUBLIC, kept="forecasts as they were published")

    series = models.ForeignKey(Series, models.PROTECT, related_name="+")
    as_of = models.DateField(help_text="last day of the newest week that was known")
    made_at = models.DateTimeField(help_text="what was recorded until then was known")
    flags = models.JSONField(default=list, help_text="what to know of all areas, exports.radar.shown.FLAGS")
    skill = models.JSONField(default=dict, help_text="by region, and of all under the empty text")

    class Meta:
        constraints = [models.UniqueConstraint(fields=["series", "as_of"], name="one_radar_a_week")]

    def __str__(self) -> str:
        return f"radar of series {self.series_id} as of {self.as_of}"


class RadarForecast(models.Model):
    """The forecast of one region: quantiles of the four weeks after the run's."""

    privacy = Privacy(Subject.NOBODY, export=Export.PUBLIC, kept="a forecast as it was published")

    run = models.ForeignKey(RadarRun, models.CASCADE, related_name="forecasts")
    region = models.CharField(max_length=3)
    level = models.FloatField(null=True, help_text="newest value, at most three weeks old")
    sample_size = models.FloatField(null=True, help_text="what that was computed from, where it is known")
    quantiles = models.JSONField(help_text="by horizon, the 23 levels of FluSight")
    baseline = models.JSONField(null=True, help_text="the same of `same as last week`, to be scored against")
    doubling = models.JSONField(null=True, help_text="by horizon, chance of twice the level or more")
    flags = models.JSONField(default=list)

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["run", "region"], name="one_forecast_a_region"),
            models.CheckConstraint(condition=Q(level=None) | Q(level__gte=0.0), name="level_is_not_below_0"),
        ]

    def __str__(self) -> str:
        return f"forecast of {self.region}"
