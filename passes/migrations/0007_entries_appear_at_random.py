import datetime as dt

from django.db import migrations, models

from common.upgrades import default_for_old_servers


def list_revoked(apps, schema_editor):
    """Passes revoked until now had no row of their own; those of a running epoch stay listed."""
    from passes.codec import revocation_entry
    from passes.hashes import list_salt

    RevokedEntry = apps.get_model("passes", "RevokedEntry")
    revoked = apps.get_model("passes", "Pass").objects.filter(revoked=True).exclude(anchor=None)
    RevokedEntry.objects.bulk_create(
        [
            RevokedEntry(
                venue_id=row.venue_id,
                epoch=row.epoch,
                entry=revocation_entry(list_salt(row.venue.public_id), bytes(row.anchor)),
                appears_at=dt.datetime(1970, 1, 1, tzinfo=dt.UTC),
            )
            for row in revoked.select_related("venue")
        ],
        ignore_conflicts=True,
    )


class Migration(migrations.Migration):

    dependencies = [
        ('passes', '0006_tombstones'),
    ]

    operations = [
        migrations.AddField(
            model_name='revokedentry',
            name='appears_at',
            field=models.DateTimeField(default=dt.datetime(1970, 1, 1, tzinfo=dt.UTC), help_text='a publication drawn from those of the 12 hours after'),
            preserve_default=False,
        ),
        default_for_old_servers('passes_revokedentry', 'appears_at', 'now()'),
        migrations.RemoveIndex(
            model_name='revokedentry',
            name='passes_revo_venue_i_8257c5_idx',
        ),
        migrations.AddConstraint(
            model_name='revokedentry',
            constraint=models.UniqueConstraint(fields=('venue', 'epoch', 'entry'), name='listed_once'),
        ),
        migrations.RunPython(list_revoked, migrations.RunPython.noop),
    ]
