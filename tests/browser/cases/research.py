"""Pages of the open data, with two released days."""

from typing import Final
from urllib.parse import urlencode

from crowdtrace.site.research.shown import examples
from tests.browser.cases import PAGE_BYTES, Case, NoPage, Scene, at
from tests.risk.estimates.versions import make_version

# Outlines of the states are 27 kB, places and rows of 900 ZIP areas the rest.
MAP_BYTES: Final = 110_000
# The chart's library is 22 kB.
SQL_BYTES: Final = PAGE_BYTES + 30_000


def _sql(scene: Scene) -> str:
    return "/data/sql?" + urlencode({"sql": examples()[0].sql})


def _beliefs(scene: Scene) -> str:
    del scene
    for number in range(1, 5):
        make_version(number)
    make_version(5, accepted=False, summary={})
    return "/beliefs"


CASES: Final[dict[str, Case | NoPage]] = {
    "page-data": Case(at("page-data"), needs="released"),
    "page-sql": Case(_sql, budget_bytes=SQL_BYTES, needs="released"),
    "page-map": Case(at("page-map"), budget_bytes=MAP_BYTES, needs="released"),
    "page-beliefs": Case(_beliefs),
    "page-benchmark": Case(at("page-benchmark")),
}
