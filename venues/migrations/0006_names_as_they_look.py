import django.contrib.postgres.indexes
import django.contrib.postgres.search
from django.db import migrations, models

from common.text import clean_name, searchable

NAMED = ('Organisation', 'Venue', 'Door', 'Device', 'Event', 'OwnerToken')
AT_ONCE = 500
NOTHING_LEFT = '?'

from common.upgrades import default_for_old_servers


def clean_stored(apps, schema_editor):
    """Give stored names the form of new ones, and places the words that find them."""
    for model in NAMED:
        rows = apps.get_model('venues', model).objects
        fields = ['name', 'words'] if model == 'Venue' else ['name']
        changed = []
        for row in rows.only(*fields).order_by('pk').iterator(chunk_size=AT_ONCE):
            before, row.name = row.name, clean_name(row.name) or NOTHING_LEFT
            if model == 'Venue':
                row.words = searchable(row.name)
            elif row.name == before:
                continue
            changed.append(row)
            if len(changed) == AT_ONCE:
                rows.bulk_update(changed, fields)
                changed = []
        rows.bulk_update(changed, fields)


class Migration(migrations.Migration):
    """Names in one Unicode form, without invisible characters; a search compares folded words instead of names."""

    dependencies = [
        ('venues', '0005_confirmed_email'),
    ]

    operations = [
        migrations.AddField(
            model_name='venue',
            name='words',
            field=models.TextField(blank=True, default='', editable=False, help_text='what finds its name: common.text.searchable'),
            preserve_default=False,
        ),
        default_for_old_servers('venues_venue', 'words', "''"),
        migrations.RunPython(clean_stored, migrations.RunPython.noop),
        migrations.RemoveIndex(
            model_name='venue',
            name='venue_name_search',
        ),
        migrations.AddIndex(
            model_name='venue',
            index=django.contrib.postgres.indexes.GinIndex(django.contrib.postgres.search.SearchVector('words', config='simple'), name='venue_words_search'),
        ),
    ]
