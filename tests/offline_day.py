"""A day without a network between doors and server, with the kiosk's own code: the lights, then the uploads.

    python -m tests.offline_day SCANS

Six doors of one venue fetch a bundle at 04:00 and lose the network for 24 hours. Visitors come all day, most of them to
one door, some to two, which neither door can know; some show a used code again, or a code of another day. The next
morning the doors upload the waiting scans, twice, because the first responses are lost. Prints one JSON object.
"""

import argparse
import base64
import datetime as dt
import json
import os
import random
import subprocess
import time
from collections import Counter
from typing import Any, Final

import embedded
from embedded.home import CHECKOUT

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "crowdtrace.settings")
DOORS: Final = 6
BATCH: Final = 250
DAY_S: Final = 86_400
AT_TWO_DOORS: Final = 0.05
REPEATED: Final = 0.1


def run(scans: int, *, start: dt.datetime) -> dict[str, Any]:
    """Return what the doors displayed and what the server then stored; `start` is 04:00 of the day."""
    from benchmarks.scan import prepare_at
    from passes import keys
    from passes.models import Scan, Visit
    from passes.services.kiosks import make_bundle
    from tests.passes.requests import send
    from venues.selectors import device_context

    town, random_ = prepare_at(scans, doors=DOORS, now=start), random.Random(scans)
    device = device_context(town.tokens[0], start)
    assert device is not None
    shown: list[list[dict[str, Any]]] = [[] for _ in town.tokens]
    for number, screen in enumerate(town.shown):
        at = int(start.timestamp()) + 60 + (DAY_S - 120) * number // scans
        first, second = random_.sample(shown, 2)
        scan = {"at": at, "text": screen(at)}
        first.append(scan)
        first.extend([scan] * (random_.random() < REPEATED))
        second.extend([scan] * (random_.random() < AT_TWO_DOORS))
    given = {
        "root_key": encoded(keys.root_key().public_key().public_bytes_raw()),
        "bundle": encoded(make_bundle(device=device, now=start)),
        "doors": shown,
    }
    done = subprocess.run(
        ["node", "tests/frontend/day.mjs"],
        input=json.dumps(given),
        cwd=CHECKOUT,
        check=True,
        capture_output=True,
        text=True,
    )
    doors = json.loads(done.stdout)
    morning = start + dt.timedelta(days=1, minutes=5)
    statuses: Counter[int] = Counter()
    began = time.monotonic()
    for token, door in zip(town.tokens * 2, doors * 2, strict=True):
        for at in range(0, len(door["queue"]), BATCH):
            body = {"scans": door["queue"][at : at + BATCH]}
            answer = send(
                "POST", "/api/v1/scans/batch", body, now=morning, headers={"Authorization": f"Device {token}"}
            )
            statuses[answer.status_code] += 1
    seconds = time.monotonic() - began
    queued = [scan["scan_id"] for door in doors for scan in door["queue"]]
    kept = list(Scan.objects.filter(venue=town.venue).values_list("scan_id", flat=True))
    return {
        "visitors": scans,
        "shown": sum(len(door) for door in shown),
        "lights": Counter(light for door in doors for light in door["lights"]),
        "uploads": statuses,
        "queued": len(queued),
        "seconds": seconds,
        "lost": len(set(queued) - set(kept)),
        "doubled": len(kept) - len(set(kept)) + max(0, Visit.objects.filter(venue=town.venue).count() - scans),
        "visits": Visit.objects.filter(venue=town.venue).count(),
    }


def encoded(data: bytes) -> str:
    """Return base64url without padding."""
    return base64.urlsafe_b64encode(data).rstrip(b"=").decode()


def main() -> None:
    """Run the day on the services of the home."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("scans", type=int)
    scans = parser.parse_args().scans
    with embedded.services(embedded.home()):
        import django

        django.setup()
        from django.core.management import call_command
        from django.test.utils import setup_test_environment

        import crowdtrace.celery  # noqa: F401 - names the broker of tasks
        from common.tables import close_connections
        from common.time import utc_now

        setup_test_environment()
        call_command("migrate", interactive=False, verbosity=0)
        yesterday = utc_now().replace(hour=4, minute=0, second=0, microsecond=0) - dt.timedelta(days=1)
        print(json.dumps(run(scans, start=yesterday)), flush=True)
        close_connections()


if __name__ == "__main__":
    main()
