"""Store adoption at venues, and what days say of it."""

import django.db.models.deletion
import uuid
from django.db import migrations, models


class Migration(migrations.Migration):

    dependencies = [
        ('risk', '0008_weekly_series'),
        ('venues', '0008_presence_counts'),
    ]

    operations = [
        migrations.CreateModel(
            name='VenueAdoption',
            fields=[
                ('venue', models.OneToOneField(on_delete=django.db.models.deletion.CASCADE, primary_key=True, related_name='+', serialize=False, to='venues.venue')),
                ('share', models.FloatField()),
                ('low', models.FloatField()),
                ('high', models.FloatField()),
                ('source', models.CharField(choices=[('said', 'Said'), ('counted', 'Counted'), ('measured', 'Measured')], max_length=8)),
            ],
        ),
        migrations.CreateModel(
            name='CountedDay',
            fields=[
                ('id', models.UUIDField(default=uuid.uuid4, editable=False, primary_key=True, serialize=False)),
                ('day', models.DateField()),
                ('counted_at', models.DateTimeField()),
                ('people', models.PositiveIntegerField()),
                ('shown', models.PositiveIntegerField(help_text='check-ins inside at that time, rounded')),
                ('venue', models.ForeignKey(on_delete=django.db.models.deletion.CASCADE, related_name='+', to='venues.venue')),
            ],
            options={
                'constraints': [models.UniqueConstraint(fields=('venue', 'day'), name='one_counted_day')],
            },
        ),
        migrations.CreateModel(
            name='SeenDay',
            fields=[
                ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                ('day', models.DateField()),
                ('per_check_in', models.FloatField(null=True)),
                ('log_sd', models.FloatField(null=True)),
                ('air_changes_per_h', models.FloatField()),
                ('volume_m3', models.FloatField(null=True)),
                ('venue', models.ForeignKey(on_delete=django.db.models.deletion.CASCADE, related_name='+', to='venues.venue')),
            ],
            options={
                'constraints': [models.UniqueConstraint(fields=('venue', 'day'), name='one_seen_day')],
            },
        ),
    ]
