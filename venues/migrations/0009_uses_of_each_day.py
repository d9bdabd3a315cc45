"""Count the uses of an invitation on each further day of its event."""

from django.db import migrations, models


class Migration(migrations.Migration):

    dependencies = [
        ('venues', '0008_presence_counts'),
    ]

    operations = [
        migrations.AddField(
            model_name='invitation',
            name='used_later',
            field=models.JSONField(db_default={}, default=dict, help_text='uses on further days of the event, by the start of the day in Unix seconds; shown to nobody'),
        ),
        migrations.AlterField(
            model_name='invitation',
            name='uses_left',
            field=models.PositiveIntegerField(help_text='on the first day of the event; shown to nobody: it falls with each answered check-in'),
        ),
    ]
