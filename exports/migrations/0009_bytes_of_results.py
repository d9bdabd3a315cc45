from django.db import migrations, models


class Migration(migrations.Migration):
    """Count the bytes of stored results; results from before are taken for removed and swept within a day."""

    dependencies = [
        ("exports", "0008_index_without_key"),
    ]

    operations = [
        migrations.AddField(
            model_name="athenaquery",
            name="stored_bytes",
            field=models.PositiveIntegerField(default=0, db_default=0, help_text="of its results; 0: none, or removed"),
        ),
    ]
