"""Store what hosts say of how many people check in: a share, and counts of people."""

import common.ids
import django.core.validators
import django.db.models.deletion
import functools
from django.db import migrations, models


class Migration(migrations.Migration):

    dependencies = [
        ('venues', '0007_invitation_uses'),
    ]

    operations = [
        migrations.AddField(
            model_name='venue',
            name='check_in_share',
            field=models.FloatField(blank=True, help_text='share of the people present who check in, as those who run it say, from 0.01 to 1', null=True, validators=[django.core.validators.MinValueValidator(0.01), django.core.validators.MaxValueValidator(1)]),
        ),
        migrations.CreateModel(
            name='PresenceCount',
            fields=[
                ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                ('public_id', models.CharField(default=functools.partial(common.ids.public_id, *('n',), **{}), editable=False, max_length=32, unique=True)),
                ('counted_at', models.DateTimeField()),
                ('people', models.PositiveIntegerField(validators=[django.core.validators.MinValueValidator(1), django.core.validators.MaxValueValidator(1000000)])),
                ('created_at', models.DateTimeField()),
                ('venue', models.ForeignKey(on_delete=django.db.models.deletion.CASCADE, related_name='presence_counts', to='venues.venue')),
            ],
            options={
                'constraints': [models.UniqueConstraint(fields=('venue', 'counted_at'), name='one_count_a_moment')],
            },
        ),
    ]
