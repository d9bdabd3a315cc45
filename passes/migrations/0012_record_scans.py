"""The database function that records the scans of a batch."""

from pathlib import Path

from django.db import migrations

SQL = (Path(__file__).parent / "record_scans.sql").read_text(encoding="utf-8")


class Migration(migrations.Migration):
    dependencies = [("passes", "0011_no_rating_totals")]

    operations = [migrations.RunSQL(SQL, "DROP FUNCTION passes_record_scans")]
