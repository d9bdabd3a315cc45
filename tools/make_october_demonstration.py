"""Make `crowdtrace/town/data/october_2020.json.gz`: sixteen released days of a simulated town.

`python tools/make_october_demonstration.py` simulates the town in a temporary home, runs the release every night, and
writes the drawn counts: no row, no truth. It takes some minutes. The town follows from its seed; the noise is drawn by
OpenDP like that of real days and differs between two runs.
"""

import datetime as dt
import gzip
import json
import os
import shutil
import sys
import tempfile
from pathlib import Path
from typing import Final

ROOT: Final = Path(__file__).resolve().parents[1]
sys.path.insert(0, str(ROOT))

VISITORS: Final = 9000
VENUES: Final = 120
SEED: Final = 2020


def main() -> None:
    """Simulate, release and write."""
    home = Path(tempfile.mkdtemp(prefix="october-"))
    os.environ |= {"CROWDTRACE_HOME": str(home), "DJANGO_SETTINGS_MODULE": "crowdtrace.settings"}
    import embedded

    try:
        with embedded.services(home):
            _make()
    finally:
        embedded.destroy(home)
        shutil.rmtree(home, ignore_errors=True)


def _make() -> None:
    import django

    django.setup()
    from django.core.management import call_command

    from common.tables import apply_migrations
    from crowdtrace.town.october import FILE, FIRST, LAST, documents
    from exports.models import Release, Step

    apply_migrations()
    options = {"visitors": VISITORS, "venues": VENUES, "seed": SEED, "start": FIRST, "release": True}
    call_command("simulate", days=(LAST - FIRST).days + 1, **options)
    days = {FIRST + dt.timedelta(days=number) for number in range((LAST - FIRST).days + 1)}
    found = list(Release.objects.filter(step=Step.ANNOUNCED, day__in=days).order_by("day"))
    if len(found) != len(days):
        raise SystemExit(f"{len(found)} of {len(days)} days were released")
    body = json.dumps(documents(found), sort_keys=True, separators=(",", ":")).encode()
    FILE.write_bytes(gzip.compress(body, 9, mtime=0))


if __name__ == "__main__":
    main()
