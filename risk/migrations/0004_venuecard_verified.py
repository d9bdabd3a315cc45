from django.db import migrations, models


class Migration(migrations.Migration):
    """Whether a place was verified when its crowd was computed: until then the room it states counts at most as usual."""

    dependencies = [
        ('risk', '0003_reports_on_arrival'),
    ]

    operations = [
        migrations.AddField(
            model_name='venuecard',
            name='verified',
            field=models.BooleanField(default=False),
        ),
    ]
