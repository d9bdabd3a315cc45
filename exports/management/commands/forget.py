"""`manage.py forget --owners FILE`: erase passes as their holder would, and print the receipt.

`manage.py forget --again`: repeat the erasures since the backup after a restore.
"""

import datetime as dt
import json
from pathlib import Path
from typing import Any

from django.core.management.base import BaseCommand, CommandError, CommandParser

from common.crypto import b64decode
from common.files import UnreadableFileError, read_text
from common.time import utc_now
from exports.api.erasures import receipt
from exports.erasure import batches, requests
from exports.erasure.log import read_log
from exports.lake.deployment import deployment_lake
from exports.models import Erasure
from passes.codec.identity import hash_owner

OWNER_BYTES = 32


class Command(BaseCommand):
    """Erase in this process, and wait until it is finished."""

    help = "Erase passes by their owners: one per line, base64url, as `simulate --owners-out` writes them."

    def add_arguments(self, parser: CommandParser) -> None:
        """Add `--owners` and `--again`."""
        which = parser.add_mutually_exclusive_group(required=True)
        which.add_argument("--owners", type=Path, help="file of owners")
        which.add_argument("--again", action="store_true", help="after a restore: repeat the erasures since the backup")

    def handle(self, *args: Any, **options: Any) -> None:
        """Erase and print the receipt."""
        now = utc_now()
        if options["again"]:
            capability = self._again(now)
        else:
            owners = map(hash_owner, _read(options["owners"]))
            capability = requests.request_erasure(owner_hashes=owners, now=now)
        batches.run_erasures(now=utc_now())
        if capability is None:
            return
        done = requests.find_erasure(capability=capability)
        if done is None or done.status != Erasure.Status.DONE:
            raise CommandError(f"not finished: {done.failure or done.status}" if done else "gone")
        self.stdout.write(json.dumps(receipt(capability, done), indent=2))

    def _again(self, now: dt.datetime) -> bytes | None:
        with deployment_lake() as lake:
            known = read_log(lake=lake)
        capability = requests.request_again(known=known, now=now)
        if capability is None:
            self.stdout.write(f"Nothing to erase: of {len(known)} owners in the log of erasures nothing is here.")
        return capability


def _read(path: Path) -> list[bytes]:
    owners = []
    try:
        lines = read_text(path).splitlines()
    except UnreadableFileError as error:
        raise CommandError(str(error)) from None
    for number, line in enumerate(lines, start=1):
        if text := line.strip():
            try:
                owners.append(b64decode(text, length=OWNER_BYTES))
            except ValueError:
                raise CommandError(f"line {number} is no owner") from None
    return owners
