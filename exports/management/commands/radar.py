"""`manage.py radar`: make the radar's due forecasts."""

from typing import Any

from django.core.management.base import BaseCommand

from common.time import utc_now
from exports.radar import shown
from exports.radar.runs import forecast_all


class Command(BaseCommand):
    """Forecast every series that has a new week, like the nightly release; print the skill of earlier forecasts."""

    help = "Forecast every weekly series that has a new week, and print each series with its measured skill."

    def handle(self, *args: Any, **options: Any) -> None:
        """Forecast, then report."""
        made = {run.series_id for run in forecast_all(now=utc_now())}
        for run in shown.newest_runs():
            skill = shown.skill(run, shown.ALL)
            scored = (
                f"relative WIS {skill.relative_wis}, {skill.tasks} weeks scored" if skill.tasks else "not scored yet"
            )
            new = ", new" if run.series_id in made else ""
            self.stdout.write(f"{run.series} as of {run.as_of}{new}: {run.forecasts.count()} regions, {scored}")
