"""The database function that records a scan: what must be decided under a lock happens where the lock is."""

from pathlib import Path

from django.db import migrations

SQL = (Path(__file__).parent / "record_scan.sql").read_text(encoding="utf-8")


class Migration(migrations.Migration):
    dependencies = [("passes", "0001_initial")]

    operations = [migrations.RunSQL(SQL, "DROP FUNCTION passes_record_scan; DROP FUNCTION passes_occupancy")]
