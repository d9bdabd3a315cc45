"""The radar page, with the demonstration's simulated season."""

from typing import Final

from common.time import utc_now
from crowdtrace.town.radar import ensure_radar
from tests.browser.cases import Case, NoPage, Scene

# Outlines of the states are 27 kB; each region is on the map, in texts for pointer and keyboard, and in a table.
RADAR_BYTES: Final = 110_000


def _radar(_scene: Scene) -> str:
    ensure_radar(now=utc_now())
    return "/radar?region=94110"


CASES: Final[dict[str, Case | NoPage]] = {
    "page-radar": Case(_radar, budget_bytes=RADAR_BYTES),
    "page-radar-csv": NoPage("the table as CSV"),
}
