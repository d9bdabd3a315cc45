import django.contrib.postgres.constraints
import django.contrib.postgres.fields.ranges
import django.db.models.expressions
from django.db import migrations, models

from common.upgrades import default_for_old_servers


def _days(first: models.Func | models.F, last: models.F) -> models.Func:
    return models.Func(
        first,
        last,
        models.Value("[]"),
        function="daterange",
        output_field=django.contrib.postgres.fields.ranges.DateRangeField(),
    )


FIRST_DAY = models.Func(
    models.F("day"),
    models.F("days"),
    template="(%(expressions)s + 1)",
    arg_joiner=" - ",
    output_field=models.DateField(),
)


class Migration(migrations.Migration):
    """Plans made a day ahead, draws of whole weeks, signals. Draws from before keep their day."""

    dependencies = [
        ("exports", "0011_radar_forecasts"),
    ]

    operations = [
        migrations.CreateModel(
            name="Plan",
            fields=[
                ("id", models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name="ID")),
                ("first_day", models.DateField(unique=True)),
                (
                    "last_day",
                    models.DateField(
                        help_text="the same day, or the Sunday of the week that is drawn as one", unique=True
                    ),
                ),
                ("zips", models.JSONField(help_text="3-digit ZIPs with a venue of a verified organisation")),
                (
                    "frozen_at",
                    models.DateTimeField(
                        help_text="venues verified by then count; null: made at the draw", null=True
                    ),
                ),
            ],
        ),
        migrations.CreateModel(
            name="PassPool",
            fields=[
                ("id", models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name="ID")),
                ("first_day", models.DateField(unique=True)),
                (
                    "noisy_sum",
                    models.BigIntegerField(help_text="begins with the noise; each day's scanned passes are added"),
                ),
                ("scale", models.FloatField(help_text="of the noise")),
                ("epsilon", models.FloatField(help_text="what it costs one secret on each of its days")),
                ("days", models.PositiveSmallIntegerField(default=0, help_text="days that were added")),
                (
                    "published_in",
                    models.DateField(help_text="the release whose manifest has it; then it is closed", null=True),
                ),
            ],
        ),
        migrations.AddConstraint(
            model_name="plan",
            constraint=models.CheckConstraint(
                condition=models.Q(("last_day__gte", models.F("first_day"))), name="plan_has_days"
            ),
        ),
        migrations.AddConstraint(
            model_name="plan",
            constraint=django.contrib.postgres.constraints.ExclusionConstraint(
                expressions=[(_days(models.F("first_day"), models.F("last_day")), "&&")], name="a_day_has_one_plan"
            ),
        ),
        migrations.AddField(
            model_name="release",
            name="days",
            field=models.PositiveSmallIntegerField(
                db_default=1, default=1, help_text="how many, the last one included"
            ),
        ),
        migrations.AlterField(
            model_name="release",
            name="day",
            field=models.DateField(help_text="the last day", unique=True),
        ),
        migrations.AlterField(
            model_name="release",
            name="budget",
            field=models.FloatField(help_text="epsilon that each of these days may cost one secret"),
        ),
        migrations.AddField(
            model_name="release",
            name="signals",
            field=models.JSONField(default=list, help_text="exports.policy.signals.Signal, without the day"),
        ),
        default_for_old_servers('exports_release', 'signals', "'[]'::jsonb"),
        migrations.AddConstraint(
            model_name="release",
            constraint=models.CheckConstraint(
                condition=models.Q(("days__gte", 1)), name="release_has_days"
            ),
        ),
        migrations.AddConstraint(
            model_name="release",
            constraint=django.contrib.postgres.constraints.ExclusionConstraint(
                expressions=[(_days(FIRST_DAY, models.F("day")), "&&")], name="a_day_is_drawn_once"
            ),
        ),
    ]
