"""Read a series of known active cases."""  # noqa: N999 - the name of the command

import csv
import datetime as dt
from argparse import ArgumentParser
from pathlib import Path
from typing import Any

from django.core.management.base import BaseCommand, CommandError

from common.time import utc_now
from common.web.problems import Invalid
from risk.crowd.cases import NewSignal, record_public_signals

COLUMNS = ("region", "week", "known_active_per_person", "source")


class Command(BaseCommand):
    """CSV with the columns `region`, `week`, `known_active_per_person`, `source`; all rows or none are stored."""

    help = (
        "Import weekly known active cases per person of ZIP3 areas and states from a CSV file: people whose positive "
        "result was reported within the last ten days, over all people."
    )

    def add_arguments(self, parser: ArgumentParser) -> None:
        """The file, and what its numbers are."""
        parser.add_argument("file", type=Path)
        parser.add_argument(
            "--total", action="store_true", help="the numbers are shares of people infectious, hidden carriers included"
        )

    def handle(self, *args: Any, **options: Any) -> None:
        """Store the rows."""
        try:
            with options["file"].open(encoding="utf-8", newline="") as lines:
                signals = _read(csv.DictReader(lines), total=options["total"])
            count = record_public_signals(signals=signals, now=utc_now())
        except (OSError, UnicodeDecodeError, csv.Error) as error:
            raise CommandError(f"The file cannot be read: {error}") from None
        except Invalid as problem:
            first = "; ".join(f"{error.pointer}: {error.detail}" for error in problem.errors[:5])
            raise CommandError(f"Nothing was stored. {first}") from None
        self.stdout.write(f"{count} numbers stored")


def _read(rows: "csv.DictReader[str]", *, total: bool) -> list[NewSignal]:
    missing = [name for name in COLUMNS if name not in (rows.fieldnames or ())]
    if missing:
        raise CommandError(f"The file has no column {', '.join(missing)}.")
    return [_signal(rows.line_num, row, total=total) for row in rows]


def _signal(line: int, row: dict[str, str], *, total: bool) -> NewSignal:
    try:
        week = dt.date.fromisoformat(row["week"])
        share = float(row["known_active_per_person"])
    except (TypeError, ValueError):
        raise CommandError(f"Line {line}: week is a date like 2026-01-05, the number a share.") from None
    return NewSignal(row["region"], week, share, row["source"] or "", already_total=total)
