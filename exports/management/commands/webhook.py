"""`manage.py webhook add URL | list | remove ID`: URLs that get a request for each release."""

from typing import Any

from django.core.management.base import BaseCommand, CommandError, CommandParser

from common.time import utc_now
from exports.announce.outbound import AddressRefused
from exports.announce.webhooks import register_webhook, remove_webhook
from exports.models import Webhook

ACTOR = "operator"


class Command(BaseCommand):
    """Register, list and remove URLs; the secret of a new one is printed only once."""

    help = "Manage the URLs that get a request for each release of the dataset."

    def add_arguments(self, parser: CommandParser) -> None:
        """Add a subcommand for each action."""
        actions = parser.add_subparsers(dest="action", required=True)
        actions.add_parser("add").add_argument("url")
        actions.add_parser("list")
        actions.add_parser("remove").add_argument("id")

    def handle(self, *args: Any, **options: Any) -> None:
        """Run the subcommand."""
        if options["action"] == "add":
            try:
                row, secret = register_webhook(url=options["url"], actor=ACTOR, now=utc_now())
            except AddressRefused as error:
                raise CommandError(str(error)) from error
            self.stdout.write(f"{row.public_id} {secret}")
        elif options["action"] == "list":
            for row in Webhook.objects.order_by("pk"):
                self.stdout.write(f"{row.public_id} {row.url}")
        elif not remove_webhook(public_id=options["id"], actor=ACTOR, now=utc_now()):
            raise CommandError("there is no URL with this ID")
