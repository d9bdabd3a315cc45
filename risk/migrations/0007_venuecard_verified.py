from django.db import migrations, models

from common.upgrades import default_for_old_servers


class Migration(migrations.Migration):
    """Whether a place was verified when its crowd was computed: until then the room it states counts at most as usual."""

    dependencies = [
        ("risk", "0006_learn_from_reports"),
    ]

    operations = [
        migrations.AddField(
            model_name='venuecard',
            name='verified',
            field=models.BooleanField(default=False),
        ),
        default_for_old_servers('risk_venuecard', 'verified', 'false'),
    ]
