import uuid

from django.contrib.postgres.functions import RandomUUID
from django.db import migrations, models

from common.upgrades import default_for_old_servers


class Migration(migrations.Migration):
    """Reports are added as they come. Ids are random: numbers in a row would tell which venues one reporter was at."""

    dependencies = [
        ('risk', '0002_reports_by_quarter'),
    ]

    operations = [
        migrations.RemoveField(
            model_name='reportedday',
            name='held',
        ),
        migrations.AddField(
            model_name='reportedday',
            name='new_positive',
            field=models.BinaryField(default=bytes, help_text='the same of reports since the last night'),
        ),
        default_for_old_servers('risk_reportedday', 'new_positive', "''::bytea"),
        migrations.AddField(
            model_name='reportedday',
            name='new_reports',
            field=models.PositiveIntegerField(default=0, help_text='how many reports those are'),
        ),
        default_for_old_servers('risk_reportedday', 'new_reports', '0'),
        migrations.AlterField(
            model_name='reportedday',
            name='waiting',
            field=models.PositiveIntegerField(default=0, help_text='reports beyond the cap, for the operator'),
        ),
        migrations.RemoveField(
            model_name='reportedday',
            name='id',
        ),
        migrations.AddField(
            model_name='reportedday',
            name='id',
            field=models.UUIDField(db_default=RandomUUID(), default=uuid.uuid4, editable=False, primary_key=True, serialize=False),
        ),
    ]
