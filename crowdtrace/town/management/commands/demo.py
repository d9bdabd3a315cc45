"""`manage.py demo`: print or create the demonstration of a local copy."""

import json
import subprocess
import sys
from typing import Any, Final

from django.conf import settings
from django.core.management.base import BaseCommand, CommandError, CommandParser

import embedded
from common.time import utc_now
from crowdtrace.town import demonstration
from embedded.home import CHECKOUT
from venues.models import Organisation

OCTOBER_SECONDS: Final = 30


class Command(BaseCommand):
    """The command that prints how to use the demonstration, and creates it if it is missing."""

    help = "Print the demonstration's address, owner and venues, with new enrolment codes; create what is missing."

    def add_arguments(self, parser: CommandParser) -> None:
        """Add the options."""
        parser.add_argument(
            "--ensure", action="store_true", help="also simulate a small town on the first start; `serve` does this"
        )
        parser.add_argument("--json", action="store_true", help="print one JSON object, for other programs")

    def handle(self, *args: Any, **options: Any) -> None:
        """Create what is missing, then print."""
        if not settings.EMBEDDED:
            raise CommandError("The demonstration is for the embedded mode, in which DATABASE_URL is not set.")
        now = utc_now()
        is_new = not Organisation.objects.exists()
        # Run in another process while this one simulates the town, so that a first start uses two cores.
        october = _publish_october() if options["ensure"] and is_new else None
        organisation = demonstration.ensure_demonstration(now=now)
        if options["ensure"] and is_new:
            from crowdtrace.town import simulation

            simulation.simulate_demonstration_town(now=now)
        if options["ensure"]:
            from crowdtrace.town.radar import ensure_radar

            ensure_radar(now=now)
            demonstration.ensure_event(now=now)
        if october is not None:
            _wait_for(october)
        self._tell(organisation, as_json=options["json"])

    def _tell(self, organisation: Organisation, *, as_json: bool) -> None:
        url = embedded.served_url(embedded.home())
        owner = demonstration.DemoOwner(username=demonstration.USERNAME, password=demonstration.owner_password())
        venues = demonstration.make_enrolment_codes(organisation=organisation, now=utc_now())
        if as_json:
            self.stdout.write(json.dumps({"url": url, "owner": owner, "venues": venues}))
            return
        self.stdout.write(f"Address      {url or 'not running; start it with make run'}")
        self.stdout.write(f"Venue owner  {owner['username']} / {owner['password']}")
        self.stdout.write(f"Pathogen     {settings.PATHOGEN}")
        for venue in venues:
            self.stdout.write(f"{venue['name']} ({venue['id']}, {venue['zip']}): kiosk code {venue['enrolment_code']}")
            if url:
                self.stdout.write(f"  {url}/kiosk#{venue['enrolment_code']}")


def _publish_october() -> subprocess.Popen[bytes]:
    return subprocess.Popen([sys.executable, "manage.py", "october"], cwd=CHECKOUT, stdout=subprocess.DEVNULL)


def _wait_for(october: subprocess.Popen[bytes]) -> None:
    """Wait for a limited time, as pages wait on a busy machine: the worker publishes what is left in the ledger."""
    try:
        october.wait(OCTOBER_SECONDS)
    except subprocess.TimeoutExpired:
        october.terminate()
        october.wait()
