from pathlib import Path

from django.db import migrations



class Migration(migrations.Migration):
    """The function of `record_scan.sql` again, which waits while rows are mixed."""

    dependencies = [("passes", "0007_entries_appear_at_random")]

    operations = [migrations.RunSQL((Path(__file__).parent / "record_scan.sql").read_text(encoding="utf-8"), "")]
