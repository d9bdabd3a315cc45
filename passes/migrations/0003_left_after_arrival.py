"""A visit does not end before it begins: the database says so too."""

from django.db import migrations, models


class Migration(migrations.Migration):

    dependencies = [
        ('passes', '0002_record_scan'),
    ]

    operations = [
        migrations.AddConstraint(
            model_name='visit',
            constraint=models.CheckConstraint(condition=models.Q(('left_at__gte', models.F('arrived_at'))), name='left_after_arrival'),
        ),
    ]
