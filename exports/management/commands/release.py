"""`manage.py release [--date DAY]`: release closed days, oldest first."""

import datetime as dt
from typing import Any

from django.core.management.base import BaseCommand, CommandError, CommandParser

from common.time import utc_now
from exports.dataset.whole import renew_whole_files
from exports.models import Release
from exports.release import closed_days, verified
from exports.selectors import verified_failures
from exports.statistics.draws import draw_waiting


class Command(BaseCommand):
    """Release one day, or all waiting days; print one line per day."""

    help = "Release closed days of the dataset, oldest first."

    def add_arguments(self, parser: CommandParser) -> None:
        """Add `--date` and `--accept-drift`, which needs it."""
        parser.add_argument("--date", type=dt.date.fromisoformat, help="only this day, such as 2020-10-15")
        parser.add_argument(
            "--accept-drift", action="store_true", help="publish that day although it moved far from the one before"
        )

    def handle(self, *args: Any, **options: Any) -> None:
        """Release and report."""
        now, day = utc_now(), options["date"]
        if options["accept_drift"] and not day:
            raise CommandError("--accept-drift requires --date: name the day that you have reviewed")
        try:
            done = [_one(day, now, options)] if day else closed_days.release_waiting(now=now)
        except closed_days.ReleaseFailed as error:
            raise CommandError(str(error)) from error
        for release in done:
            self.stdout.write(f"{release.day} {release.manifest['rows']} rows, epsilon {release.epsilon:g}")
        for published in verified.publish_waiting(now=now, again=day):
            self.stdout.write(f"{published.day} {published.rows} rows of the verified tier")
        if not day:
            draw_waiting(now=now)
        if done:
            renew_whole_files()
        left = closed_days.failures(now=now) if not day else []
        left += [f"verified tier, {line}" for line in verified_failures()]
        if left:
            raise CommandError("not released:\n" + "\n".join(left))


def _one(day: dt.date, now: dt.datetime, options: dict[str, Any]) -> Release:
    return closed_days.release_day(day=day, now=now, accept_drift=options["accept_drift"])
