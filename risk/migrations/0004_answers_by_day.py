import uuid

import django.contrib.postgres.fields
import django.db.models.deletion
from django.db import migrations, models


class Migration(migrations.Migration):
    """Answers are read once a day, rounded."""

    dependencies = [
        ('risk', '0003_reports_on_arrival'),
        ('venues', '0005_confirmed_email'),
    ]

    operations = [
        migrations.CreateModel(
            name='AnsweredDay',
            fields=[
                ('id', models.UUIDField(default=uuid.uuid4, editable=False, primary_key=True, serialize=False)),
                ('day', models.DateField()),
                ('people', models.PositiveIntegerField(help_text='passes that arrived on the day')),
                ('shown', django.contrib.postgres.fields.ArrayField(base_field=models.PositiveIntegerField(), help_text='of them contact, symptoms, diagnosed; rounded', size=3)),
                ('venue', models.ForeignKey(on_delete=django.db.models.deletion.CASCADE, related_name='+', to='venues.venue')),
            ],
            options={
                'constraints': [models.UniqueConstraint(fields=('venue', 'day'), name='one_answered_day')],
            },
        ),
    ]
